"""A split case: each reads their regions blind, the last one joins, compares and signs for all."""

from typing import Any

import pytest

from services.reporting.domain.access import held
from services.reporting.domain.canonical import sha256
from services.reporting.domain.compare import Comparison, Pairing
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.inputs import CompareClaims, FinalizeReport, RequestAdjudication
from services.reporting.domain.regional import joined
from services.reporting.domain.signing import report_document
from services.reporting.domain.state import (
    Assigned,
    Comparing,
    Final,
    Held,
    Locked,
    Split,
    State,
    Unknown,
    Withdrawn,
)
from services.reporting.domain.view import view
from shared.contracts.base import Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentReleased,
    AssignmentRevoked,
    CaseSplit,
    RegionPart,
)
from shared.contracts.report import Opinion, ReportDocument
from shared.contracts.reporting import (
    AdjudicationRequested,
    ReportFinalized,
)
from shared.testing.spec import NOON, Spec
from tests.unit.reporting.cases import (
    CASE,
    OTHER,
    READER,
    STUDY,
    accepted,
    assigned,
    claim,
    deidentified,
    draft,
    lock,
    no_fracture,
    opinion,
    ref,
    reveal,
    start,
    stored,
)
from tests.unit.reporting.stages import CANCELLED, after, names, refusal

Case = Spec[State, Any, Event]
CHEST = STUDY.model_copy(
    update={"study": "study-2", "body_region": "CHEST", "laterality": "U", "manifest": ref("two")}
)
SPLIT = CaseSplit(
    case_id=CASE,
    partner="st-elsewhere",
    parts=(RegionPart(regions=("HAND",)), RegionPart(regions=("CHEST",))),
    why="nobody_reads_all",
)
THIRD = "dr-late"
NODULE = claim("s-1", finding="nodule", anatomic_site="right upper lobe", laterality="U", text="")
LUNG = opinion(NODULE, impression="Nodule in the lung.", technique="CT of the chest.")


def region(reader: str, name: str, *regions: str) -> AssignmentAccepted:
    role = {"role": "region_reader", "regions": regions}
    return assigned(reader, name).model_copy(update=role)


def arrived() -> Case:
    both = deidentified(studies=(STUDY, CHEST))
    parts = (region(READER, "a-1", "HAND"), region(OTHER, "a-2", "CHEST"))
    return after(accepted(), both, SPLIT, *parts)


def reads(case: Case, who: str, written: Opinion | None = None) -> Case:
    return case.then(start(who)).then(draft(written, reader=who)).then(lock(who))


def whole() -> Case:
    return reads(reads(arrived(), READER), OTHER, LUNG)


def comparison() -> Comparison:
    return Comparison(
        first_claims=(no_fracture(),),
        pairs=(
            Pairing(first="f-1", second="1:s-1", clinically_important=True),
            Pairing(second="2:s-1", clinically_important=True),
        ),
    )


def compare(revision: int, who: str = OTHER) -> CompareClaims:
    return CompareClaims(case_id=CASE, reader=who, revision=revision, comparison=comparison())


def compared() -> Case:
    return whole().then(reveal(OTHER)).then(compare(1))


def signing(state: State) -> FinalizeReport:
    assert isinstance(state, Comparing)
    document = report_document(CASE, state, NOON)
    assert isinstance(document, ReportDocument), document
    return FinalizeReport(
        case_id=CASE,
        reader=state.assignment.reader,
        report=stored(sha256(document)),
        signed_at=NOON,
    )


def mine(case: Case, who: str) -> Held:
    found = held(case.state, who)
    assert isinstance(found, Held), found
    return found


def test_each_reads_their_part_and_sees_nobody_elses() -> None:
    case = reads(arrived(), READER)

    assert isinstance(case.state, Split)
    hand, lung = view(CASE, mine(case, READER)), view(CASE, mine(case, OTHER))
    assert (hand.state, hand.assignment.regions) == ("locked", ("HAND",))
    assert (lung.state, lung.opinion, lung.regional) == ("assigned", None, ())
    assert hand.regional == ()
    assert refusal(case, reveal(READER)) == "not_the_last"
    assert refusal(case, reveal(OTHER)) == "not_locked"
    assert refusal(case, start(THIRD)) == "not_found"


def test_the_last_one_has_all_opinions_joined_with_their_claims_told_apart() -> None:
    case = whole()

    assert isinstance(case.state, Locked)
    assert case.state.assignment.reader == OTHER
    found = case.state.sealed.opinion
    assert [one.id for one in found.claims] == ["1:s-1", "2:s-1"]
    assert found.impression.startswith("HAND: Fracture of the left fifth metacarpal.\n\nCHEST: ")
    assert case.state.sealed.sha256 == sha256(found)
    assert {one.study for one in case.state.sealed.studies} == {"study-1", "study-2"}
    shown = view(CASE, mine(case, OTHER))
    assert [one.reader for one in shown.regional] == [READER, OTHER]
    assert view(CASE, mine(case, READER)).regional == ()


def test_one_report_contains_all_regions_and_is_signed_once() -> None:
    ready = compared()

    step = ready.when(signing(ready.state))

    assert names(step.events) == ["ReportFinalized"]
    [signed] = step.events
    assert isinstance(signed, ReportFinalized)
    assert (signed.signer, signed.assignment) == (OTHER, "a-2")
    assert {one.claim for one in signed.outcomes} == {"f-1", "1:s-1", "2:s-1"}
    assert isinstance(ready.state, Comparing)
    document = report_document(CASE, ready.state, NOON)
    assert isinstance(document, ReportDocument)
    assert [one.regions for one in document.regional] == [("HAND",), ("CHEST",)]
    assert [sha256(one.opinion) for one in document.regional] == [
        one.opinion_sha256 for one in document.regional
    ]
    assert document.late_studies == ()
    done = Spec(REPORTING, step.state)
    assert isinstance(mine(done, READER), Locked)  # they still see what they said
    assert refusal(done, signing_again(ready.state)) == "not_revealed"


def signing_again(state: State) -> FinalizeReport:
    return signing(state).model_copy(update={"reader": READER})


def test_the_case_is_blind_only_if_everybody_was() -> None:
    seen = AssignmentReleased(case_id=CASE, assignment="a-2", reader=OTHER, reason="other")
    again = region(OTHER, "a-3", "CHEST")
    case = whole().then(reveal(OTHER)).then(seen).then(again)
    case = reads(case, OTHER, LUNG).then(reveal(OTHER)).then(compare(1))

    assert isinstance(case.state, Comparing)
    document = report_document(CASE, case.state, NOON)
    assert isinstance(document, ReportDocument)
    assert document.blind is False


def test_a_part_that_comes_back_is_read_by_another_and_the_rest_stays() -> None:
    ended = AssignmentRevoked(case_id=CASE, assignment="a-2", reader=OTHER, reason="licence")
    case = whole().then(ended)

    assert isinstance(case.state, Split)
    assert [one.assignment.reader for one in case.state.material.regional] == [READER]
    assert case.state.material.set_aside[-1].sealed is not None
    assert refusal(case, reveal(OTHER)) == "assignment_ended"
    again = reads(case.then(region(THIRD, "a-3", "CHEST")), THIRD, LUNG)
    assert isinstance(again.state, Locked)
    assert again.state.assignment.reader == THIRD


def test_who_locked_early_may_lose_the_part_too() -> None:
    ended = AssignmentRevoked(case_id=CASE, assignment="a-1", reader=READER, reason="late")
    case = whole().then(reveal(OTHER)).then(ended)

    assert isinstance(case.state, Split)
    again = reads(case.then(region(THIRD, "a-3", "HAND")), THIRD)
    assert isinstance(again.state, Locked)
    assert again.state.assignment.reader == THIRD
    assert refusal(again, reveal(OTHER)) == "not_the_last"


def test_late_images_of_another_region_give_the_signature_to_whoever_reads_them() -> None:
    knee = RegionPart(regions=("KNEE",))
    more = SPLIT.model_copy(update={"parts": (*SPLIT.parts, knee), "why": "late_images"})
    case = compared().then(more)

    assert isinstance(case.state, Split)
    last = reads(case.then(region(THIRD, "a-3", "KNEE")), THIRD)
    assert isinstance(last.state, Locked)
    assert [one.id for one in last.state.sealed.opinion.claims] == ["1:s-1", "2:s-1", "3:s-1"]


def test_a_signed_report_stays_signed_whatever_matching_says_later() -> None:
    ready = compared()
    signed = ready.then(signing(ready.state))
    more = SPLIT.model_copy(update={"parts": (*SPLIT.parts, RegionPart(regions=("KNEE",)))})

    assert isinstance(signed.state, Final)
    for late in (more, region(THIRD, "a-3", "KNEE"), CANCELLED):
        assert signed.when(late).events == ()


def test_a_cancelled_case_keeps_what_everybody_wrote() -> None:
    case = reads(arrived(), READER).then(start(OTHER)).then(draft(LUNG, reader=OTHER))
    ended = case.then(CANCELLED)

    assert isinstance(ended.state, Withdrawn)
    kept = [(k.assignment.reader, k.draft or k.sealed) for k in ended.state.material.set_aside]
    assert {who for who, wrote in kept if wrote is not None} == {READER, OTHER}
    assert refusal(ended, reveal(READER)) == "case_withdrawn"


def test_a_third_reader_reads_all_of_it_from_the_beginning() -> None:
    ask = RequestAdjudication(case_id=CASE, reader=OTHER, why="uncertain")
    step = compared().when(ask)

    assert isinstance(step.events[0], AdjudicationRequested)
    assert isinstance(step.state, Unknown)
    assert step.state.material.parts == ()
    adjudicates = assigned("dr-third", "a-9").model_copy(update={"role": "adjudicator"})
    third = Spec(REPORTING, step.state).then(adjudicates)
    assert isinstance(third.state, Assigned)
    assert len(third.state.material.set_aside) == 2


def test_the_second_round_is_the_last_however_it_is_read() -> None:
    ask = RequestAdjudication(case_id=CASE, reader=OTHER, why="uncertain")
    case = compared().then(ask).then(SPLIT)
    case = case.then(region("dr-c", "a-8", "HAND")).then(region("dr-d", "a-9", "CHEST"))
    case = reads(reads(case, "dr-c"), "dr-d", LUNG).then(reveal("dr-d"))

    again = ask.model_copy(update={"reader": "dr-d"})
    assert refusal(case, again) == "adjudicator_decides"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (opinion(impression="x" * 2_301), "too_long_for_a_part"),
        (opinion(*(claim(f"s-{n}") for n in range(26))), "too_many_for_a_part"),
        (opinion(claim("s" * 61)), "too_long_for_a_part"),
    ],
)
def test_a_part_leaves_room_for_the_others(written: Opinion, code: str) -> None:
    case = arrived().then(start()).then(draft(written))

    assert refusal(case, lock()) == code
    assert code in [one.code for one in view(CASE, mine(case, READER)).lint]


def test_as_many_full_parts_as_there_may_be_make_one_opinion() -> None:
    parts = tuple(RegionPart(regions=(f"REGION_{n}", f"REGION_{n}B")) for n in range(8))
    case = after(accepted(), deidentified(), SPLIT.model_copy(update={"parts": parts}))
    each = [claim("s" * 59 + str(n % 10) if not n else f"s-{n}") for n in range(25)]
    full = opinion(*each, **dict.fromkeys(("technique", "comparison", "narrative"), "x" * 2_300))
    for n, part in enumerate(parts):
        case = case.then(region(f"dr-{n}", f"a-{n}", *part.regions))
    for n in range(8):
        case = reads(case, f"dr-{n}", full)

    assert isinstance(case.state, Locked)
    assert len(case.state.sealed.opinion.claims) == 200
    whole = case.state.sealed.opinion
    assert Opinion.model_validate_json(whole.model_dump_json()) == whole
    assert joined(case.state.material) == case.state.sealed


def test_images_of_which_no_part_can_be_read_are_inadequate_and_else_limited() -> None:
    nothing = Opinion(
        adequacy="inadequate", technique="x", comparison="x", impression="Not to be read."
    )
    one = reads(reads(arrived(), READER, nothing), OTHER, LUNG)
    none = reads(reads(arrived(), READER, nothing), OTHER, nothing)

    assert isinstance(one.state, Locked)
    assert isinstance(none.state, Locked)
    assert one.state.sealed.opinion.adequacy == "limited"
    assert none.state.sealed.opinion.adequacy == "inadequate"
