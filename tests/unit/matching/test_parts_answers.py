"""A split case: what hears who answers too late, and who had said no before it was split?"""

from services.matching.domain.state import asked_of
from tests.unit.matching.cases import at, delivered, finalized, no, offer, provided, requested, yes
from tests.unit.matching.test_parts import (
    CHEST,
    EVERY,
    HAND,
    SPLIT,
    its,
    opened,
    part,
    parted,
    read_by_both,
)


def test_who_said_no_to_all_of_it_is_asked_for_no_part_and_a_late_yes_hears_so() -> None:
    every = EVERY.model_copy(update={"body_regions": ("HAND", "CHEST")})
    case = opened().then(offer(every))
    case = case.then(no(its(case, every), "dr-every", "other")).then(SPLIT)

    assert case.when(part("HAND", every)).refused is not None
    assert case.when(part("HAND", HAND)).refused is None
    late = case.when(yes(its(case, every), every)).refused
    assert late is not None
    assert late.code == "offer_declined"
    unknown = case.when(yes("nobody", every)).refused
    assert unknown is not None
    assert unknown.code == "not_found"


def test_a_late_answer_is_clear_in_a_split_case_too() -> None:
    case = parted().then(part("HAND", HAND)).then(requested()).then(provided())
    refused = case.when(yes(its(case, HAND), HAND)).refused

    assert refused is not None
    assert refused.code == "offer_withdrawn"
    assert asked_of(case.state.assignment, its(case, HAND)) is not None
    ended = read_by_both()
    ended = ended.then(finalized(at(hours=1), its(ended, CHEST)), at(hours=1))
    assert ended.then(delivered(at(hours=1)), at(hours=1)).state.clock.kind == "stopped"
