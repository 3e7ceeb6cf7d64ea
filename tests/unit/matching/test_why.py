"""Why this reader: what was kept leads to the same result, and what would help is said."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.decide import MATCHING
from services.matching.domain.eligibility import CONSTRAINTS, Question, Work
from services.matching.domain.events import Decided
from services.matching.domain.inputs import NobodyFits, OfferCase
from services.matching.domain.need import Need
from services.matching.domain.plan import Round
from services.matching.domain.reader import Caps, Reader
from services.matching.domain.recall import Held, recalls
from services.matching.domain.replay import replay
from services.matching.domain.waiting import Waiting
from services.matching.domain.why import REMEDIES, Decision, advise, consider
from shared.contracts.matching import AssignmentOffered
from shared.testing.spec import given as given_case
from tests.unit.matching.cases import CASE, NOON, accepted, at, deidentified, reader
from tests.unit.matching.test_plan import LOADS, SOME_CASES, SOME_READERS, need, waits
from tests.unit.matching.test_rules import NEEDS, READERS, WORK


def roster(*readers: Reader) -> dict[str, Reader]:
    return {one.id: one for one in readers}


def decision(proposal: Any) -> Decision:
    if isinstance(proposal, OfferCase):
        assert proposal.considered is not None
        return Decision(
            considered=proposal.considered.written(),
            reader=proposal.reader.id,
            explanation=proposal.explanation,
        )
    assert isinstance(proposal, NobodyFits)
    assert proposal.considered is not None
    return Decision(considered=proposal.considered.written(), why=proposal.why)


@settings(max_examples=150, deadline=None)
@given(SOME_CASES, SOME_READERS, LOADS)
def test_every_decision_of_a_round_replays_to_the_same_result(
    cases: list[Waiting], readers: list[Reader], loads: dict[str, int]
) -> None:
    known = roster(*readers)

    for one in Round(known, dict(loads), NOON).plan(cases):
        kept = Decision.model_validate_json(decision(one).model_dump_json())
        assert replay(kept, known).differs == ()


@settings(max_examples=200, deadline=None)
@given(st.lists(READERS, max_size=3, unique_by=lambda one: one.id), NEEDS, WORK, st.booleans())
def test_so_do_those_over_every_rule(
    readers: list[Reader], case: Need, work: Work, away: bool
) -> None:
    known = roster(*readers)
    gone = frozenset({"dr-a"}) if away else frozenset()

    this = Round(known, {}, NOON, work=dict.fromkeys(known, work), away=gone)

    for one in this.plan([waits(need=case)]):
        assert replay(decision(one), known).differs == ()


def test_a_replay_names_what_is_not_as_it_was() -> None:
    [offer] = Round(roster(reader()), {}, NOON).plan([waits()])
    kept = decision(offer)
    assert kept.considered is not None
    tampered = kept.considered.model_copy(update={"policy": "another"})

    off = replay(kept, roster(reader(shifts=())))
    other = replay(kept, roster(reader(subspecialties=("chest", "musculoskeletal"))))
    policy = replay(kept.model_copy(update={"considered": tampered}), roster(reader()))

    assert off.differs == ("reader", "excluded")
    assert [(name, by.name) for name, by in off.rejected] == [("dr-osei", "on_shift")]
    assert other.differs == ("scores",)
    assert policy.differs == ("policy", "explanation")


def test_the_decision_is_kept_with_the_offer_and_the_losers_are_named() -> None:
    case = given_case(MATCHING).then(accepted()).then(deidentified())
    readers = roster(reader(), reader("dr-a", licences=()), reader("dr-b"))
    [offer] = Round(readers, {}, NOON).plan([waits(need=need(7))])

    step = case.when(offer, NOON)

    [offered] = [one for one in step.events if isinstance(one, AssignmentOffered)]
    [kept] = [one.decision for one in step.events if isinstance(one, Decided)]
    assert (kept.reader, kept.assignment) == (offered.reader, offered.assignment)
    assert kept.considered is not None
    assert {one.reader for one in kept.considered.candidates} == {"dr-osei", "dr-b"}
    rejected = replay(kept, readers).rejected
    assert [(name, by.name) for name, by in rejected] == [("dr-a", "licence")]


def test_a_refused_proposal_keeps_no_decision() -> None:
    case = given_case(MATCHING).then(accepted())
    [offer] = Round(roster(reader()), {}, NOON).plan([waits(need=need(7))])
    assert offer.case_id == CASE

    step = case.when(offer, NOON)

    assert step.refused is not None
    assert step.events == ()


@pytest.mark.parametrize(
    ("changes", "constraint", "remedy"),
    [
        ({"licences": ()}, "licence", "renew"),
        ({"licences": (), "shifts": ()}, "licence", "renew"),
        ({"shifts": ()}, "on_shift", "wait"),
        ({"capacity": 0}, "capacity", "relax"),
        ({"groups": ("valley",)}, "first_group", "recruit"),
        ({"subspecialties": ("chest",)}, "subspecialty", "relax"),
        ({"active": False}, "on_roster", "renew"),
    ],
)
def test_nobody_fits_says_what_would_help(
    changes: dict[str, Any], constraint: str, remedy: str
) -> None:
    readers = roster(reader(**changes), reader("dr-z", licences=(), modalities=("US",)))
    [nobody] = Round(readers, {}, NOON).plan([waits()])

    considered = decision(nobody).considered
    assert considered is not None

    [advice] = advise(considered, readers)

    assert (advice.constraint, advice.remedy) == (constraint, remedy)
    assert advice.readers == ("dr-osei",)


def test_every_constraint_has_a_remedy() -> None:
    assert REMEDIES.keys() == {one.name for one in CONSTRAINTS}


def test_only_the_busy_are_kept_beside_the_roster() -> None:
    question = Question(need(), frozenset(), NOON)
    [offer] = Round(roster(reader(), reader("dr-b")), {"dr-b": 2}, NOON).plan([waits()])
    assert isinstance(offer, OfferCase)
    assert offer.considered is not None

    assert [one.reader for one in offer.considered.written().near] == ["dr-b"]
    assert consider(question, (), (), "").candidates == ()


@pytest.mark.parametrize(
    ("lease", "silent", "reason"),
    [
        (None, timedelta(hours=9), None),
        (timedelta(minutes=5), timedelta(minutes=4), None),
        (timedelta(minutes=5), timedelta(minutes=6), "silent"),
        (timedelta(minutes=5), None, None),
    ],
)
def test_a_leased_case_is_taken_back_from_who_falls_silent(
    lease: timedelta | None, silent: timedelta | None, reason: str | None
) -> None:
    held = Held(need(), "dr-osei", accepted=True, lease=lease)
    offered = Held(need(), "dr-osei", accepted=False, lease=lease)
    away = {} if silent is None else {"dr-osei": silent}

    found = [one.reason for one in recalls([held], roster(reader()), NOON, away)]
    offers = [one.reason for one in recalls([offered], roster(reader()), NOON, away)]

    assert found == ([reason] if reason else [])
    assert offers == (["available"] if silent else [])


def test_work_done_in_the_shift_keeps_a_round_from_asking() -> None:
    tired = reader(caps=Caps(cases=2))
    [nobody] = Round(roster(tired), {}, at(hours=1), work={"dr-osei": Work(cases=2)}).plan(
        [waits()]
    )

    assert isinstance(nobody, NobodyFits)
    assert [one.constraint for one in nobody.why] == ["fatigue_cases"]
