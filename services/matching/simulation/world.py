"""Which cases come and who reads in one seed of a scenario? The same for every policy."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Final, TypeVar
from uuid import UUID

import numpy as np
from numpy.random import Generator

from services.matching.domain.contract import Budgets, Contract, Contracts, Terms
from services.matching.domain.duty import WEEKDAYS, Period, Shift, Weekday
from services.matching.domain.hours import Interval, intervals
from services.matching.domain.hours import on_call as on_call_intervals
from services.matching.domain.need import OBSTETRIC, PEDIATRIC
from services.matching.domain.reader import Licence, Reader
from services.matching.domain.staff import Staff
from services.matching.simulation.arrival import Arrival
from services.matching.simulation.hard import (
    LAST_DAY,
    PARTNER,
    case_under,
    contract_rules,
    partners,
    readers_under,
)
from services.matching.simulation.scenario import Level, Scenario
from shared.contracts.base import CaseId, ServiceLevel
from shared.contracts.intake import CaseAccepted, FirstRead, ReasonForReview

# Readers go on for this long after the last arrival, so that every case ends.
DRAIN: Final = timedelta(days=6)
LEAST_COVER: Final = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Traits:
    """What nobody but the world knows of a reader: when they really sit there, and how fast."""

    present: tuple[Interval, ...]
    on_call: tuple[Interval, ...]
    speed: float


@dataclass(frozen=True)
class World:
    """One seed of a scenario."""

    scenario: Scenario
    readers: tuple[Reader, ...]
    traits: tuple[Traits, ...]
    cases: tuple[Arrival, ...]
    contracts: Contracts

    @cached_property
    def staff(self) -> Staff:
        """Give the readers as the rules see them; the same for every policy, so asked once."""
        return Staff({one.id: one for one in self.readers})

    def minutes(self, case: Arrival, reader: int, *, right: bool) -> float:
        """Say how long this reader needs for the case."""
        slower = 1.0 if right else self.scenario.beyond_field_slower
        return case.minutes * self.traits[reader].speed * slower


def draw(scenario: Scenario, seed: int) -> World:
    rng = np.random.default_rng([seed, 20260])
    luck = np.random.default_rng([seed, 20261])
    readers = tuple(readers_under(scenario, _readers(scenario, rng), luck))
    traits = tuple(_traits(scenario, one, rng) for one in readers)
    named = {one.identifiers[0]: one for one in readers}
    drawn = _cases(scenario, readers, traits, rng)
    cases = tuple(case_under(scenario, one, named, luck) for one in drawn)
    return World(scenario, readers, traits, cases, _contracts(scenario))


def _readers(scenario: Scenario, rng: Generator) -> list[Reader]:
    fields = {name: one.readers for name, one in scenario.fields.items()}
    # Dealt out by share, not drawn: the smallest field must have its readers in every seed.
    total = sum(fields.values())
    dealt = [
        name for name, w in fields.items() for _ in range(round(w / total * scenario.readers.count))
    ]
    dealt = (dealt + [max(fields, key=fields.__getitem__)] * scenario.readers.count)[
        : scenario.readers.count
    ]
    each = [_reader(scenario, n, field, rng) for n, field in enumerate(dealt)]
    return _called(scenario, each, rng)


def _reader(scenario: Scenario, n: int, primary: str, rng: Generator) -> Reader:
    known = scenario.readers
    fields = [primary]
    near = [one for one in scenario.fields[primary].neighbours if one != primary]
    more = sum(rng.random() < share for share in (known.second_field, known.third_field))
    fields += map(str, rng.permutation(near)[:more])
    licensed = [place for place, share in known.licences.items() if rng.random() < share]
    home = _pick(scenario.jurisdictions, rng)
    first = int(rng.integers(7))
    days = [WEEKDAYS[(first + day) % 7] for day in range(known.days_a_week)]
    return Reader(
        id=f"reader-{n:04d}",
        identifiers=(f"npi-{n:04d}",),
        groups=(f"group-{int(rng.integers(known.groups))}",),
        subspecialties=tuple(fields),
        fellowships=(primary,) if rng.random() < known.fellows else (),
        modalities=tuple(sorted({m for one in scenario.fields.values() for m in one.modalities})),
        licences=tuple(
            Licence(jurisdiction=one, expires_on=LAST_DAY)
            for one in {home: 0, **dict.fromkeys(licensed)}
        ),
        time_zone=known.time_zone,
        shifts=(_shift(_pick(known.starts, rng), known.shift_hours, days),),
        capacity=known.capacity,
    )


def _shift(start: int, hours: int, days: Sequence[Weekday]) -> Shift:
    return Shift(days=tuple(days), start=time(start), end=time((start + hours) % 24))


def _called(scenario: Scenario, readers: list[Reader], rng: Generator) -> list[Reader]:
    """Put some readers of each field on call, all day on every day: at work they are on shift."""
    ends = scenario.starts_at + timedelta(days=scenario.days) + DRAIN
    whole = (Period(kind="on_call", begins_at=scenario.starts_at, ends_at=ends),)
    for field in scenario.fields:
        own = [n for n, one in enumerate(readers) if one.subspecialties[0] == field]
        most = sorted(own, key=lambda n: (-len(readers[n].licences), rng.random()))
        for n in most[: scenario.readers.on_call_per_field]:
            readers[n] = readers[n].model_copy(update={"calendar": whole})
    return readers


def _traits(scenario: Scenario, reader: Reader, rng: Generator) -> Traits:
    until = scenario.starts_at + timedelta(days=scenario.days) + DRAIN
    since = scenario.starts_at
    well = [one for one in intervals(reader, since, until) if rng.random() >= scenario.readers.sick]
    speed = float(np.exp(rng.normal(0, scenario.readers.speed_sigma)))
    return Traits(tuple(well), tuple(on_call_intervals(reader, since, until)), speed)


def _cases(
    scenario: Scenario, readers: Sequence[Reader], traits: Sequence[Traits], rng: Generator
) -> list[Arrival]:
    start = scenario.starts_at.timestamp()
    end = start + scenario.days * 86400
    able = sum(
        (min(b, end) - max(a, start)) / 60 / one.speed
        for one in traits
        for a, b in one.present
        if b > start and a < end
    ) * (1 - scenario.readers.breaks)
    shares = np.array([one.share for one in scenario.levels.values()])
    mean = [one.median_minutes * np.exp(one.sigma**2 / 2) for one in scenario.levels.values()]
    count = round(scenario.load * able / float(np.average(mean, weights=shares)))
    times = np.sort(_times(scenario, count, rng))
    return [_case(scenario, n, float(at), readers, rng) for n, at in enumerate(times)]


def _times(scenario: Scenario, count: int, rng: Generator) -> np.ndarray:
    """Draw arrivals by the daily cycle; a surge comes on top."""
    start = scenario.starts_at.timestamp()
    weights = np.array(scenario.hours * scenario.days)
    hours = rng.choice(len(weights), size=count, p=weights / weights.sum())
    times = start + (hours + rng.random(count)) * 3600
    if scenario.surge is None:
        return times
    surge = scenario.surge
    begins = start + surge.after.total_seconds()
    within = times[(times >= begins) & (times < begins + surge.lasts.total_seconds())]
    more = rng.choice(within, size=round(len(within) * (surge.times - 1)))
    return np.concatenate([times, more + rng.random(len(more))])


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the hard rules will ask of a case's reader besides modality and licence."""

    field: str
    minor: bool
    fellow: bool

    @property
    def usual(self) -> bool:
        return not (self.minor or self.fellow or self.field == OBSTETRIC)

    @property
    def reason(self) -> ReasonForReview:
        if self.field == OBSTETRIC:
            return "pregnancy_fetal"
        return "not_read_by_subspecialist" if self.fellow else "persistent_symptoms"

    def read_by(self, reader: Reader) -> bool:
        known = reader.subspecialties
        return (
            (not self.minor or PEDIATRIC in known)
            and (self.field != OBSTETRIC or OBSTETRIC in known)
            and (not self.fellow or self.field in reader.fellowships)
        )


def _case(
    scenario: Scenario, n: int, at: float, readers: Sequence[Reader], rng: Generator
) -> Arrival:
    level = _pick({name: one.share for name, one in scenario.levels.items()}, rng)
    field = _pick({name: one.share for name, one in scenario.fields.items()}, rng)
    terms = scenario.levels[level]
    ours = rng.random() < scenario.first_read_by_us
    first = readers[int(rng.integers(len(readers)))]
    when = datetime.fromtimestamp(at, scenario.starts_at.tzinfo)
    minor = field == PEDIATRIC or (field != OBSTETRIC and rng.random() < scenario.minors)
    # a child's case is its paediatric radiologist's; no fellowship is asked for on top
    fellow = rng.random() < scenario.wants_fellow and (field == PEDIATRIC or not minor)
    kind = _Kind(field, minor, fellow)
    place = _place(scenario, kind, readers, rng)
    ours = kind.usual and rng.random() < scenario.first_read_by_us
    accepted = _accepted(scenario, n, when, level, kind, rng).model_copy(
        update={
            "jurisdiction": place,
            "first_read": FirstRead(
                status="present",
                reader=first.identifiers[0] if ours else "npi-elsewhere",
                group=first.groups[0] if ours else "elsewhere",
            ),
        }
    )
    return Arrival(
        accepted,
        at,
        at + float(rng.gamma(4, scenario.deid_minutes * 60 / 4)),
        at + terms.target.total_seconds(),
        float(terms.median_minutes * np.exp(rng.normal(0, terms.sigma))),
        tuple(map(float, rng.random(16))),
    )


def _accepted(  # noqa: PLR0913, PLR0917 - each is drawn by itself
    scenario: Scenario, n: int, when: datetime, level: ServiceLevel, kind: _Kind, rng: Generator
) -> CaseAccepted:
    return CaseAccepted(
        case_id=CaseId(UUID(int=n + 1)),
        partner=PARTNER,
        accepted_at=when,
        service_level=level,
        reason_for_review=kind.reason,
        modalities=(_pick(scenario.fields[kind.field].modalities, rng),),
        body_regions=("HAND",),
        subspecialty=kind.field,
        laterality="U",
        age_band="6-11" if kind.minor else "40-49",
        sex="O",
        jurisdiction="drawn-later",
        first_read=FirstRead(status="missing"),
        studies=(),
        documents=(),
        sealed_identity="sealed",
    )


def _place(scenario: Scenario, kind: _Kind, readers: Sequence[Reader], rng: Generator) -> str:
    """Draw where the patient is, among the places where a contract could be kept at all."""
    covered = Counter(
        place.jurisdiction for one in readers if kind.read_by(one) for place in one.licences
    )
    enough = min(LEAST_COVER, max(covered[name] for name in scenario.jurisdictions))
    known = {n: w for n, w in scenario.jurisdictions.items() if covered[n] >= enough}
    return _pick(known, rng)


def _pick(weights: Mapping[T, float], rng: Generator) -> T:
    at = rng.random() * sum(weights.values())
    for one, weight in weights.items():
        at -= weight
        if at < 0:
            return one
    return list(weights)[-1]


def _contracts(scenario: Scenario) -> Contracts:
    levels = {name: _terms(scenario, one) for name, one in scenario.levels.items()}
    rules = contract_rules(scenario.hard)
    return Contracts(
        by_partner={
            one: Contract(partner=one, levels=levels, rules=rules)
            for one in partners(scenario.hard)
        }
    )


def _terms(scenario: Scenario, level: Level) -> Terms:
    """Give the level's contract: the stages share what de-identification and delivery leave."""
    deid, deliver = (
        timedelta(minutes=2 * one) for one in (scenario.deid_minutes, scenario.deliver_minutes)
    )
    rest = level.target - deid - deliver
    return Terms(
        target=level.target,
        budgets=Budgets(deid=deid, match=rest * 0.3, read=rest * 0.6, deliver=deliver),
        offer_window=level.offer_window,
    )
