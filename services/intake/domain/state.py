"""What does intake know about one case?"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from services.intake.domain.inputs import ExpectedStudy, Request
from shared.contracts.base import Frozen, Laterality, ObjectRef, Sha256
from shared.contracts.intake import MissingItem, RawDocument


class ArrivedStudy(Frozen):
    """A study of which at least one instance lies in the vault.

    What its instances say of themselves is kept as sorted sets, so that no order of arrival shows.
    """

    study: Sha256
    accession: Sha256 | None = None
    modalities: tuple[str, ...] = ()
    body_regions: tuple[str, ...] = ()
    lateralities: tuple[Laterality, ...] = ()
    instances: int = 0
    images: bool = False
    manifests: tuple[ObjectRef, ...] = ()
    quiet_at: AwareDatetime
    quiet: bool = False


class Misfiled(Frozen):
    """A transmission that was kept out, because it names another patient."""

    study: Sha256
    accession: Sha256 | None = None
    manifest: Sha256


class File(Frozen):
    """The case's file: what was asked and what is there."""

    request: Request
    submitted_at: AwareDatetime
    studies: tuple[ArrivedStudy, ...] = ()
    documents: tuple[RawDocument, ...] = ()
    misfiled: tuple[Misfiled, ...] = ()


class Unknown(Frozen):
    """Nobody submitted this case, or not yet."""

    kind: Literal["unknown"] = "unknown"


class Collecting(Frozen):
    """Submitted; the rest is awaited until `collect_until`."""

    kind: Literal["collecting"] = "collecting"
    file: File
    collect_until: AwareDatetime


class AwaitingInformation(Frozen):
    """The partner was asked for what is missing, and is reminded until it comes."""

    kind: Literal["awaiting_information"] = "awaiting_information"
    file: File
    reminders: int = 0
    remind_at: AwareDatetime | None = None


class Accepted(Frozen):
    """Complete. What comes later supplements it."""

    kind: Literal["accepted"] = "accepted"
    file: File
    accepted_at: AwareDatetime


class Rejected(Frozen):
    """It can't be read, for these reasons."""

    kind: Literal["rejected"] = "rejected"
    file: File
    reasons: tuple[MissingItem, ...]


class Cancelled(Frozen):
    """The partner withdrew it."""

    kind: Literal["cancelled"] = "cancelled"
    file: File


Known = Collecting | AwaitingInformation | Accepted | Rejected | Cancelled
Open = Collecting | AwaitingInformation
State = Annotated[Unknown | Known, Field(discriminator="kind")]
STATE: TypeAdapter[State] = TypeAdapter(State)


def matches(expected: ExpectedStudy, study: Sha256, accession: Sha256 | None) -> bool:
    """Tell whether a study is the announced one: by UID, else by accession number."""
    if expected.study is not None:
        return expected.study == study
    return expected.accession is not None and expected.accession == accession


def arrived(file: File, expected: ExpectedStudy) -> tuple[ArrivedStudy, ...]:
    """Give what came of an announced study; an accession number may cover several."""
    return tuple(one for one in file.studies if matches(expected, one.study, one.accession))
