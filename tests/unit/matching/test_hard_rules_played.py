"""Runs in which every hard rule has something to do hold them all; a breach of any is seen."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

import examples
from services.matching.domain.author import author_of
from services.matching.domain.duty import Caps
from services.matching.domain.effort import RVU
from services.matching.domain.eligibility import CONSTRAINTS, Candidate, Question
from services.matching.domain.need import need_of
from services.matching.domain.policy import Policy
from services.matching.domain.reader import Credential, Licence, Privilege, Reader
from services.matching.domain.stint import overdue
from services.matching.simulation import floor
from services.matching.simulation.oracle import broken
from services.matching.simulation.people import Accepted
from services.matching.simulation.play import Play
from services.matching.simulation.run import DIRECTED, ON_CALL, PUSHED, played
from services.matching.simulation.scenario import read
from services.matching.simulation.world import World, draw
from shared.contracts.intake import CaseAccepted

LAST: Final = datetime(2026, 3, 3, 15, tzinfo=UTC)  # late in many shifts of the second day
YESTERDAY: Final = timedelta(days=1)


@pytest.fixture(scope="module")
def world() -> World:
    """Give two days of the example in which papers end, people are tied and tire."""
    return _days(2, 60)


def _days(days: int, readers: int) -> World:
    scenario = read(Path(examples.__file__).parent / "simulation" / "rules.json")
    fewer = scenario.readers.model_copy(update={"count": readers})
    return draw(scenario.model_copy(update={"days": days, "readers": fewer}), 1)


@pytest.fixture(scope="module")
def run(world: World) -> Play:
    return played(world, ON_CALL, Policy())


@pytest.mark.parametrize("policy", [DIRECTED, PUSHED, "first_to_claim"])
def test_every_policy_holds_every_hard_rule(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "DRAIN", timedelta(days=1))  # what nobody may read is left sooner
    world = _days(1, 40)

    found = played(world, policy, Policy())  # raises OracleObjected otherwise

    assert len(found.accepted) > len(world.cases) * 0.8
    assert found.record.read


def test_each_hard_rule_keeps_somebody_from_some_case(world: World) -> None:
    seen = {name for case in world.cases for name in _kept_out(world, case.accepted)}

    moments = {one.name for one in CONSTRAINTS if one.scope == "moment"}
    assert seen >= {one.name for one in CONSTRAINTS} - moments - {
        "human",  # no software reads in a simulation
        "earlier_reader",  # below
        "asked_before",
    }


def _kept_out(world: World, case: CaseAccepted) -> Iterator[str]:
    need = need_of(case, world.contracts.by_partner[case.partner].rules)
    late = case.accepted_at + timedelta(days=2)
    author = author_of(need, world.readers)
    for one in world.readers:
        question = Question(need, frozenset(), late, author=author)
        yield from (by.name for by in CONSTRAINTS if not by.rule(question, Candidate(one, 0)))


def test_readers_tire_and_cases_are_decided_by_a_third(run: Play) -> None:
    latest = {number: at for at, _, number, _ in run.accepted}
    done = {n: (run.world.readers[n].caps, run.tiring.work(n, at)) for n, at in latest.items()}

    assert any(caps.cases == work.cases for caps, work in done.values())
    assert any(caps.rvu and work.rvu > caps.rvu - max(RVU.values()) for caps, work in done.values())
    assert any(overdue(one, LAST) for one in _at_work(run, LAST))
    assert any(paged for *_, paged in run.accepted)
    assert any(_judges(run, one) for one in run.accepted)
    assert broken(run) == []


def _at_work(play: Play, now: datetime) -> list[Reader]:
    return [one for one in play.world.readers if one.on_shift(now)]


def _first(play: Play, one: Accepted) -> Reader | None:
    named = one[1].arrival.accepted.first_read.reader
    return next((r for r in play.world.readers if named in (r.id, *r.identifiers)), None)


def _bare(play: Play, one: Accepted) -> bool:
    return one[1].arrival.accepted.first_read.group is None and _first(play, one) is not None


def _judges(play: Play, one: Accepted) -> bool:
    read_by = play.record.read.get(one[1].number)
    return read_by is not None and read_by.at < one[0]


def _any(_play: Play, _one: Accepted) -> bool:
    return True


def _of(**wanted: Any) -> "Fits":
    """Choose a case by its fields."""
    return lambda _, one: all(
        getattr(one[1].arrival.accepted, name) == value for name, value in wanted.items()
    )


def _own_field(play: Play, one: Accepted) -> bool:
    return (one[1].number, one[2]) not in play.record.broadened


def _paged(_play: Play, one: Accepted) -> bool:
    return one[3]


def _unpaged(_play: Play, one: Accepted) -> bool:
    return not one[3]


def _busy(play: Play, one: Accepted) -> bool:
    """Choose somebody who has taken several cases in a row before."""
    hours = [at for at, _, number, _ in play.accepted if number == one[2]]
    return sum(0 < one[0] - at < 7200 for at in hours) > 2 and not one[3]


def _ran_out(one: Accepted) -> dict[str, Any]:
    """End all papers the day before, wherever the reader is."""
    day = datetime.fromtimestamp(one[0], UTC).date() - 2 * YESTERDAY
    case = one[1].arrival.accepted
    return {
        "licences": (Licence(jurisdiction=case.jurisdiction, expires_on=day),),
        "credentials": (Credential(code="board", expires_on=day),),
        "privileges": (Privilege(partner=case.partner, expires_on=day),),
    }


Fits: TypeAlias = Callable[[Play, Accepted], bool]
Breach: TypeAlias = Callable[[Play, Accepted], dict[str, Any]]
BREACHES: Final[tuple[tuple[str, Fits, Breach], ...]] = (
    ("no active human", _any, lambda *_: {"active": False}),
    ("no active human", _any, lambda *_: {"kind": "ai"}),
    ("not their modality", _any, lambda *_: {"modalities": ("XA",)}),
    ("not their body region", _any, lambda *_: {"body_regions": ("FOOT",)}),
    (
        "not their field, and the pool was not broadened",
        _own_field,
        lambda *_: {"subspecialties": ("nobodys",)},
    ),
    ("a child, and no paediatric radiologist", _of(age_band="6-11"),
     lambda *_: {"subspecialties": ("chest",)}),
    ("a fetus, and no obstetric expertise", _of(reason_for_review="pregnancy_fetal"),
     lambda *_: {"subspecialties": ("chest",)}),
    ("no fellowship", _of(reason_for_review="not_read_by_subspecialist"),
     lambda *_: {"fellowships": ()}),
    ("no licence", _any, lambda *_: {"licences": ()}),
    ("no licence", _any, lambda _, one: _ran_out(one)),
    ("a credential is missing or ran out", _any, lambda *_: {"credentials": ()}),
    ("a credential is missing or ran out", _any, lambda _, one: _ran_out(one)),
    ("no privileges", _any, lambda *_: {"privileges": ()}),
    ("no privileges", _any, lambda _, one: _ran_out(one)),
    ("not their language", _any, lambda *_: {"languages": ("de",)}),
    ("the partner's own staff", _any,
     lambda _, one: {"staff_of": (one[1].arrival.accepted.partner,)}),
    ("their own first report", _bare,
     lambda _, one: {"identifiers": (one[1].arrival.accepted.first_read.reader,)}),
    ("their group's first report", _bare,
     lambda play, one: {"groups": getattr(_first(play, one), "groups", ())}),
    ("a conflict of interest", _any,
     lambda _, one: {"conflicts": (one[1].arrival.accepted.partner,)}),
    ("a conflict of interest", _bare,
     lambda play, one: {"conflicts": (getattr(_first(play, one), "id", ""),)}),
    ("a conflict of interest", _bare,
     lambda play, one: {"conflicts": getattr(_first(play, one), "identifiers", ())}),
    ("a conflict of interest", _bare,
     lambda play, one: {"conflicts": getattr(_first(play, one), "groups", ())}),
    ("decides on a reading of their own, or their group's", _judges,
     lambda play, one: {
         "groups": play.world.readers[play.record.read[one[1].number].reader].groups
     }),
    ("not on shift", _unpaged, lambda *_: {"shifts": ()}),
    ("neither on shift nor on call", _paged, lambda *_: {"shifts": (), "calendar": ()}),
    ("too many hours", _busy, lambda *_: {"caps": Caps(hours=0.1)}),
    ("too many cases", _busy, lambda *_: {"caps": Caps(cases=2)}),
    ("too much work", _busy, lambda *_: {"caps": Caps(rvu=0.1)}),
    ("over the reader's capacity", _any, lambda *_: {"capacity": 0}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("says", "fits", "breach"), BREACHES, ids=[f"{n}, {one[0]}" for n, one in enumerate(BREACHES)]
)
def test_the_oracle_sees_every_breach(
    run: Play, monkeypatch: pytest.MonkeyPatch, says: str, fits: Fits, breach: Breach
) -> None:
    one = next(each for each in run.accepted if fits(run, each))
    readers = list(run.world.readers)
    readers[one[2]] = readers[one[2]].model_copy(update=breach(run, one))
    monkeypatch.setattr(run, "world", replace(run.world, readers=tuple(readers)))

    found = broken(run)

    named = f"case {one[1].number}: " if "capacity" in says else f"case {one[1].number}, "
    assert [each for each in found if each.startswith(named) and each.endswith(says)], found[:9]


def test_the_oracle_sees_who_had_said_no_and_who_reads_it_twice(
    run: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, folder, number, paged = run.accepted[0]
    said = dict(run.record.declined) | {(folder.number, number): at - 1}
    monkeypatch.setattr(run.record, "declined", said)
    monkeypatch.setattr(run, "accepted", [*run.accepted, (at, folder, number, paged)])

    found = {one.rpartition(": ")[2] for one in broken(run)}

    assert found >= {"they had said no", "given twice to the same reader"}
