"""What holds whatever comes, however often and in whatever order."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.reporting.domain.canonical import canonical, sha256
from services.reporting.domain.compare import Comparison, Pairing, compare
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.inputs import AddAddendum, FinalizeReport
from services.reporting.domain.signing import addendum_document, report_document
from services.reporting.domain.state import Comparing, Signed, State
from services.reporting.domain.verdict import outcomes
from shared.contracts.base import Event
from shared.contracts.intake import CaseCancelled
from shared.contracts.matching import AssignmentClosed, AssignmentReleased
from shared.contracts.report import Claim, Opinion, ReportDocument
from shared.contracts.reporting import (
    ClaimsCompared,
    FirstReportRevealed,
    OpinionLocked,
    ReportFinalized,
)
from shared.decider import Refused
from shared.testing.spec import NOON
from tests.unit.reporting.cases import (
    CASE,
    OTHER,
    READER,
    accepted,
    assigned,
    claim,
    comparison,
    deidentified,
    draft,
    lock,
    opinion,
    reveal,
    start,
    stored,
)
from tests.unit.reporting.cases import compared as compare_input

STATES: TypeAdapter[State] = TypeAdapter(State)
PLAIN: list[Any] = [
    accepted(),
    deidentified(),
    deidentified(supplement=1, documents=()),
    assigned(),
    assigned(OTHER, "a-2"),
    AssignmentReleased(case_id=CASE, assignment="a-1", reader=READER, reason="busy"),
    AssignmentClosed(case_id=CASE, reason="read"),
    CaseCancelled(case_id=CASE, partner="st-elsewhere", by="integrator"),
    *(start(who) for who in (READER, OTHER)),
    *(draft(revision=n, reader=who) for n in (0, 1) for who in (READER, OTHER)),
    draft(opinion(impression="Fracture, left."), revision=1),
    draft(Opinion(), revision=1),
    *(lock(who) for who in (READER, OTHER)),
    *(reveal(who) for who in (READER, OTHER)),
    *(compare_input(revision=n) for n in (1, 2)),
    compare_input(Comparison(unreadable=True), revision=1),
]
# A run that gets far, so that the end of the story is met often; noise goes in between.
STORY: list[Any] = [
    accepted(), deidentified(), assigned(), start(), draft(), lock(), reveal(), compare_input(),
    "finalize", "addendum", "addendum",
]  # fmt: skip


def _mixed(inserted: list[tuple[int, Any]]) -> list[Any]:
    run = list(STORY)
    for position, received in inserted:
        run.insert(position, received)
    return run


noise = st.lists(st.sampled_from([*PLAIN, "finalize", "addendum", "stale"]), max_size=12)
runs = st.one_of(
    noise,
    st.just([*STORY[:8], "stale", *STORY[8:]]),
    st.lists(st.tuples(st.integers(0, 11), st.sampled_from(PLAIN)), max_size=3).map(_mixed),
)


def asked(state: State, wish: Any) -> Any:
    """Turn a wish into what the edge would submit in that state."""
    document: Any = None
    if wish == "finalize" and isinstance(state, Comparing):
        document = report_document(CASE, state, NOON)
    if wish == "addendum" and isinstance(state, Signed):
        document = addendum_document(CASE, state, "More.", (), NOON)
    broken = document is None or isinstance(document, Refused)
    at = stored("0" * 64 if broken else sha256(document))
    if wish == "addendum":
        return AddAddendum(
            case_id=CASE,
            reader=READER,
            text="More.",
            document=at,
            signed_at=NOON,
            request=UUID(at.sha256[:32]),
        )
    if wish in {"finalize", "stale"}:
        return FinalizeReport(case_id=CASE, reader=READER, report=at, signed_at=NOON)
    return wish


def played(run: list[Any]) -> list[tuple[State, tuple[Event, ...], State]]:
    state, steps = REPORTING.initial, []
    for number, wish in enumerate(run):
        step = REPORTING.step(state, asked(state, wish), NOON + timedelta(seconds=number))
        steps.append((state, step.events, step.state))
        state = step.state
    return steps


@given(runs)
def test_the_first_report_is_never_opened_before_the_opinion_is_locked(run: list[Any]) -> None:
    holding, sealed = None, False
    for before, events, after in played(run):
        for event in events:
            if isinstance(event, FirstReportRevealed):
                assert sealed
            sealed = sealed or isinstance(event, OpinionLocked)
        now_holding = getattr(after, "assignment", None)
        if now_holding != holding:
            holding, sealed = now_holding, False
        assert sealed == hasattr(after, "sealed"), (before, after)


@given(runs)
def test_a_locked_opinion_never_changes(run: list[Any]) -> None:
    for before, _, after in played(run):
        same = getattr(after, "assignment", None) == getattr(before, "assignment", "none")
        if same and hasattr(before, "sealed"):
            assert after.sealed == before.sealed  # type: ignore[union-attr]
            assert sha256(after.sealed.opinion) == after.sealed.sha256  # type: ignore[union-attr]


@given(runs)
def test_a_signed_report_never_changes_and_is_signed_once(run: list[Any]) -> None:
    steps = played(run)
    signed = [e for _, events, _ in steps for e in events if isinstance(e, ReportFinalized)]

    assert len(signed) <= 1
    for before, _, after in steps:
        if isinstance(before, Signed):
            assert isinstance(after, Signed)
            assert after.signature == before.signature
            assert getattr(after, "addenda", ())[: len(getattr(before, "addenda", ()))] == getattr(
                before, "addenda", ()
            )


@given(runs)
def test_what_is_signed_is_what_the_case_amounts_to(run: list[Any]) -> None:
    for before, events, _ in played(run):
        for event in events:
            if isinstance(event, ReportFinalized):
                assert isinstance(before, Comparing)
                document = report_document(CASE, before, event.signed_at)
                assert isinstance(document, ReportDocument)
                assert event.report.sha256 == sha256(document)


@given(runs)
def test_nothing_a_reader_wrote_is_ever_lost(run: list[Any]) -> None:
    written: list[Opinion] = []
    for before, _, after in played(run):
        kept = [k.draft or (k.sealed and k.sealed.opinion) for k in after.material.set_aside]
        today = getattr(after, "draft", None) or getattr(
            getattr(after, "sealed", None), "opinion", None
        )
        draft_before = getattr(before, "draft", None)
        if draft_before is not None and not hasattr(after, "draft"):
            written.append(draft_before)
        assert all(text == today or text in kept for text in written)


@given(runs)
def test_every_claim_has_exactly_one_verdict(run: list[Any]) -> None:
    for _, events, after in played(run):
        for event in events:
            if isinstance(event, ClaimsCompared | ReportFinalized):
                named = [outcome.claim for outcome in event.outcomes]
                assert len(named) == len(set(named))
                second = {c.id for c in after.sealed.opinion.claims}  # type: ignore[union-attr]
                assert second <= set(named)


@given(runs)
def test_an_input_again_has_no_second_effect(run: list[Any]) -> None:
    state = REPORTING.initial
    for wish in run:
        received = asked(state, wish)
        once = REPORTING.step(state, received, NOON)
        again = REPORTING.step(once.state, received, NOON)
        assert again.events == ()
        assert again.state == once.state
        state = once.state


@given(runs)
def test_a_state_outlives_its_way_through_the_database(run: list[Any]) -> None:
    for _, _, state in played(run):
        assert STATES.validate_json(STATES.dump_json(state)) == state


@given(runs)
def test_folding_the_events_again_gives_the_same_state(run: list[Any]) -> None:
    state = REPORTING.initial
    for _, events, after in played(run):
        for event in events:
            state = REPORTING.evolve(state, event)
        assert state == after


ids = st.lists(st.integers(0, 20), max_size=6, unique=True)


@st.composite
def whole_comparisons(draw: st.DrawFn) -> tuple[Comparison, tuple[Claim, ...]]:
    """A comparison in which each claim stands once, in any pairs."""
    kinds = st.sampled_from(["definite", "possible", "excluded"])
    firsts = [claim(f"f-{n}", certainty=draw(kinds)) for n in draw(ids.filter(bool))]
    seconds = [claim(f"s-{n}", certainty=draw(kinds)) for n in draw(ids)]
    paired = draw(st.integers(0, min(len(firsts), len(seconds))))
    important = st.sampled_from([True, False])
    pairs = [
        Pairing(first=f.id, second=s.id, clinically_important=draw(important))
        for f, s in zip(firsts[:paired], seconds[:paired], strict=True)
    ]
    pairs += [Pairing(first=f.id, clinically_important=False) for f in firsts[paired:]]
    pairs += [Pairing(second=s.id, clinically_important=False) for s in seconds[paired:]]
    shuffled = tuple(draw(st.permutations(pairs)))
    return Comparison(first_claims=tuple(firsts), pairs=shuffled), tuple(seconds)


@given(whole_comparisons())
def test_a_whole_comparison_judges_each_claim_once(
    given_: tuple[Comparison, tuple[Claim, ...]],
) -> None:
    said, second = given_

    answer = compare(said, second)

    if isinstance(answer, Refused):  # important where both agree: the only way to be wrong here
        assert answer.code == "no_discrepancy"
        return
    named = sorted(outcome.claim for outcome in outcomes(answer))
    assert named == sorted(c.id for c in (*said.first_claims, *second))


@given(whole_comparisons(), st.data())
def test_a_claim_left_out_is_named(
    given_: tuple[Comparison, tuple[Claim, ...]], data: st.DataObject
) -> None:
    said, second = given_
    left_out = data.draw(st.sampled_from(said.pairs))
    rest = tuple(pair for pair in said.pairs if pair != left_out)

    answer = compare(said.model_copy(update={"pairs": rest}), second)

    assert isinstance(answer, Refused)
    assert answer.code == "claims_not_paired"
    assert all(i in answer.detail for i in (left_out.first, left_out.second) if i)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_the_same_words_are_always_the_same_bytes(words: str) -> None:
    written = opinion(impression=words)
    again = Opinion.model_validate_json(written.model_dump_json())

    assert canonical(again) == canonical(written)
    assert canonical(Opinion.model_validate_json(canonical(written))) == canonical(written)
    assert comparison() == Comparison.model_validate_json(comparison().model_dump_json())
