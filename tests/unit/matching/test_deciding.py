"""Whatever is decided of a case is kept: by whom, what and why, where nothing was weighed too."""

from typing import Any

from services.matching.domain.decide import MATCHING
from services.matching.domain.events import Decided
from services.matching.domain.inputs import Input, ReaderWentOffline, TakeBack
from services.matching.domain.replay import replay
from services.matching.domain.state import Matching
from services.matching.domain.why import Because, Decision
from shared.contracts.base import Event
from shared.decider import Step
from shared.testing.spec import given
from tests.unit.matching.cases import CASE, accepted, deidentified, last, offer, reader, yes
from tests.unit.matching.test_beside import beside
from tests.unit.matching.test_beside import opened as with_software
from tests.unit.matching.test_parts import SPLIT
from tests.unit.matching.test_parts import opened as over_regions

OPENED = given(MATCHING).then(accepted()).then(deidentified())
OFFERED = OPENED.then(offer())
TAKEN = OFFERED.then(yes(last(OFFERED.state)))


def kept(step: Step[Matching, Event]) -> list[Decision]:
    found = [one.decision for one in step.events if isinstance(one, Decided)]
    return [Decision.model_validate_json(one.model_dump_json()) for one in found]


def why(case: Any, received: Input) -> list[tuple[Because | None, str | None]]:
    return [(one.because, one.reader) for one in kept(case.when(received))]


def test_an_operators_choice_is_kept_with_who_made_it_and_what_it_took_away() -> None:
    order = TakeBack(case_id=CASE, by="op-1", reason="reader_unavailable", to=reader("dr-lund"))

    taken = Because(what="taken_back", by="op-1", reason="reader_unavailable")
    given_to = Because(what="reassigned", by="op-1", reason="reader_unavailable")
    for case in (OFFERED, TAKEN):
        assert why(case, order) == [(taken, "dr-osei"), (given_to, "dr-lund")]
    assert why(TAKEN, order.model_copy(update={"to": None})) == [(taken, "dr-osei")]


def test_a_case_that_is_taken_back_says_by_which_rule() -> None:
    lost = ReaderWentOffline(case_id=CASE, reader="dr-osei", reason="licence")

    because = Because(what="recalled", by="rules", reason="licence")
    assert why(TAKEN, lost) == [(because, "dr-osei")]
    assert why(OFFERED, lost) == [(because, "dr-osei")]
    assert why(OPENED, lost) == []


def test_software_that_reads_beside_and_a_split_are_kept() -> None:
    every = Because(what="read_beside", by="contract", reason="every_ai_reader")
    assert why(with_software(), beside()) == [(every, "ai-bone")]

    [(split, nobody)] = why(over_regions(), SPLIT)
    assert split is not None
    assert (split.what, split.by, split.reason, nobody) == (
        "split",
        "optimiser",
        "nobody_reads_all",
        None,
    )
    assert split.parts == SPLIT.parts


def test_what_a_refused_order_would_have_done_is_not_kept() -> None:
    order = TakeBack(case_id=CASE, by="op-1", reason="other", to=reader("dr-x", licences=()))
    step = TAKEN.when(order)

    assert step.refused is not None
    assert kept(step) == []


def test_where_nothing_was_weighed_there_is_nothing_to_make_again() -> None:
    [decision] = kept(
        TAKEN.when(ReaderWentOffline(case_id=CASE, reader="dr-osei", reason="silent"))
    )

    assert replay(decision, {}).differs == ()
    assert replay(decision, {}).rejected == ()
