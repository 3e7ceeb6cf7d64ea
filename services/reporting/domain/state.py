"""What does reporting know about one case, and what may it not know yet?

Unknown -> Assigned -> Reading -> Locked -> Comparing -> Final -> Amended
   ^___________________________________|       until signed, an assignment can end:
any of these but Final, Amended -> Withdrawn   what was written is set aside, never lost

A split case is read by several, each their regions (regional.py): Split until all have locked, then
Locked in the hands of the last, who compares and signs for all.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from services.reporting.domain.compare import Comparison
from services.reporting.domain.facts import Assignment, CleanImages, Facts
from shared.contracts.base import BodyRegion, Code, Frozen, ObjectRef, OpaqueId, Sha256
from shared.contracts.deid import CleanStudy
from shared.contracts.report import Claim, Opinion, Text
from shared.contracts.reporting import CaseVerdict, Discrepancy


class SealedOpinion(Frozen):
    """An opinion that can't change any more, and the studies that lay before the reader."""

    opinion: Opinion
    sha256: Sha256
    locked_at: AwareDatetime
    studies: tuple[CleanStudy, ...]


class SetAside(Frozen):
    """What became of an assignment that ended without a report."""

    assignment: Assignment
    reason: OpaqueId
    draft: Opinion | None = None
    sealed: SealedOpinion | None = None
    revealed: bool = False


class Regional(Frozen):
    """What the reader of one part of a split case has locked."""

    assignment: Assignment
    started_at: AwareDatetime
    revision: int
    sealed: SealedOpinion


class GivenOpinion(Frozen):
    """What software said of the case. It never changes."""

    opinion: Opinion
    sha256: Sha256
    software: Code
    software_version: OpaqueId
    received_at: AwareDatetime


class Software(Frozen):
    """Software that reads the case beside its reader; `ended`: why it no longer does."""

    assignment: Assignment
    given: GivenOpinion | None = None
    ended: OpaqueId | None = None


class Material(Frozen):
    """What is known of the case whoever reads it. Publishers may speak in any order.

    `parts`: the regions that each reader of a split case reads; `regional`: what they have locked.
    `software` reads beside, whoever reads.
    """

    facts: Facts | None = None
    images: CleanImages | None = None
    set_aside: tuple[SetAside, ...] = ()
    parts: tuple[tuple[BodyRegion, ...], ...] = ()
    regional: tuple[Regional, ...] = ()
    software: tuple[Software, ...] = ()

    def has_first_report(self) -> bool:
        """Say whether there is a text to open: missing, unreadable and withheld are none."""
        return self.images is not None and bool(self.images.released("first_report"))


class Unknown(Frozen):
    """Nobody reads the case (yet, or any more)."""

    kind: Literal["unknown"] = "unknown"
    material: Material = Material()


class Withdrawn(Frozen):
    """No report will come of it."""

    kind: Literal["withdrawn"] = "withdrawn"
    material: Material
    reason: OpaqueId


class _Held(Frozen):
    material: Material
    assignment: Assignment


class Assigned(_Held):
    """A reader has the case and has not opened it."""

    kind: Literal["assigned"] = "assigned"


class Reading(_Held):
    """The reader reads blind. `revision` counts what was saved."""

    kind: Literal["reading"] = "reading"
    started_at: AwareDatetime
    revision: int = 0
    draft: Opinion = Opinion()


class Split(Frozen):
    """Several read the case, each their regions. `desks`: those who have not locked yet.

    A desk's own material is empty: all have the case's.
    """

    kind: Literal["split"] = "split"
    material: Material
    desks: tuple[Annotated[Assigned | Reading, Field(discriminator="kind")], ...] = ()


class Locked(_Held):
    """The opinion stands; the first report is still hidden."""

    kind: Literal["locked"] = "locked"
    started_at: AwareDatetime
    revision: int
    sealed: SealedOpinion


class Comparing(_Held):
    """The first report is open. `available`: there was one to see."""

    kind: Literal["comparing"] = "comparing"
    started_at: AwareDatetime
    revision: int
    sealed: SealedOpinion
    revealed_at: AwareDatetime
    available: bool
    comparison: Comparison | None = None


class Signature(Frozen):
    """The signed report and what it says."""

    report: ObjectRef
    verdict: CaseVerdict
    discrepancy: Discrepancy | None
    signed_at: AwareDatetime
    blind: bool


class AddendumWish(Frozen):
    """What a reader asked to add, so that asking again adds nothing."""

    request: UUID
    text: Text
    claims: tuple[Claim, ...]


class AddendumRecord(Frozen):
    """An addendum in its place, and the wish it fulfilled."""

    number: int
    document: ObjectRef
    signed_at: AwareDatetime
    wish: AddendumWish


class _Signed(_Held):
    started_at: AwareDatetime
    revision: int
    sealed: SealedOpinion
    revealed_at: AwareDatetime
    available: bool
    comparison: Comparison | None
    signature: Signature
    wish: AddendumWish | None = None
    addenda: tuple[AddendumRecord, ...] = ()


class Final(_Signed):
    """The report is signed."""

    kind: Literal["final"] = "final"


class Amended(_Signed):
    """The report is signed, and something was added."""

    kind: Literal["amended"] = "amended"


Held = Assigned | Reading | Locked | Comparing | Final | Amended
Signed = Final | Amended
State = Annotated[Unknown | Split | Held | Withdrawn, Field(discriminator="kind")]


def desks_of(state: State) -> tuple[Assigned | Reading, ...]:
    """Give who still reads a part of a split case; nobody of another."""
    return state.desks if isinstance(state, Split) else ()
