"""A case over several regions: a search for each part, one deadline, one truth, and none lost."""

from datetime import datetime
from typing import Any

import pytest

from services.matching.domain.contract import Contract, Contracts
from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import (
    Input,
    NobodyFits,
    OfferCase,
    OutdoOffer,
    ReaderWentOffline,
    SplitCase,
    TakeBack,
    TakeCase,
)
from services.matching.domain.policy import Better
from services.matching.domain.reader import Reader
from services.matching.domain.recall import held
from services.matching.domain.sheet import sheet
from services.matching.domain.state import (
    Assignment,
    Brief,
    Closed,
    Matching,
    Open,
    Paused,
    Split,
    assigned_in,
    brief_of,
    going,
    searches,
    under,
)
from services.matching.domain.told import Rules
from services.matching.domain.waiting import waiting
from shared.contracts import intake
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import (
    AssignmentOffered,
    AssignmentReleased,
    AssignmentRevoked,
    CaseSplit,
    NoEligibleReader,
    OfferWithdrawn,
    StageCompleted,
)
from shared.contracts.reporting import AdjudicationRequested, OpinionLocked
from shared.decider import Decider
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    EXPLANATION,
    NOON,
    SHA,
    accepted,
    asked,
    at,
    back,
    cancelled,
    deidentified,
    finalized,
    hurried,
    offer,
    provided,
    reader,
    requested,
    yes,
)

Case = Spec[Matching, Input, Event]
HAND = reader("dr-hand", body_regions=("HAND", "WRIST"))
CHEST = reader("dr-chest", body_regions=("CHEST",), subspecialties=("chest",), modalities=("CT",))
OTHER = reader("dr-other", body_regions=("CHEST",), subspecialties=("chest",), modalities=("CT",))
EVERY = reader("dr-every", subspecialties=("musculoskeletal",), modalities=("CT", "DX"))
SPLIT = SplitCase(case_id=CASE, parts=(("HAND",), ("CHEST",)))


def study(name: str, region: str, modality: str) -> intake.RawStudy:
    return intake.RawStudy(
        study=name, modality=modality, body_region=region, instance_count=1, manifests=()
    )


STUDIES = (study("a", "HAND", "DX"), study("b", "CHEST", "CT"))


def arrives(**changes: Any) -> intake.CaseAccepted:
    return accepted(studies=STUDIES, modalities=("CT", "DX"), **changes)


def opened(rules: Rules = Rules(), **changes: Any) -> Case:  # noqa: B008 - frozen
    contract = Contract(partner="st-elsewhere", levels={}, rules=rules)
    initial = Matching(contracts=Contracts(by_partner={"st-elsewhere": contract}))
    decider = Decider(initial, MATCHING.decide, MATCHING.evolve, MATCHING.deadlines)
    return given(decider).then(arrives(**changes)).then(deidentified())


def parted() -> Case:
    return opened().then(SPLIT)


def part(name: str, who: Reader, **how: Any) -> OfferCase:
    return offer(who, part=name, **how)


def its(case: Case, who: Reader) -> str:
    """Give the newest assignment of a reader."""
    return [one.assignment for one in asked(case.state) if one.reader == who.id][-1]


def taken(case: Case, name: str, who: Reader, now: datetime = NOON) -> Case:
    case = case.then(part(name, who), now)
    return case.then(yes(its(case, who), who), now)


def read_by_both() -> Case:
    return taken(taken(parted(), "HAND", HAND), "CHEST", CHEST)


def locked(case: Case, who: Reader) -> OpinionLocked:
    return OpinionLocked(
        case_id=CASE, assignment=its(case, who), reader=who.id, at=NOON, claims=1, sha256=SHA
    )


def where(case: Case) -> Split:
    found = under(case.state.assignment)
    assert isinstance(found, Split)
    return found


def kinds(case: Case) -> list[str]:
    return [one.kind for one in searches(where(case))]


def briefs(assignment: Assignment) -> list[tuple[str, Brief]]:
    """Give each search's kind and brief."""
    each = [(one.kind, brief_of(one)) for one in searches(under(assignment))]
    return [(kind, brief) for kind, brief in each if brief is not None]


def stage(case: Case) -> str:
    clock = going(case.state.clock)
    assert clock is not None
    return clock.stage


def test_each_part_is_searched_for_by_itself_under_one_deadline() -> None:
    before, case = opened(), parted()

    step_event, _why = before.when(SPLIT).events
    assert isinstance(step_event, CaseSplit)
    assert step_event.why == "nobody_reads_all"
    each = waiting(case.state.assignment, at(hours=96))
    assert [(one.need.part, one.need.modalities) for one in each] == [
        ("HAND", ("DX",)),
        ("CHEST", ("CT",)),
    ]
    assert case.state.clock == before.state.clock
    assert len(sheet(case.state).openings) == 2


def test_an_offer_says_which_regions_and_the_role() -> None:
    made = parted().when(part("CHEST", CHEST)).events[0]

    assert isinstance(made, AssignmentOffered)
    assert (made.role, made.regions) == ("region_reader", ("CHEST",))
    case = parted().then(part("CHEST", CHEST)).then(part("HAND", HAND))
    assert len({one.assignment for one in asked(case.state)}) == 2
    assert kinds(case) == ["offered", "offered"]


def test_who_does_not_read_the_part_is_refused_for_it() -> None:
    assert parted().when(part("HAND", CHEST)).refused is not None
    assert parted().when(offer(EVERY)).refused is not None  # planned before the case was split
    assert opened().when(part("HAND", HAND)).refused is not None


def test_matching_ends_with_the_last_acceptance_and_reading_goes_on_until_the_signature() -> None:
    first = taken(parted(), "HAND", HAND)
    assert stage(first) == "match"
    offered = first.then(part("CHEST", CHEST))
    step = offered.when(yes(its(offered, CHEST), CHEST), at(minutes=30))

    [done] = [one for one in step.events if isinstance(one, StageCompleted)]
    assert done.stage == "match"
    both = read_by_both()
    assert stage(both.then(locked(both, HAND))) == "read"


def test_nobody_reads_two_parts() -> None:
    both = reader("dr-both", body_regions=("HAND", "CHEST"), modalities=("CT", "DX"),
                  subspecialties=("chest", "musculoskeletal"))  # fmt: skip
    case = taken(parted(), "HAND", both)

    assert case.when(part("CHEST", both)).refused is not None
    ended = case.then(back(its(case, both), "dr-both"))
    assert ended.when(part("CHEST", both)).refused is None


def test_who_has_read_their_part_is_done_and_the_last_one_signs() -> None:
    case = read_by_both()
    first = case.then(locked(case, HAND))
    assert kinds(first) == ["closed", "assigned"]
    assert [one.reader for one in held(first.state.assignment)] == ["dr-chest"]

    last = first.then(locked(first, CHEST))

    assert kinds(last) == ["closed", "assigned"]
    signed = last.when(finalized(at(hours=1), its(last, CHEST)), at(hours=1))
    assert not [one for one in signed.events if isinstance(one, AssignmentRevoked)]
    closed = signed.state.assignment
    assert isinstance(closed, Closed)
    assert {(one.reader, one.standing) for one in closed.brief.asked} == {
        ("dr-hand", "done"),
        ("dr-chest", "done"),
    }
    assert sorted(one.regions for one in closed.brief.asked) == [("CHEST",), ("HAND",)]


def test_a_locked_opinion_twice_is_noted_once() -> None:
    case = read_by_both()
    lock = locked(case, HAND)
    assert case.then(lock).when(lock).events == ()


def test_a_part_that_comes_back_is_searched_for_again_and_the_stage_with_it() -> None:
    case = read_by_both()

    step = case.when(back(its(case, HAND), "dr-hand"), at(hours=1))

    assert [type(one) for one in step.events[:1]] == [AssignmentReleased]
    gone = Spec(case.decider, step.state)
    assert kinds(gone) == ["open", "assigned"]
    assert stage(gone) == "match"
    before, after = going(case.state.clock), going(gone.state.clock)
    assert before is not None
    assert after is not None
    assert after.due_at == before.due_at


def test_who_asks_for_the_next_case_gets_a_part() -> None:
    take = TakeCase(case_id=CASE, reader=CHEST, load=0, explanation=EXPLANATION, part="CHEST")

    case = parted().then(take)

    [mine] = assigned_in(case.state.assignment)
    assert (mine.reader, kinds(case)) == ("dr-chest", ["open", "assigned"])


def test_nobody_for_one_part_says_which() -> None:
    why = NobodyFits(case_id=CASE, why=EXPLANATION.excluded, part="CHEST")
    case = taken(parted(), "HAND", HAND)

    [said] = case.when(why).events

    assert isinstance(said, NoEligibleReader)
    assert said.regions == ("CHEST",)
    assert kinds(case.then(why)) == ["assigned", "unfillable"]


def test_a_better_reader_of_the_part_may_turn_up() -> None:
    case = parted().then(part("CHEST", OTHER))
    rival = OutdoOffer(
        **dict(part("CHEST", CHEST)), instead_of=its(case, OTHER), gain=0.5, limits=Better()
    )

    withdrawn, made = case.when(rival).events

    assert isinstance(withdrawn, OfferWithdrawn)
    assert isinstance(made, AssignmentOffered)
    assert made.regions == ("CHEST",)


def test_another_level_a_pause_and_the_end_reach_every_part() -> None:
    case = parted().then(part("HAND", HAND)).then(part("CHEST", CHEST))

    faster = case.when(hurried("emergent"))
    assert sum(isinstance(one, OfferWithdrawn) for one in faster.events) == 2
    urgent = [brief.need.service_level for _, brief in briefs(faster.state.assignment)]
    assert urgent == ["emergent", "emergent"]
    paused = case.then(requested())
    assert isinstance(paused.state.assignment, Paused)
    assert kinds(paused) == ["open", "open"]
    assert waiting(paused.state.assignment, at(hours=1)) == ()
    again = paused.then(provided())
    assert isinstance(again.state.assignment, Split)
    ended = read_by_both().when(cancelled())
    assert sum(isinstance(one, AssignmentRevoked) for one in ended.events) == 2
    assert ended.state.assignment.kind == "closed"


def test_offers_of_every_part_have_a_deadline_and_expire() -> None:
    case = parted().then(part("HAND", HAND)).then(part("CHEST", CHEST))
    due = [one for one in MATCHING.deadlines(case.state) if one.kind.startswith("offer:")]

    assert len(due) == 2
    late = at(hours=2)
    gone = case.then(DeadlineReached(case_id=CASE, kind="offer:", due_at=late), late)
    assert kinds(gone) == ["open", "open"]


def test_a_licence_that_ends_takes_one_part_only() -> None:
    gone = ReaderWentOffline(case_id=CASE, reader="dr-hand", reason="licence")

    assert kinds(read_by_both().then(gone)) == ["open", "assigned"]


def test_an_operator_takes_back_all_parts_or_one_and_names_the_region_for_another_reader() -> None:
    case = read_by_both()
    order = TakeBack(case_id=CASE, by="op", reason="reassigned")

    assert kinds(case.then(order)) == ["open", "open"]
    one = order.model_copy(update={"region": "CHEST"})
    assert kinds(case.then(one)) == ["assigned", "open"]
    to_other = one.model_copy(update={"to": OTHER})
    assert kinds(case.then(to_other)) == ["assigned", "offered"]
    unsaid = order.model_copy(update={"to": OTHER})
    refused = case.when(unsaid).refused
    assert refused is not None
    assert (refused.code, refused.field) == ("region_missing", "/region")


def test_late_images_of_another_region_are_a_part_more() -> None:
    case = read_by_both()
    case = case.then(locked(case, HAND)).then(locked(case, CHEST))
    late = intake.CaseSupplemented(
        case_id=CASE, partner="st-elsewhere", studies=(study("c", "KNEE", "MR"),)
    )

    step = case.when(late, at(hours=1))

    [split] = [one for one in step.events if isinstance(one, CaseSplit)]
    assert (len(split.parts), split.why) == (3, "late_images")
    more = Spec(case.decider, step.state)
    assert kinds(more) == ["closed", "closed", "open"]  # who read their part need not sign now
    assert stage(more) == "match"


def test_a_third_reader_decides_over_all_of_it_and_is_none_of_the_first_or_their_group() -> None:
    case = read_by_both()
    case = case.then(locked(case, HAND)).then(locked(case, CHEST))
    ask = AdjudicationRequested(
        case_id=CASE,
        partner="st-elsewhere",
        assignment=its(case, CHEST),
        reader="dr-chest",
        why="uncertain",
        at=NOON,
    )

    whole = case.then(ask)

    assert isinstance(whole.state.assignment, Open)
    brief = whole.state.assignment.brief
    assert (brief.role, brief.need.part) == ("adjudicator", None)
    assert {one.reader for one in brief.earlier} == {"dr-hand", "dr-chest"}
    assert whole.when(offer(EVERY)).refused is not None  # of their group
    assert whole.when(offer(EVERY.model_copy(update={"groups": ()}))).refused is None


@pytest.mark.parametrize(
    ("rules", "kind"), [(Rules(split="always"), "split"), (Rules(split="never"), "open")]
)
def test_the_contract_may_say_so_from_the_start_or_never(rules: Rules, kind: str) -> None:
    case = opened(rules)

    assert case.state.assignment.kind == kind
    assert case.then(SPLIT).state.assignment.kind == kind
