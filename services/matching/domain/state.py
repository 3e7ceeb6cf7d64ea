"""What does matching know about one case? Its assignment and its clock, side by side."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from services.matching.domain.author import UNKNOWN, Author
from services.matching.domain.contract import Contracts, Terms
from services.matching.domain.eligibility import Earlier, Question
from services.matching.domain.events import HeardEarly, IntakeStood
from services.matching.domain.moment import Moment
from services.matching.domain.need import Need, need_of_part
from services.matching.domain.stages import CaseStage
from shared.contracts.base import BodyRegion, Frozen, OpaqueId, ReaderId, ServiceLevel
from shared.contracts.matching import Explanation, Ineligible, Party, Role
from shared.contracts.notify import Audience
from shared.contracts.reporting import Radpeer

Standing = Literal[
    "offered", "declined", "expired", "lapsed", "withdrawn", "outdone", "taken",
    "assigned", "released", "revoked", "hurried", "done",
]  # fmt: skip
# Why a case waits when intake asked the partner for something.
REQUESTED: Final = "information_requested"
# Why an offer is withdrawn that somebody else fits better.
BETTER: Final = "better_reader"
# Why a case goes back that became more urgent than its reader said yes to. They may be asked again.
HURRIED: Final = "service_level_changed"
# What may be said of a case only as long as it was not begun.
UNBEGUN: Final = (HURRIED, "off_shift")
# Who answered so is not asked again. `lapsed` is an expired offer that a broadened pool forgives.
REFUSALS: frozenset[Standing] = frozenset({"declined", "expired", "released", "revoked"})
# Why a reader said no for the moment only: once they ask for a case themselves, it is theirs.
FOR_NOW: Final = "too_busy"


class AskedReader(Frozen):
    """A reader who was asked, and what became of it. Kept, so that a late answer is clear.

    `for_now`: they said no because they were busy. `beside`: it is software, not the case's reader.
    `regions`: theirs of a split case. `groups`: with whom they worked when they accepted it.
    """

    assignment: OpaqueId
    reader: ReaderId
    standing: Standing
    expires_at: AwareDatetime
    explanation: Explanation
    broad: bool = False
    paged: bool = False
    for_now: bool = False
    beside: bool = False
    regions: tuple[BodyRegion, ...] = ()
    groups: tuple[OpaqueId, ...] = ()

    @property
    def said_no(self) -> bool:
        """Tell whether they will not read it even when they have nothing else to do."""
        return self.standing in REFUSALS and self.standing != "expired" and not self.for_now


class Brief(Frozen):
    """All that the assignment knows besides where it stands.

    `rung` is how far the offers broadened, `climbed` the last rung of any kind. `broad`: who is of
    another field may be asked too; `paged`: who is on call.
    `earlier` are those who have read the case; `lease` is how long its reader's app may be silent.
    `beside` is the software that reads it too. `spurned_by`: who said no to all of a split case.
    `asked_before`: how many were asked before a case was split, for its parts' names go on there.
    """

    need: Need
    offer_window: timedelta
    offers_at_once: int
    lease: timedelta | None = None
    role: Role = "second_reader"
    rung: int = 0
    climbed: int = 0
    broad: bool = False
    paged: bool = False
    earlier: tuple[Earlier, ...] = ()
    asked: tuple[AskedReader, ...] = ()
    beside: tuple[AskedReader, ...] = ()
    spurned_by: tuple[ReaderId, ...] = ()
    asked_before: int = 0

    def question(self, moment: Moment, *, asks: bool = False, **how: bool) -> Question:
        """Say what is asked of whoever would read it. `asks`: they asked for it themselves.

        `how` is as in Question: broad, paged, ai.
        """
        refused = self.noes if asks else self.refused
        author = moment.author
        return Question(self.need, refused, moment.now, self.earlier, author=author, **how)

    @property
    def regions(self) -> tuple[BodyRegion, ...]:
        """Give the regions of a split case's part; none where all of it is read by one."""
        return () if self.need.part is None else self.need.body_regions

    @property
    def refused(self) -> frozenset[ReaderId]:
        said_no = (one.reader for one in self.asked if one.standing in REFUSALS)
        return frozenset((*said_no, *self.spurned_by))

    @property
    def noes(self) -> frozenset[ReaderId]:
        """Give who would not take it if they had nothing else to do: silence is no such no."""
        said_no = (one.reader for one in self.asked if one.said_no)
        return frozenset((*said_no, *self.spurned_by))

    @property
    def offers(self) -> tuple[AskedReader, ...]:
        """Give the offers that stand."""
        return tuple(one for one in self.asked if one.standing == "offered")

    @property
    def outdone(self) -> int:
        """Say how often an offer was withdrawn because somebody fitted better."""
        return sum(one.standing == "outdone" for one in self.asked)

    @property
    def room(self) -> int:
        """Say how many more readers may be asked now: each rung allows one more."""
        return self.offers_at_once + self.rung - len(self.offers)

    def window(self) -> timedelta:
        """Say how long a reader may think: each rung shortens it."""
        return self.offer_window / (1 + self.rung)


class Unknown(Frozen):
    """Not yet accepted, or (with a brief) accepted and not yet clean."""

    kind: Literal["unknown"] = "unknown"
    brief: Brief | None = None


class Open(Frozen):
    """Waits for the optimiser."""

    kind: Literal["open"] = "open"
    brief: Brief


class Unfillable(Frozen):
    """Nobody fits today; the optimiser goes on trying."""

    kind: Literal["unfillable"] = "unfillable"
    brief: Brief
    why: tuple[Ineligible, ...]


class Offered(Frozen):
    """One reader or more are thinking about it."""

    kind: Literal["offered"] = "offered"
    brief: Brief


class Assigned(Frozen):
    """A reader has it. `due_at` is when the report is owed.

    `locked`: they have said of their part of a split case what they see in it.
    """

    kind: Literal["assigned"] = "assigned"
    brief: Brief
    assignment: OpaqueId
    reader: ReaderId
    due_at: AwareDatetime
    reading: bool = False
    groups: tuple[OpaqueId, ...] = ()
    locked: bool = False


class Closed(Frozen):
    """Nothing more to assign: `read` or `cancelled`. `radpeer`: how the first report was scored.

    `groups`: with whom the reader works who has read this part of a split case.
    """

    kind: Literal["closed"] = "closed"
    brief: Brief
    reason: OpaqueId
    radpeer: Radpeer | None = None
    groups: tuple[OpaqueId, ...] = ()


class Part(Frozen):
    """A part of a split case, and how far the search for its reader has come.

    Of the brief in `where` only who was asked is the part's own: the rest follows the case's.
    """

    regions: tuple[BodyRegion, ...]
    where: Annotated[Open | Unfillable | Offered | Assigned | Closed, Field(discriminator="kind")]

    @property
    def name(self) -> BodyRegion:
        return self.regions[0]

    @property
    def taken(self) -> bool:
        """Tell whether somebody reads it, or has."""
        return isinstance(self.where, Assigned | Closed)

    def was_asked(self, assignment: str) -> bool:
        """Tell whether an assignment is of this part, however it ended."""
        return any(one.assignment == assignment for one in self.where.brief.asked)

    @property
    def reader(self) -> ReaderId | None:
        """Give who reads it, or has; who reads a part reads no other."""
        holding = ("offered", "assigned", "done")
        each = (one.reader for one in self.where.brief.asked if one.standing in holding)
        return next(each, None)


class Split(Frozen):
    """Several readers read the case, a part each, by one deadline."""

    kind: Literal["split"] = "split"
    brief: Brief
    parts: tuple[Part, ...]

    def search(self, part: Part) -> Open | Unfillable | Offered | Assigned | Closed:
        """Give a part's search as if it were a case's of its own."""
        others = (one.reader for one in self.parts if one.name != part.name)
        earlier = tuple(Earlier(reader=one) for one in others if one is not None)
        mine = {
            "need": need_of_part(self.brief.need, part.regions),
            "role": "region_reader",
            "asked": part.where.brief.asked,
            "asked_before": len(self.brief.asked),
            "earlier": (*self.brief.earlier, *earlier),
            "spurned_by": tuple(sorted(self.brief.noes)),
        }
        return part.where.model_copy(update={"brief": self.brief.model_copy(update=mine)})


class Paused(Frozen):
    """Somebody owes something; then it goes on from where it stood."""

    kind: Literal["paused"] = "paused"
    reasons: tuple[OpaqueId, ...] = (REQUESTED,)
    then: Annotated[Unknown | Open | Unfillable | Assigned | Split, Field(discriminator="kind")]


Assignment = Annotated[
    Unknown | Open | Unfillable | Offered | Assigned | Split | Paused | Closed,
    Field(discriminator="kind"),
]
Search = Unknown | Open | Unfillable | Offered | Assigned | Paused | Closed


def brief_of(state: "Assignment") -> Brief | None:
    """Give what is known of the case in whatever state; None before it was accepted."""
    if isinstance(state, Paused):
        return brief_of(state.then)
    if isinstance(state, Split):
        asked = (one for part in state.parts for one in part.where.brief.asked)
        return state.brief.model_copy(update={"asked": (*state.brief.asked, *asked)})
    return state.brief


def under(state: "Assignment") -> "Assignment":
    """Give where a case stands that may be paused."""
    return state.then if isinstance(state, Paused) else state


def searches(state: "Assignment") -> tuple[Search, ...]:
    """Give each search for a reader: that of the case, or of every part of a split one."""
    return tuple(map(state.search, state.parts)) if isinstance(state, Split) else (state,)


def parts_of(state: "Assignment") -> tuple[Part, ...]:
    """Give the parts of a split case, paused or not; none of another."""
    where = under(state)
    return where.parts if isinstance(where, Split) else ()


def assigned_in(state: "Assignment") -> tuple[Assigned, ...]:
    """Give the assignments that stand, paused or not."""
    return tuple(one for one in searches(under(state)) if isinstance(one, Assigned))


def everybody(brief: Brief) -> tuple[AskedReader, ...]:
    """Give all who were asked, software too."""
    return (*brief.asked, *brief.beside)


def asked_of(state: "Assignment", assignment: str) -> AskedReader | None:
    """Find an offer, however long ago it was made."""
    brief = brief_of(state)
    every = everybody(brief) if brief else ()
    return next((one for one in every if one.assignment == assignment), None)


class NotStarted(Frozen):
    """No case was accepted yet."""

    kind: Literal["not_started"] = "not_started"
    terms: Terms | None = None
    cap: AwareDatetime | None = None
    service_level: ServiceLevel | None = None


class Running(Frozen):
    """The clock runs. Pauses move `due_at` and `stage_started_at`, and add to `paused_for`.

    `cap` is when the report is of no more use; `foretold` is when it is expected, by the queue.
    """

    kind: Literal["running"] = "running"
    service_level: ServiceLevel
    terms: Terms
    started_at: AwareDatetime
    due_at: AwareDatetime
    cap: AwareDatetime | None = None
    foretold: AwareDatetime | None = None
    stage: CaseStage = "deid"
    stage_started_at: AwareDatetime
    paused_for: timedelta = timedelta(0)
    held: tuple[OpaqueId, ...] = ()
    planned: tuple[Audience, ...] = ()
    at_risk: bool = False
    breached: bool = False
    rungs: tuple[int, ...] = ()

    @property
    def owed_at(self) -> datetime:
        """When the report is owed, so that its delivery still fits into the clock's hours."""
        return self.terms.earlier(self.due_at, self.terms.budgets.deliver)


class Pause(Frozen):
    """A reason for which a clock stands, and on whom it waits."""

    reason: OpaqueId
    party: Party


class Standstill(Frozen):
    """The clock stands since `at`, because `party` owes something; `also`: further reasons."""

    kind: Literal["paused"] = "paused"
    clock: Running
    at: AwareDatetime
    reason: OpaqueId
    party: Party
    also: tuple[Pause, ...] = ()


class Stopped(Frozen):
    """The clock has ended: in time, too late, or because the case was withdrawn."""

    kind: Literal["stopped"] = "stopped"
    outcome: Literal["met", "breached", "cancelled"]
    clock: Running


def going(clock: "Clock") -> Running | None:
    """Give the clock as it runs, stands or ended; None before it started."""
    match clock:
        case NotStarted():
            return None
        case Running():
            return clock
        case Standstill() | Stopped():
            return clock.clock


Clock = Annotated[NotStarted | Running | Standstill | Stopped, Field(discriminator="kind")]


class Matching(Frozen):
    """One case.

    `contracts` are those in force, and `author` is how the roster knows who made the first report:
    given by the store, and never kept with the case.
    """

    heard: tuple[HeardEarly, ...] = ()
    intake: IntakeStood | None = None
    assignment: Assignment = Unknown()
    clock: Clock = NotStarted()
    contracts: Contracts = Field(default=Contracts(), exclude=True, repr=False)
    author: Author = Field(default=UNKNOWN, exclude=True, repr=False)
