"""CaseDeidentified -> CaseOpened -> AssignmentOffered -> AssignmentAccepted -> AssignmentClosed.

    Unknown ── accepted and clean ──▶ Open ──▶ Offered ──▶ Assigned ──▶ Closed
                                       │ ▲        │           │
                     nobody fits       ▼ └────────┴───────────┘  declined, expired, released,
                                  Unfillable                     revoked, withdrawn

From all but Offered and Closed the partner's debts lead to Paused, and back. A case that is Split
has a search of its own for each part, which answers by the same rules. One table, below, says who
answers which input; an input that a state has no use for leads to nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from services.matching.domain import events as own
from services.matching.domain.answers import accepted, declined, released
from services.matching.domain.beside import beside_lost, opined, read_beside
from services.matching.domain.deciding import decided
from services.matching.domain.eligibility import Candidate, barred
from services.matching.domain.ending import all_revoked, revoked, withdrawal, withdrawn
from services.matching.domain.inputs import (
    AcceptOffer,
    ChangeLevel,
    DeclineOffer,
    Input,
    NobodyFits,
    OfferCase,
    OutdoOffer,
    PauseCase,
    ReadBeside,
    ReaderWentOffline,
    ReleaseAssignment,
    ResumeCase,
    SplitCase,
    TakeBack,
    TakeCase,
)
from services.matching.domain.moment import Moment
from services.matching.domain.need import need_of, supplemented
from services.matching.domain.orders import paused, paused_again, resumed, taken_back
from services.matching.domain.outdoing import outdone
from services.matching.domain.parts import (
    addressed,
    locked,
    more_parts,
    split,
    split_by_contract,
    unaddressed,
)
from services.matching.domain.reader import Reader
from services.matching.domain.second_round import adjudicated
from services.matching.domain.state import (
    HURRIED,
    REQUESTED,
    UNBEGUN,
    Assigned,
    Assignment,
    Brief,
    Closed,
    Offered,
    Open,
    Paused,
    Unfillable,
    Unknown,
    brief_of,
    searches,
)
from services.matching.domain.taking import offer, taken
from shared.contracts.base import CaseId, DeadlineReached, Event
from shared.contracts.deid import CaseDeidentified
from shared.contracts.intake import (
    CaseAccepted,
    CaseCancelled,
    CaseSupplemented,
    InformationProvided,
    InformationRequested,
    ServiceLevelChanged,
)
from shared.contracts.matching import (
    AssignmentClosed,
    CaseOpened,
    NoEligibleReader,
    OfferExpired,
    PoolBroadened,
    Widening,
)
from shared.contracts.reporting import (
    AdjudicationRequested,
    AiOpinionRecorded,
    OpinionLocked,
    ReadingStarted,
    ReportFinalized,
)
from shared.decider import Deadline, Refused

Answers = Iterable[Event | Refused]
WAITING = (Open, Unfillable, Offered)
OFFER: Final = "offer:"


def decide(state: Assignment, received: Input, moment: Moment) -> Sequence[Event | Refused]:
    if isinstance(state, Paused):
        return tuple(_while_paused(state, received, moment))
    answer = ANSWERS.get(type(received))
    asked = addressed(state, received)
    answers: tuple[Event | Refused, ...] = ()
    if answer is not None:
        found = [one for each in asked for one in answer(each, received, moment)]
        answers = tuple(found if asked else unaddressed(received))
    return (*answers, *decided(received, answers))


def deadlines(state: Assignment) -> tuple[Deadline, ...]:
    offered = (one for one in searches(state) if isinstance(one, Offered))
    return tuple(
        Deadline(f"{OFFER}{one.assignment}", one.expires_at)
        for each in offered
        for one in each.brief.offers
    )


def broadened(
    state: Assignment, case_id: CaseId, rung: int, widens: tuple[Widening, ...]
) -> Answers:
    """An escalation while the case waits for a reader: ask more of them, as the rung says."""
    waits = any(isinstance(one, WAITING) for one in searches(state))
    brief = brief_of(state)
    if waits and brief is not None and rung > max(brief.rung, brief.climbed) and widens:
        yield PoolBroadened(case_id=case_id, rung=rung, widened=widens)


def _while_paused(state: Paused, received: Input, moment: Moment) -> Answers:
    match received:
        case InformationProvided() if REQUESTED in state.reasons:
            yield own.AssignmentResumed(case_id=received.case_id)
        case InformationRequested() if REQUESTED not in state.reasons:
            yield own.AssignmentPaused(case_id=received.case_id)
        case InformationRequested() | InformationProvided() | NobodyFits() | SplitCase():
            return
        case PauseCase() | ResumeCase():
            yield from paused_again(state, received)
        case TakeBack(to=Reader()):
            yield Refused("case_paused", "Somebody owes something; nobody is asked meanwhile.")
        case OfferCase() | TakeCase():
            yield Refused("case_paused", "The partner owes something; nobody is asked meanwhile.")
        case _:
            yield from decide(state.then, received, moment)


def _learnt(state: Assignment, received: CaseAccepted, moment: Moment) -> Answers:
    if isinstance(state, Unknown) and state.brief is None:
        need = need_of(received, moment.contracts.rules(received.partner))
        terms = moment.contracts.terms(need.partner, need.service_level)
        yield own.NeedLearnt(case_id=received.case_id, need=need, terms=terms)


def _supplemented(state: Assignment, received: CaseSupplemented, _moment: Moment) -> Answers:
    brief = brief_of(state)
    if brief is not None and (need := supplemented(brief.need, received)) != brief.need:
        yield own.NeedLearnt(case_id=received.case_id, need=need)
        yield from more_parts(state, need)


def _hurried(
    state: Assignment, received: ServiceLevelChanged | ChangeLevel, moment: Moment
) -> Answers:
    """Another level is another promise: who thinks about it for too long is not waited for.

    Who accepted it and can't begin it in time is found by recall.py, which knows the roster.
    """
    brief, level = brief_of(state), received.service_level
    if brief is not None and brief.need.service_level != level:
        need = brief.need.model_copy(update={"service_level": level})
        terms = moment.contracts.terms(need.partner, level)
        yield own.NeedLearnt(case_id=received.case_id, need=need, terms=terms)
        if terms.offer_window < brief.offer_window:
            yield from withdrawn(state, received.case_id, HURRIED)


def _opened(state: Assignment, received: CaseDeidentified, _moment: Moment) -> Answers:
    if isinstance(state, Unknown) and state.brief is not None:
        brief = state.brief
        yield CaseOpened(case_id=received.case_id, partner=brief.need.partner, role=brief.role)
        need = brief.need.model_copy(update={"patient": received.pseudonym})
        yield own.NeedLearnt(case_id=received.case_id, need=need)
        yield from split_by_contract(need)


def _paused(state: Assignment, received: InformationRequested, _moment: Moment) -> Answers:
    if brief_of(state) is None or isinstance(state, Closed):
        return
    yield from withdrawn(state, received.case_id, "information_requested")
    yield own.AssignmentPaused(case_id=received.case_id)


def _cancelled(state: Assignment, received: CaseCancelled, _moment: Moment) -> Answers:
    if brief_of(state) is None or isinstance(state, Closed):
        return
    yield from withdrawn(state, received.case_id, "cancelled")
    yield from all_revoked(state, received.case_id, "cancelled")
    yield AssignmentClosed(case_id=received.case_id, reason="cancelled")


def _read(state: Assignment, received: ReportFinalized, _moment: Moment) -> Answers:
    """A signed report ends the search, whoever signed it."""
    if brief_of(state) is None or isinstance(state, Closed):
        return
    yield from withdrawn(state, received.case_id, "read")
    yield from all_revoked(state, received.case_id, "read_by_another", received.assignment)
    yield AssignmentClosed(case_id=received.case_id, reason="read")
    if received.discrepancy is not None:
        radpeer = received.discrepancy.radpeer
        yield own.FirstReadScored(case_id=received.case_id, radpeer=radpeer)


def _reading(state: Assignment, received: ReadingStarted, _moment: Moment) -> Answers:
    mine = isinstance(state, Assigned) and state.assignment == received.assignment
    if isinstance(state, Assigned) and mine and not state.reading:
        yield own.ReadingNoted(case_id=received.case_id, assignment=state.assignment)


def _offered(state: Assignment, received: OfferCase, moment: Moment) -> Answers:
    if not isinstance(state, WAITING) or _room(state.brief, received) < 1:
        yield Refused("not_open", "The case does not wait for another reader now.")
        return
    brief, reader = state.brief, received.reader
    candidate = Candidate(reader, received.load, received.work)
    excluded = barred(brief.question(moment, broad=received.broad, paged=received.paged), candidate)
    if excluded or reader.id in {one.reader for one in brief.offers}:
        yield Refused("not_eligible", excluded.says if excluded else "The reader was just asked.")
        return
    yield offer(brief, received, moment)


def _room(brief: Brief, received: OfferCase) -> int:
    """Say how many more may be asked; when time is short the policy may allow more of them."""
    return max(brief.room, received.at_once - len(brief.offers))


def _unfillable(state: Assignment, received: NobodyFits, _moment: Moment) -> Answers:
    """Say it once per set of constraints: who comes and goes changes the counts all day."""
    told = state.why if isinstance(state, Unfillable) else None
    if isinstance(state, Open | Unfillable) and _names(received.why) != _names(told):
        regions = state.brief.regions
        yield NoEligibleReader(case_id=received.case_id, why=received.why, regions=regions)


def _names(why: Iterable[Any] | None) -> frozenset[str] | None:
    return None if why is None else frozenset(one.constraint for one in why)


def _offline(state: Assignment, received: ReaderWentOffline, _moment: Moment) -> Answers:
    if isinstance(state, Assigned) and state.reader == received.reader:
        if state.reading and received.reason in UNBEGUN:
            return  # they began meanwhile
        yield revoked(state, received.case_id, received.reason)
    elif isinstance(state, Offered):
        lost = [one for one in state.brief.offers if one.reader == received.reader]
        yield from (withdrawal(one, received.case_id, received.reason) for one in lost)
    yield from beside_lost(state, received)


def _expired(state: Assignment, received: DeadlineReached, moment: Moment) -> Answers:
    if isinstance(state, Offered):
        for one in state.brief.offers:
            if one.expires_at <= moment.now:
                yield OfferExpired(
                    case_id=received.case_id, assignment=one.assignment, reader=one.reader
                )


ANSWERS: Final[Mapping[type[Any], Callable[[Assignment, Any, Moment], Answers]]] = {
    CaseAccepted: _learnt,
    CaseSupplemented: _supplemented,
    ServiceLevelChanged: _hurried,
    CaseDeidentified: _opened,
    InformationRequested: _paused,
    CaseCancelled: _cancelled,
    ReadingStarted: _reading,
    OpinionLocked: locked,
    AiOpinionRecorded: opined,
    SplitCase: split,
    ReportFinalized: _read,
    AdjudicationRequested: adjudicated,
    OfferCase: _offered,
    OutdoOffer: outdone,
    ReadBeside: read_beside,
    TakeCase: taken,
    NobodyFits: _unfillable,
    PauseCase: paused,
    ResumeCase: resumed,
    ChangeLevel: _hurried,
    TakeBack: taken_back,
    AcceptOffer: accepted,
    DeclineOffer: declined,
    ReleaseAssignment: released,
    ReaderWentOffline: _offline,
    DeadlineReached: _expired,
}
