"""Events matching publishes: who was offered the case, who reads it, and how its clock stands."""

from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime

from shared.contracts.base import BodyRegion, Code, Event, Frozen, OpaqueId, PartnerId, ReaderId

Role = Literal["second_reader", "adjudicator", "ai_reader", "region_reader"]
SplitReason = Literal["contract", "nobody_reads_all", "late_images"]
Stage = Literal["deid", "match", "read", "deliver"]
Widening = Literal["offers", "field", "on_call"]
Party = Literal["partner", "operator", "reader", "platform"]


class ScoreTerm(Frozen):
    """One part of why a reader fits; `value` is in [0, 1]."""

    term: Code
    value: float
    weight: float


class Ineligible(Frozen):
    """A constraint and how many readers it excluded."""

    constraint: Code
    readers: int


class Explanation(Frozen):
    """Why this reader: the terms of the score, and what excluded the others."""

    score: float
    terms: tuple[ScoreTerm, ...]
    eligible: int
    excluded: tuple[Ineligible, ...]
    policy: Code


class StageBudget(Frozen):
    """How long a stage may take."""

    stage: Stage
    budget: timedelta


class CaseOpened(Event):
    """The case is clean and waits for a reader."""

    partner: PartnerId
    role: Role


class RegionPart(Frozen):
    """The part of a split case that one reader reads."""

    regions: tuple[BodyRegion, ...]


class CaseSplit(Event):
    """Several readers read the case, each their regions, all by its one deadline.

    Each part is offered by itself, as `region_reader`. Said again with all parts where late images
    add one: the newest word holds.
    """

    partner: PartnerId
    parts: tuple[RegionPart, ...]
    why: SplitReason


class AssignmentOffered(Event):
    """A reader was asked. `broad`: beyond the case's subspecialty; `paged`: while on call.

    `regions`: theirs of a split case; none: all of it.
    """

    assignment: OpaqueId
    reader: ReaderId
    role: Role
    expires_at: AwareDatetime
    explanation: Explanation
    broad: bool = False
    paged: bool = False
    regions: tuple[BodyRegion, ...] = ()


class OfferDeclined(Event):
    """The reader said no."""

    assignment: OpaqueId
    reader: ReaderId
    reason: OpaqueId


class OfferExpired(Event):
    """The reader did not answer in time."""

    assignment: OpaqueId
    reader: ReaderId


class OfferWithdrawn(Event):
    """The offer no longer stands."""

    assignment: OpaqueId
    reader: ReaderId
    reason: OpaqueId


class AssignmentAccepted(Event):
    """The reader reads the case. `due_at` is when the report is owed.

    `regions`: theirs of a split case; none: all of it.
    """

    partner: PartnerId
    assignment: OpaqueId
    reader: ReaderId
    role: Role
    due_at: AwareDatetime
    regions: tuple[BodyRegion, ...] = ()


class AssignmentReleased(Event):
    """The reader gave the case back."""

    assignment: OpaqueId
    reader: ReaderId
    reason: OpaqueId


class AssignmentRevoked(Event):
    """The case was taken from the reader."""

    assignment: OpaqueId
    reader: ReaderId
    reason: OpaqueId


class NoEligibleReader(Event):
    """Nobody may or can read this now; `why` says which constraint excluded how many.

    `regions`: of that part of a split case; none: all of it.
    """

    why: tuple[Ineligible, ...]
    regions: tuple[BodyRegion, ...] = ()


class PoolBroadened(Event):
    """A rung of soft rules was relaxed; hard constraints never are.

    `offers`: one more reader is asked at once, more briskly, and who let an offer expire again;
    `field`: also beyond the case's subspecialty; `on_call`: also who is on call.
    """

    rung: int
    widened: tuple[Widening, ...] = ("offers",)


class AssignmentClosed(Event):
    """Nothing more to assign: read, or cancelled."""

    reason: OpaqueId


class ClockStarted(Event):
    """The case's clock runs towards `due_at`, with a budget per stage."""

    partner: PartnerId
    started_at: AwareDatetime
    due_at: AwareDatetime
    budgets: tuple[StageBudget, ...]


class ClockPaused(Event):
    """The clock stands while somebody owes something."""

    reason: OpaqueId
    party: Party
    at: AwareDatetime


class ClockResumed(Event):
    """The clock runs again; the deadline moved by the pause."""

    at: AwareDatetime
    due_at: AwareDatetime


class StageCompleted(Event):
    """A stage ended; `took` leaves pauses out. `adjudication`: a third reader has decided."""

    stage: Stage
    took: timedelta
    budget: timedelta
    at: AwareDatetime
    adjudication: bool = False


class SlaAtRisk(Event):
    """The deadline will be missed if nothing changes."""

    stage: Stage
    due_at: AwareDatetime
    forecast_at: AwareDatetime
    adjudication: bool = False


class SlaBreached(Event):
    """The deadline passed; `stage` and `party` say where and on whom it waited.

    `adjudication`, here and in the other events: a third reader is looked for, or decides.
    """

    stage: Stage
    party: Party
    due_at: AwareDatetime
    adjudication: bool = False


class SlaMet(Event):
    """Delivered in time; `took` leaves pauses out."""

    took: timedelta
    due_at: AwareDatetime


class EscalationRaised(Event):
    """A rung was climbed: `role` must act, told over `channels`."""

    rung: int
    role: OpaqueId
    channels: tuple[OpaqueId, ...]
    stage: Stage
    adjudication: bool = False
