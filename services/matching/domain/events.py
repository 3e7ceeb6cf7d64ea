"""What does matching remember that no other service needs to hear?"""

from typing import Literal

from pydantic import AwareDatetime, JsonValue

from services.matching.domain.contract import Terms
from services.matching.domain.eligibility import Earlier
from services.matching.domain.need import Need
from services.matching.domain.stages import CaseStage
from services.matching.domain.why import Decision
from shared.contracts.base import Code, Event, OpaqueId, PartnerId
from shared.contracts.matching import Party, Role
from shared.contracts.notify import Audience
from shared.contracts.reporting import Radpeer

# Whose turn it is before the acceptance, or how intake ended the case.
IntakeStanding = Literal["collecting", "owed_by_partner", "rejected", "cancelled"]
ClockOutcome = Literal["breached", "cancelled"]


class HeardEarly(Event):
    """Another service's event came before CaseAccepted; it is decided when that comes."""

    ce_type_heard: str
    body: JsonValue


class NeedLearnt(Event):
    """What the case needs is known, or has changed.

    `terms` are the contract's for the service level as they are in force now; None: as before.
    """

    need: Need
    terms: Terms | None = None


class AssignmentPaused(Event):
    """Somebody owes something: nobody is asked meanwhile. There may be several reasons."""

    reason: OpaqueId = "information_requested"


class AssignmentResumed(Event):
    """That reason is gone."""

    reason: OpaqueId = "information_requested"


class IntakeStood(Event):
    """What intake said of a case that it has not accepted yet."""

    partner: PartnerId
    standing: IntakeStanding


class OrderGiven(Event):
    """An operator ordered something, and it was done."""

    by: str
    order: Code
    terms: JsonValue


class PauseAdded(Event):
    """The clock stands already; now for one more reason."""

    reason: OpaqueId
    party: Party


class PauseDropped(Event):
    """One of several reasons is gone; the clock still stands."""

    reason: OpaqueId


class ReadingNoted(Event):
    """The reader opened the case."""

    assignment: OpaqueId


class PartRead(Event):
    """The reader of a part has locked what they see in it."""

    assignment: OpaqueId


class BesideRead(Event):
    """Software that reads beside has given its opinion."""

    assignment: OpaqueId


class FirstReadScored(Event):
    """The second reader scored the first report (RADPEER)."""

    radpeer: Radpeer


class GroupsNoted(Event):
    """With whom the reader who has the case works, as the roster says at the acceptance."""

    assignment: OpaqueId
    groups: tuple[OpaqueId, ...]


class RoundBegan(Event):
    """Another reader is to read it, in this role, who is not who read it nor works with them.

    `others`: who read the other parts of a split case.
    """

    role: Role
    read_by: Earlier
    others: tuple[Earlier, ...] = ()


class StageReopened(Event):
    """The case went back to an earlier stage; the deadline stays."""

    stage: CaseStage
    at: AwareDatetime


class HoldChanged(Event):
    """De-identification waits for a person over these items; none: it doesn't."""

    held: tuple[OpaqueId, ...]


class AudiencePlanned(Event):
    """Notify will deliver to this audience."""

    audience: Audience


class ClockStopped(Event):
    """The clock ends without having been met."""

    outcome: ClockOutcome


class Decided(Event):
    """Why the case was offered to this reader, or to nobody; kept for whoever asks."""

    decision: Decision
