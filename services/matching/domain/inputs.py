"""What can happen to a case here, besides other services' events?"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import AwareDatetime, Field, InstanceOf

from services.matching.domain.chosen import Chosen
from services.matching.domain.eligibility import RESTED, Work
from services.matching.domain.policy import Better
from services.matching.domain.reader import Reader
from services.matching.domain.reasons import Reasons
from services.matching.domain.why import Considered
from shared.contracts.base import (
    BodyRegion,
    CaseId,
    DeadlineReached,
    Frozen,
    OpaqueId,
    ReaderId,
    ServiceLevel,
)
from shared.contracts.deid import (
    CaseDeidentified,
    CaseQuarantined,
    DeidentificationFailed,
    QuarantineReleased,
)
from shared.contracts.intake import (
    CaseAccepted,
    CaseCancelled,
    CaseRejected,
    CaseSubmitted,
    CaseSupplemented,
    InformationProvided,
    InformationRequested,
    ServiceLevelChanged,
)
from shared.contracts.matching import Explanation, Ineligible, Party
from shared.contracts.notify import Delivered, DeliveryPlanned
from shared.contracts.reporting import (
    AdjudicationRequested,
    AiOpinionRecorded,
    OpinionLocked,
    ReadingStarted,
    ReportFinalized,
)

DeclineReason = Literal[
    "conflict_of_interest", "outside_expertise", "too_busy", "technical_problem", "other"
]
ReleaseReason = Literal[
    "conflict_of_interest", "outside_expertise", "shift_ended", "technical_problem", "other"
]

PauseReason = Literal[
    "waiting_for_partner", "waiting_for_images", "legal_hold", "system_outage", "other"
]
TakeBackReason = Literal["reassigned", "reader_unavailable", "conflict_of_interest", "other"]

# A round's reasons are written down when something is decided. They come by the thousand: the first
# that matches is taken.
Why: TypeAlias = Annotated[
    InstanceOf[Reasons] | Considered | None, Field(union_mode="left_to_right")
]

TAKE_BACK: Final[tuple[str, ...]] = get_args(TakeBackReason)


class OfferCase(Frozen):
    """The optimiser found a reader, who holds `load` cases now. The decider checks again.

    `broad`: the policy lets the case be read beyond its subspecialty; `paged`: the reader is on
    call, and nobody on shift can make the deadline. An urgent offer stands `until` then instead of
    for the contract's window, and `at_once` readers may be asked, if that is more than the contract
    and the rungs allow.
    """

    case_id: CaseId
    reader: Reader
    load: int
    work: Work = RESTED
    explanation: Explanation
    considered: Why = None
    broad: bool = False
    paged: bool = False
    until: AwareDatetime | None = None
    at_once: int = 0
    part: BodyRegion | None = None


class OutdoOffer(OfferCase):
    """The optimiser found a reader who fits clearly better than one who has not answered yet.

    The offer `instead_of` which this one is made is withdrawn, as far as the policy's limits let
    it. `gain` is by how much the new reader's score is higher.
    """

    instead_of: OpaqueId
    gain: float
    limits: Better


class ReadBeside(Frozen):
    """The optimiser found software that may read the case beside its reader."""

    case_id: CaseId
    reader: Reader
    load: int


class TakeCase(Frozen):
    """A reader who is free asked for the next case, and this is the best for the whole pool.

    They asked for it, so it is offered and accepted at once; the decider checks again.
    """

    case_id: CaseId
    reader: Reader
    load: int
    work: Work = RESTED
    explanation: Explanation
    considered: Why = None
    chosen: Chosen | None = None
    broad: bool = False
    part: BodyRegion | None = None


class NobodyFits(Frozen):
    """The optimiser found nobody; `why` counts each constraint's exclusions."""

    case_id: CaseId
    why: tuple[Ineligible, ...]
    considered: Why = None
    part: BodyRegion | None = None


class SplitCase(Frozen):
    """The optimiser found that nobody on the roster reads all of the case, but its parts."""

    case_id: CaseId
    parts: tuple[tuple[BodyRegion, ...], ...]


class AcceptOffer(Frozen):
    """A reader says yes. The edge adds the roster's record, and what the reader holds now."""

    case_id: CaseId
    assignment: OpaqueId
    reader: Reader
    load: int
    work: Work = RESTED


class DeclineOffer(Frozen):
    """A reader says no."""

    case_id: CaseId
    assignment: OpaqueId
    reader: ReaderId
    reason: DeclineReason


class ReleaseAssignment(Frozen):
    """A reader gives an accepted case back."""

    case_id: CaseId
    assignment: OpaqueId
    reader: ReaderId
    reason: ReleaseReason


class ReaderWentOffline(Frozen):
    """The reader may not, or can't, go on; `reason` is the constraint that no longer holds."""

    case_id: CaseId
    reader: ReaderId
    reason: OpaqueId


class PauseCase(Frozen):
    """An operator lets the case wait, because `party` owes something."""

    case_id: CaseId
    by: str
    reason: PauseReason
    party: Party


class ResumeCase(Frozen):
    """An operator lets the case go on, as far as that reason is concerned."""

    case_id: CaseId
    by: str
    reason: PauseReason


class ChangeLevel(Frozen):
    """An operator gives the case another service level, under the partner's contract."""

    case_id: CaseId
    by: str
    service_level: ServiceLevel


class TakeBack(Frozen):
    """An operator takes the case from its reader, or from those who were asked.

    `to` is asked instead, under all rules but that of an earlier no; None: the optimiser chooses.
    `region`: only the part of a split case which that is in.
    """

    case_id: CaseId
    by: str
    reason: TakeBackReason
    to: Reader | None = None
    load: int = 0
    work: Work = RESTED
    region: BodyRegion | None = None


class ForecastMade(Frozen):
    """By the queue ahead and the readers' speed, the report is expected then."""

    case_id: CaseId
    expected_at: AwareDatetime


Upstream: TypeAlias = (
    CaseSubmitted
    | CaseRejected
    | CaseAccepted
    | CaseSupplemented
    | CaseCancelled
    | InformationRequested
    | InformationProvided
    | ServiceLevelChanged
    | CaseDeidentified
    | CaseQuarantined
    | QuarantineReleased
    | DeidentificationFailed
    | ReadingStarted
    | OpinionLocked
    | AiOpinionRecorded
    | AdjudicationRequested
    | ReportFinalized
    | DeliveryPlanned
    | Delivered
)
# Before CaseAccepted intake has the case; we only remember that there is one, and whose it is.
AtIntake: TypeAlias = (
    CaseSubmitted | CaseRejected | CaseCancelled | InformationRequested | InformationProvided
)
Ordered: TypeAlias = PauseCase | ResumeCase | ChangeLevel | TakeBack
Asked: TypeAlias = (
    AcceptOffer
    | DeclineOffer
    | ReleaseAssignment
    | OfferCase
    | OutdoOffer
    | ReadBeside
    | TakeCase
    | Ordered
)
Proposed: TypeAlias = NobodyFits | SplitCase | ReaderWentOffline | ForecastMade
Input: TypeAlias = Upstream | Asked | Proposed | DeadlineReached

ORDERS: Final[Mapping[type[Ordered], str]] = {
    PauseCase: "pause",
    ResumeCase: "resume",
    ChangeLevel: "change_level",
    TakeBack: "reassign",
}

# Intake's own events come in their order, so what it said before CaseAccepted is settled by it.
# The others' may overtake CaseAccepted, and are kept until it comes.
OVERTAKERS: Final[tuple[type[Upstream], ...]] = (
    CaseDeidentified,
    CaseQuarantined,
    QuarantineReleased,
    DeidentificationFailed,
    ReadingStarted,
    OpinionLocked,
    AiOpinionRecorded,
    AdjudicationRequested,
    ReportFinalized,
    DeliveryPlanned,
    Delivered,
)
