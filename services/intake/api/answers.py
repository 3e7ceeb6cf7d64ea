"""What is a partner told of a case? Its state, what is missing, and what came: no identifier."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.intake.domain.completeness import is_complete, missing
from services.intake.domain.inputs import ExpectedStudy
from services.intake.domain.state import (
    Accepted,
    AwaitingInformation,
    Collecting,
    File,
    Known,
    Rejected,
    arrived,
)
from shared.contracts.base import CaseId, PartnerId, ServiceLevel
from shared.contracts.intake import (
    DocumentKind,
    FirstReadStatus,
    MissingItem,
    ReasonForReview,
)


class Answer(BaseModel):
    """A value on its way out."""

    model_config = ConfigDict(frozen=True)


class Links(Answer):
    """Where to go on."""

    self: str
    studies: str = "/dicomweb/studies"
    stream: str = "/v1/cases/stream"


class Taken(Answer):
    """The answer to an event: the case, how it stands, and what is still missing."""

    case_id: UUID
    state: str
    missing: tuple[MissingItem, ...]
    links: Links


class StudyAnswer(Answer):
    """A study by its position in the submission (then the amendments), from 1."""

    position: int
    modality: str
    prior: bool
    instances: int
    expected_instances: int | None
    complete: bool


class Times(Answer):
    """When what happened, or will."""

    submitted_at: AwareDatetime
    collect_until: AwareDatetime | None = None
    remind_at: AwareDatetime | None = None
    accepted_at: AwareDatetime | None = None


class CaseAnswer(Taken):
    """A case as its partner may see it."""

    partner: PartnerId
    service_level: ServiceLevel
    reason_for_review: ReasonForReview
    first_report: FirstReadStatus
    studies: tuple[StudyAnswer, ...]
    documents: tuple[DocumentKind, ...]
    reasons: tuple[MissingItem, ...] = ()
    times: Times


class Page(Answer):
    """Some cases, newest first. `next` is where to go on; null at the end."""

    cases: tuple[CaseAnswer, ...]
    next: str | None


def taken(case_id: CaseId, state: Known) -> Taken:
    return Taken(
        case_id=case_id,
        state=state.kind,
        missing=_missing(state),
        links=Links(self=f"/v1/cases/{case_id}"),
    )


def case_answer(case_id: CaseId, state: Known) -> CaseAnswer:
    file, request = state.file, state.file.request
    return CaseAnswer(
        **dict(taken(case_id, state)),
        partner=request.partner,
        service_level=request.service_level,
        reason_for_review=request.reason_for_review,
        first_report=request.first_read.status,
        studies=tuple(
            _study(file, position, expected)
            for position, expected in enumerate(request.studies, start=1)
        ),
        documents=tuple(document.kind for document in file.documents),
        reasons=state.reasons if isinstance(state, Rejected) else (),
        times=_times(state),
    )


def _missing(state: Known) -> tuple[MissingItem, ...]:
    return missing(state.file) if isinstance(state, Collecting | AwaitingInformation) else ()


def _study(file: File, position: int, expected: ExpectedStudy) -> StudyAnswer:
    came = arrived(file, expected)
    return StudyAnswer(
        position=position,
        modality=expected.modality,
        prior=expected.prior,
        instances=sum(one.instances for one in came),
        expected_instances=expected.instances,
        complete=is_complete(expected, came),
    )


def _times(state: Known) -> Times:
    return Times(
        submitted_at=state.file.submitted_at,
        collect_until=state.collect_until if isinstance(state, Collecting) else None,
        remind_at=state.remind_at if isinstance(state, AwaitingInformation) else None,
        accepted_at=state.accepted_at if isinstance(state, Accepted) else None,
    )
