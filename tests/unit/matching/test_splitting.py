"""Which cases are split, into which parts, and what does each part need?"""

from typing import Any

import pytest

from services.matching.domain.inputs import OfferCase, SplitCase
from services.matching.domain.need import need_of, need_of_part
from services.matching.domain.plan import Round
from services.matching.domain.reader import Reader
from services.matching.domain.splitting import cover, splits
from services.matching.domain.staff import staffed
from services.matching.domain.waiting import waiting
from tests.unit.matching.cases import CASE, NOON, accepted, at, offer, reader
from tests.unit.matching.test_parts import (
    CHEST,
    EVERY,
    HAND,
    SPLIT,
    STUDIES,
    arrives,
    kinds,
    opened,
    parted,
    study,
)
from tests.unit.matching.test_plan import waits


def test_a_part_needs_what_its_regions_need() -> None:
    need = need_of(arrives())

    hand, chest = need_of_part(need, ("HAND",)), need_of_part(need, ("CHEST",))

    assert need.regions == {"HAND", "CHEST"}
    assert (hand.modalities, hand.subspecialty) == (("DX",), "musculoskeletal")
    assert (chest.modalities, chest.subspecialty) == (("CT",), "chest")
    assert len({need.slot, hand.slot, chest.slot}) == 3
    assert need_of_part(need, ("HAND", "CHEST")).subspecialty == "general"
    child = need_of(arrives(subspecialty="pediatric", age_band="6-11"))
    assert need_of_part(child, ("CHEST",)).subspecialty == "pediatric"


def test_studies_of_no_known_region_go_with_the_first() -> None:
    late = (*STUDIES, study("c", "UNKNOWN", "US"))
    need = need_of(accepted(studies=late, modalities=("CT", "DX", "US")))

    assert need_of_part(need, ("HAND",)).modalities == ("DX", "US")
    assert need_of_part(need, ("CHEST",)).modalities == ("CT",)


def found(*readers: Reader, **changes: Any) -> tuple[tuple[str, ...], ...]:
    roster = staffed({one.id: one for one in readers})
    case = waits(need=need_of(arrives()), **changes)
    return next((one.parts for one in splits([case], roster, NOON)), ())


def test_a_case_is_split_where_nobody_reads_all_and_everything_has_a_reader() -> None:
    off = CHEST.model_copy(update={"shifts": ()})
    assert sorted(found(HAND, off)) == [("CHEST",), ("HAND",)]
    assert found(HAND) == ()
    assert found(HAND, CHEST, EVERY) == ()
    said_no = found(HAND, CHEST, EVERY, refused=frozenset({"dr-every"}))
    assert sorted(said_no) == [("CHEST",), ("HAND",)]
    assert found(HAND, CHEST, offered=True) == ()


def test_as_few_parts_as_can_be() -> None:
    imaged = (*STUDIES, study("c", "KNEE", "MR"))
    need = need_of(accepted(studies=imaged, modalities=("CT", "DX", "MR")))
    bones = reader("dr-bones", body_regions=("HAND", "KNEE"))
    roster = staffed({one.id: one for one in (HAND, bones, CHEST)})

    assert cover(waits(need=need), roster, NOON) == (("HAND", "KNEE"), ("CHEST",))


def test_a_round_offers_each_part_to_its_reader() -> None:
    case = parted()
    each = waiting(case.state.assignment, at(hours=96))

    offers = list(Round({one.id: one for one in (HAND, CHEST)}, {}, NOON).plan(each))

    pairs = {(one.part, one.reader.id) for one in offers if isinstance(one, OfferCase)}
    assert pairs == {("HAND", "dr-hand"), ("CHEST", "dr-chest")}
    for one in offers:
        case = case.then(one)
    assert kinds(case) == ["offered", "offered"]


@pytest.mark.parametrize(
    "parts",
    [(("HAND",),), (("HAND", "CHEST"),), (("HAND",), ("KNEE",)), (("HAND",), ("CHEST",), ())],
    ids=str,
)
def test_parts_that_are_not_the_case_split_nothing(parts: tuple[tuple[str, ...], ...]) -> None:
    assert opened().when(SplitCase(case_id=CASE, parts=parts)).events == ()


def test_nothing_is_split_of_which_somebody_thinks_or_has_all() -> None:
    case = opened().then(offer(EVERY))
    assert case.when(SPLIT).events == ()
