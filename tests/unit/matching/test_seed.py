"""Readers and contracts as a person writes them: what is taken, and what each fault is told as."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.matching.domain.contract import DEFAULT, Contracts, Rung, Terms
from services.matching.domain.stages import USUAL
from services.matching.gateways.seed import SeedBroken, parse, read

EXAMPLE = Path("examples/matching.yaml")
READER = """\
readers:
  - id: dr-a
    subspecialties: [chest]
    modalities: [CT]
    licences:
      - {jurisdiction: US-MA, expires_on: 2030-01-31}
    time_zone: America/New_York
    shifts: [{start: 22:00, end: 06:00}]
    capacity: 3
"""
CONTRACT = """\
contracts:
  - partner: st-a
    levels:
      urgent:
        target: PT12H
        budgets: {deid: PT30M, match: PT2H, read: PT8H, deliver: PT15M}
        offer_window: PT15M
"""


def test_the_example_is_whole_and_has_somebody_for_every_field_and_hour() -> None:
    seed = read(EXAMPLE)

    assert len(seed.readers) == 12
    fields = {field for one in seed.readers if one.active for field in one.subspecialties}
    assert fields >= {"musculoskeletal", "neuroradiology", "chest", "abdominal", "pediatric"}
    assert any(one.id == "dr-osei" for one in seed.readers)


def test_times_and_durations_are_read_as_they_are_written() -> None:
    [reader] = parse("x.yaml", READER).readers
    [contract] = parse("x.yaml", CONTRACT).contracts

    assert str(reader.shifts[0].start) == "22:00:00"  # YAML 1.1 would say 1320
    assert contract.levels["urgent"].budgets.read == timedelta(hours=8)
    assert contract.levels["urgent"].rungs == DEFAULT["urgent"].rungs


@pytest.mark.parametrize("text", ["", "# nothing\n", "readers: []\n"])
def test_an_empty_file_is_an_empty_seed(text: str) -> None:
    assert parse("x.yaml", text).readers == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (READER.replace("capacity: 3", "capacity: many"), "line 9, readers.0.capacity: "),
        (READER.replace("capacity: 3", "capactiy: 3"), "line 9, readers.0.capactiy: "),
        (READER.replace("capacity: 3", "capactiy: 3"), "line 2, readers.0.capacity: "),
        (READER.replace("America/New_York", "Boston"), "line 7, readers.0.time_zone: an IANA"),
        (READER.replace("2030-01-31", "31.1.2030"), "line 6, readers.0.licences.0.expires_on: "),
        (READER.replace("22:00", "25:00"), "line 8, readers.0.shifts.0.start: "),
        (READER.replace("22:00", "22:00+02:00"), "line 8, readers.0.shifts.0.start: a wall-clock"),
        (READER.replace("[CT]", "[]"), "line 4, readers.0.modalities: "),
        (READER.replace("[CT]", "[ct scan]"), "line 4, readers.0.modalities.0: "),
        (READER + READER.partition("\n")[2], "given more than once: dr-a"),
        (READER + "    capacity: 4\n", "line 10: capacity is given twice"),
        (CONTRACT.replace("PT12H", "PT1H"), "line 4, contracts.0.levels.urgent: the budgets take"),
        (CONTRACT.replace("PT12H", "12 hours"), "line 5, contracts.0.levels.urgent.target: "),
        (CONTRACT.replace("PT15M\n", "-PT15M\n"), "contracts.0.levels.urgent.offer_window: "),
        (CONTRACT.replace("urgent", "asap"), "contracts.0.levels.asap"),
        (CONTRACT.replace("st-a", "St. A"), "line 2, contracts.0.partner: "),
        ("readers: [", "x.yaml, line 1: "),
        ("a: \x00", "x.yaml is no well-formed YAML"),
        ("readers: dr-a\n", "line 1, readers: "),
        ("- a\n- b\n", "line 1, file: "),
        ("surprise: 1\n", "line 1, surprise: "),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_field(text: str, told: str) -> None:
    with pytest.raises(SeedBroken) as broken:
        parse("x.yaml", text)

    assert told in str(broken.value)


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(SeedBroken, match="can't be read: No such file"):
        read(tmp_path / "seed.yaml")


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(SeedBroken, match="UTF-8"):
        read(path)


def test_the_default_hours_leave_slack() -> None:
    for terms in DEFAULT.values():
        needed = sum((terms.budgets.of(stage) for stage in USUAL), timedelta(0))
        assert needed <= terms.target * 0.95
        assert terms.offer_window < terms.budgets.match
    assert Contracts().terms("nobody", "urgent") == DEFAULT["urgent"]


@pytest.mark.parametrize("numbers", [(1, 1), (2, 1)])
def test_rungs_are_numbered_upwards(numbers: tuple[int, int]) -> None:
    rungs = tuple(Rung(rung=n, fraction=0.5, role="lead", channels=("board",)) for n in numbers)

    with pytest.raises(ValidationError, match="numbered upwards"):
        Terms.model_validate({**DEFAULT["urgent"].model_dump(), "rungs": rungs})
