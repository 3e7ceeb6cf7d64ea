"""What may a partner send? The data of each event type, closed: an unknown field is an error."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.intake.domain.regions import MODALITIES
from shared.contracts.base import Laterality, OpaqueId, ServiceLevel, Sex
from shared.contracts.intake import DocumentKind, FirstReadStatus, ReasonForReview
from shared.contracts.regions import SUBSPECIALTY

OLDEST_BIRTH: Final = date(1880, 1, 1)
TYPE_PREFIX: Final = "org.overread.partner."


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must hold no control characters")
    return value


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must hold no NUL character")
    return value


def _listed(*allowed: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(sorted(allowed))}")
        return value

    return AfterValidator(check)


def _moment(value: object) -> object:
    """Take a bare date as its beginning in UTC: a clock capped by it is capped early, not late."""
    if not isinstance(value, str):
        return value
    try:
        if len(value) == len("2026-11-02"):
            return datetime.combine(date.fromisoformat(value), time(), UTC)
        return datetime.fromisoformat(value)
    except ValueError:
        return value


def _born(value: date) -> date:
    if value < OLDEST_BIRTH:
        raise ValueError(f"must not be before {OLDEST_BIRTH}")
    return value


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=256),
    AfterValidator(_printable),
]
# Long enough for a report; together they must fit into an event (INTAKE_EVENT_BYTES).
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200_000),
    AfterValidator(_without_nul),
]
# PatientID, AccessionNumber and issuers are LO or SH: 64 characters (PS3.5 section 6.2).
Number = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    AfterValidator(_printable),
]
Uid = Annotated[  # PS3.5 section 9.1
    str, StringConstraints(max_length=64, pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$")
]
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^@\s<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,189}$"),
    AfterValidator(_printable),
]
Region = Annotated[str, _listed(*SUBSPECIALTY)]
Modality = Annotated[str, _listed(*MODALITIES)]
Language = Annotated[  # BCP 47, without its rarer subtags
    str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")
]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class Closed(BaseModel):
    """A body, or a part of one, in which every field must be known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class PersonName(Closed):
    """A name in its two parts that matter for delivery."""

    family: Line
    given: Line


class Patient(Closed):
    """Who the patient is. Sealed at the edge; only delivery opens it."""

    name: PersonName
    id: Number
    issuer: Number | None = None
    birth_date: Annotated[date, AfterValidator(_born)] | None = None
    sex: Sex
    address: Line | None = None
    phone: Line | None = None


class Clinician(Closed):
    """Who asked, and receives the result."""

    name: Line
    email: Email | None = None


class Study(Closed):
    """A study that will be sent. Without `number_of_instances` it is complete when quiet."""

    study_instance_uid: Uid | None = None
    accession_number: Number | None = None
    issuer: Number | None = None
    modality: Modality
    number_of_instances: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    prior: bool = False

    @model_validator(mode="after")
    def _is_named(self) -> "Study":
        if self.study_instance_uid is None and self.accession_number is None:
            raise ValueError("name the study by study_instance_uid or accession_number")
        return self


class FirstReport(Closed):
    """The original interpretation. `present` without a text promises one."""

    status: FirstReadStatus
    text: Text | None = None
    reader: OpaqueId | None = None
    group: OpaqueId | None = None

    @model_validator(mode="after")
    def _text_is_present(self) -> "FirstReport":
        if self.text is not None and self.status != "present":
            raise ValueError("a text goes with the status present only")
        return self


class Submission(Closed):
    """The data of org.overread.partner.case.submit.v1."""

    patient: Patient
    clinician: Clinician
    service_level: ServiceLevel
    reason_for_review: ReasonForReview
    clinical_question: Text | None = None
    history: Text | None = None
    body_region: Region
    modality: Modality
    laterality: Laterality = "U"
    jurisdiction: OpaqueId
    language: Language = "en"
    procedure_date: Moment | None = None
    studies: Annotated[tuple[Study, ...], Field(min_length=1, max_length=50)]
    first_report: FirstReport


class OfCase(Closed):
    """Names a case that was submitted before."""

    case_id: UUID


class Amendment(OfCase):
    """The data of org.overread.partner.case.amend.v1: more studies, or a mended question."""

    studies: Annotated[tuple[Study, ...], Field(max_length=50)] = ()
    reason_for_review: ReasonForReview | None = None
    procedure_date: Moment | None = None


class Attachment(OfCase):
    """The data of org.overread.partner.document.attach.v1.

    A first report that does not exist after all: kind first_report, status missing, no text.
    """

    kind: DocumentKind
    text: Text | None = None
    status: Literal["present", "missing", "unreadable"] = "present"
    reader: OpaqueId | None = None
    group: OpaqueId | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Attachment":
        if (self.text is None) == (self.status == "present"):
            raise ValueError("send a text, or the status missing or unreadable without one")
        if self.status != "present" and self.kind != "first_report":
            raise ValueError("only a first_report has another status than present")
        return self


class Cancellation(OfCase):
    """The data of org.overread.partner.case.cancel.v1."""

    reason: OpaqueId = "withdrawn"


class SpeedChange(OfCase):
    """The data of org.overread.partner.case.change-service-level.v1."""

    service_level: ServiceLevel


Asked = Submission | Amendment | Attachment | Cancellation | SpeedChange
TYPES: Final[Mapping[str, type[Asked]]] = {
    f"{TYPE_PREFIX}case.submit.v1": Submission,
    f"{TYPE_PREFIX}case.amend.v1": Amendment,
    f"{TYPE_PREFIX}case.cancel.v1": Cancellation,
    f"{TYPE_PREFIX}case.change-service-level.v1": SpeedChange,
    f"{TYPE_PREFIX}document.attach.v1": Attachment,
}
