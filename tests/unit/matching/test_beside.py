"""Software reads beside: by every rule, never alone, and the search goes on as if it were not."""

import pytest

from services.matching.domain.beside import wanted
from services.matching.domain.contract import Contract, Contracts
from services.matching.domain.decide import MATCHING
from services.matching.domain.events import BesideRead, Decided
from services.matching.domain.inputs import Input, ReadBeside
from services.matching.domain.reader import Reader
from services.matching.domain.recall import held, recalls
from services.matching.domain.state import Assigned, Matching, Offered, Open, Running, brief_of
from services.matching.domain.told import Rules
from shared.contracts.base import Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentOffered,
    AssignmentReleased,
    AssignmentRevoked,
)
from shared.contracts.reporting import AiOpinionRecorded
from shared.decider import Decider
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    SHA,
    accepted,
    asked,
    at,
    back,
    cancelled,
    deidentified,
    finalized,
    last,
    no,
    offer,
    reader,
    yes,
)
from tests.unit.matching.test_plan import need, waits

Case = Spec[Matching, Input, Event]
SOFTWARE = reader("ai-bone", kind="ai", groups=())
WANTED = Rules(ai_readers=True)


def opened(rules: Rules = WANTED) -> Case:
    contract = Contract(partner="st-elsewhere", levels={}, rules=rules)
    initial = Matching(contracts=Contracts(by_partner={"st-elsewhere": contract}))
    decider = Decider(initial, MATCHING.decide, MATCHING.evolve, MATCHING.deadlines)
    return given(decider).then(accepted()).then(deidentified())


def beside(who: Reader = SOFTWARE) -> ReadBeside:
    return ReadBeside(case_id=CASE, reader=who, load=0)


def its(case: Case) -> str:
    brief = brief_of(case.state.assignment)
    assert brief is not None
    return brief.beside[-1].assignment


def standing(case: Case) -> list[str]:
    brief = brief_of(case.state.assignment)
    return [one.standing for one in brief.beside] if brief else []


def test_it_has_the_case_at_once_and_the_search_goes_on() -> None:
    step = opened().when(beside())

    offered, has, _why = step.events
    assert isinstance(offered, AssignmentOffered)
    assert isinstance(has, AssignmentAccepted)
    assert (has.role, has.reader) == ("ai_reader", "ai-bone")
    assert isinstance(step.state.assignment, Open)
    assert isinstance(step.state.clock, Running)
    assert step.state.clock.stage == "match"


def test_a_radiologist_is_asked_has_it_and_signs_while_it_reads() -> None:
    case = opened().then(beside()).then(offer())
    assert isinstance(case.state.assignment, Offered)
    case = case.then(yes(last(case.state)))
    assert isinstance(case.state.assignment, Assigned)
    assert case.state.assignment.reader == "dr-osei"

    done = case.then(finalized(at(hours=1), last(case.state)), at(hours=1))

    assert done.state.assignment.kind == "closed"
    assert standing(done) == ["done"]


def test_it_may_come_after_the_radiologist() -> None:
    case = opened().then(offer())
    case = case.then(yes(last(case.state))).then(beside())

    assert isinstance(case.state.assignment, Assigned)
    assert standing(case) == ["assigned"]


def test_who_it_was_given_to_once_is_not_given_it_again() -> None:
    case = opened().then(beside())

    assert case.when(beside()).refused is not None
    given_back = case.then(back(its(case), "ai-bone"))
    assert standing(given_back) == ["released"]
    assert given_back.when(beside()).refused is not None


def test_what_it_gives_back_takes_the_case_from_nobody() -> None:
    case = opened().then(beside()).then(offer())
    case = case.then(yes(last(case.state)))

    step = case.when(back(its(case), "ai-bone"), at(hours=1))

    assert [type(one) for one in step.events] == [AssignmentReleased]
    assert isinstance(step.state.assignment, Assigned)
    assert isinstance(step.state.clock, Running)
    assert step.state.clock.stage == "read"
    refused = case.when(no(its(case), "ai-bone")).refused
    assert refused is not None
    assert refused.code == "already_accepted"


@pytest.mark.parametrize(
    "who",
    [
        reader("dr-lund"),
        reader("ai-off", kind="ai", shifts=()),
        reader("ai-ct", kind="ai", modalities=("CT",)),
        reader("ai-elsewhere", kind="ai", licences=()),
        reader("ai-first", kind="ai", identifiers=("npi:1111",)),
    ],
    ids=["a radiologist", "switched off", "another modality", "not cleared there", "first reader"],
)
def test_every_rule_holds_for_it(who: Reader) -> None:
    assert opened().when(beside(who)).refused is not None


def test_it_is_never_the_only_reader() -> None:
    case = opened().then(beside())

    assert case.when(offer(SOFTWARE)).refused is not None
    assert isinstance(case.state.assignment, Open)


def test_only_where_the_contract_wants_it() -> None:
    assert opened(Rules()).when(beside()).refused is not None


def test_a_cancelled_case_ends_for_it_too() -> None:
    case = opened().then(beside()).then(cancelled())

    assert standing(case) == ["done"]
    assert case.when(beside()).refused is not None


def opinion_of(case: Case) -> AiOpinionRecorded:
    return AiOpinionRecorded(
        case_id=CASE,
        partner="st-elsewhere",
        assignment=its(case),
        reader="ai-bone",
        software="bone-net",
        software_version="2.4.1",
        at=at(),
        claims=1,
        sha256=SHA,
    )


def test_who_has_given_an_opinion_is_done_and_nothing_else_changes() -> None:
    case = opened().then(offer()).then(beside())
    case = case.then(yes(asked(case.state)[0].assignment))

    step = case.when(opinion_of(case), at(hours=1))

    assert [type(one) for one in step.events] == [BesideRead]
    assert isinstance(step.state.assignment, Assigned)
    assert step.state.clock == case.state.clock
    after = Spec(case.decider, step.state)
    assert standing(after) == ["done"]
    assert after.when(opinion_of(case), at(hours=1)).events == ()
    assert after.when(beside()).refused is not None


def test_its_opinion_alone_ends_no_search() -> None:
    case = opened().then(beside())
    ended = case.then(opinion_of(case))

    assert isinstance(ended.state.assignment, Open)
    assert isinstance(ended.then(offer()).state.assignment, Offered)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({}, None), ({"active": False}, "on_roster"), ({"licences": ()}, "licence")],
    ids=["still good", "switched off", "no longer cleared"],
)
def test_what_software_may_not_read_any_more_is_taken_from_it_alone(
    changes: dict[str, object], reason: str | None
) -> None:
    case = opened().then(beside()).then(offer())
    case = case.then(yes(asked(case.state)[0].assignment))
    roster = {one.id: one for one in (reader(), SOFTWARE.model_copy(update=changes))}

    lost = list(recalls(list(held(case.state.assignment)), roster, at()))

    assert [(one.reader, one.reason) for one in lost] == ([("ai-bone", reason)] if reason else [])
    for one in lost:
        step = case.when(one, at())
        assert [type(each) for each in step.events] == [AssignmentRevoked, Decided]
        assert isinstance(step.state.assignment, Assigned)
        assert step.state.clock == case.state.clock
        assert standing(Spec(case.decider, step.state)) == ["revoked"]


def test_all_software_with_room_is_proposed_once_for_what_the_contract_lets_it_read() -> None:
    roster = {one.id: one for one in (reader(), SOFTWARE, reader("ai-full", kind="ai"))}
    case = need().model_copy(update={"rules": WANTED})
    cases = [waits(need=case), waits(need=case, beside=frozenset({"ai-bone"})), waits()]

    found = list(wanted(cases, roster, {"ai-full": 5}))

    assert [one.reader.id for one in found] == ["ai-bone"]
