"""What have the hard rules to do in a world? Papers that end, ties, caps, regions, languages.

Drawn after all else and from luck of its own: a scenario that says nothing of it stays as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from numpy.random import Generator

from services.matching.domain.duty import WEEKDAYS, Caps, Shift
from services.matching.domain.reader import Credential, Licence, Privilege, Reader
from services.matching.domain.told import Rules
from services.matching.simulation.arrival import Arrival
from services.matching.simulation.scenario import HardRules, Scenario
from shared.contracts.intake import FirstRead

PARTNER: Final = "simulated"
BOARD: Final = "board"
LAST_DAY: Final = date(2999, 1, 1)


def partners(hard: HardRules | None) -> tuple[str, ...]:
    more = 0 if hard is None else hard.partners - 1
    return (PARTNER, *(f"{PARTNER}-{n + 2}" for n in range(more)))


def contract_rules(hard: HardRules | None) -> Rules:
    """Give what every partner's contract asks for."""
    if hard is None:
        return Rules()
    granted = hard.privileges < 1
    return Rules(excludes_own_staff=True, needs_privileges=granted, credentials=(BOARD,))


def readers_under(scenario: Scenario, each: Sequence[Reader], rng: Generator) -> list[Reader]:
    """Give the readers what the rules look at."""
    hard = scenario.hard
    if hard is None:
        return list(each)
    changed = [one.model_copy(update=_papers(scenario, hard, one, rng)) for one in each]
    changed = [one.model_copy(update=_skills(hard, one, rng)) for one in changed]
    return [one.model_copy(update=_ties(hard, each, rng)) for one in _limited(hard, changed, rng)]


def case_under(
    scenario: Scenario, case: Arrival, readers: Mapping[str, Reader], rng: Generator
) -> Arrival:
    """Give a case what the rules look at. `readers`: by the name that first reports use."""
    hard = scenario.hard
    if hard is None:
        return case
    changes: dict[str, Any] = {"partner": partners(hard)[int(rng.integers(hard.partners))]}
    if hard.regions:
        changes["body_regions"] = (_weighed(hard.regions, rng),)
    if hard.languages:
        changes["language"] = _weighed(hard.languages, rng)
    changes["first_read"] = _first(hard, case.accepted.first_read, readers, rng)
    accepted = case.accepted.model_copy(update=changes)
    return replace(case, accepted=accepted, adjudicated=rng.random() < hard.adjudicated)


def _papers(scenario: Scenario, hard: HardRules, one: Reader, rng: Generator) -> dict[str, Any]:
    """Let some of a reader's papers end within the run."""

    def last() -> date:
        ends = rng.random() < hard.papers_end
        days = int(rng.integers(scenario.days))
        return scenario.starts_at.date() + timedelta(days=days) if ends else LAST_DAY

    granted = [name for name in partners(hard) if rng.random() < hard.privileges]
    return {
        "licences": tuple(
            Licence(jurisdiction=held.jurisdiction, expires_on=last()) for held in one.licences
        ),
        "credentials": (Credential(code=BOARD, expires_on=last()),),
        "privileges": tuple(Privilege(partner=name, expires_on=last()) for name in granted),
    }


def _skills(hard: HardRules, one: Reader, rng: Generator) -> dict[str, Any]:
    """Let some read less than others: regions, modalities, languages."""
    changes: dict[str, Any] = {"active": rng.random() >= hard.inactive}
    if rng.random() < hard.narrow and hard.regions:
        names = list(hard.regions)
        known = rng.permutation(names)[: max(1, len(names) * 2 // 3)]
        changes["body_regions"] = tuple(map(str, known))
    if rng.random() < hard.lacking and len(one.modalities) > 1:
        out = str(rng.choice(one.modalities))
        changes["modalities"] = tuple(name for name in one.modalities if name != out)
    if hard.languages:
        first, *others = hard.languages
        changes["languages"] = (first, *(name for name in others if rng.random() < hard.speaks))
    return changes


def _limited(hard: HardRules, each: Sequence[Reader], rng: Generator) -> Iterator[Reader]:
    """Give some readers one of the caps each, in turn, and some a second shift after the first."""
    kinds = [Caps.model_validate({name: cap}) for name, cap in hard.caps if cap is not None]
    given = 0
    for one in each:
        changes: dict[str, Any] = {}
        if kinds and rng.random() < hard.capped:
            changes["caps"] = kinds[given % len(kinds)]
            given += 1
        if rng.random() < hard.overtime:
            changes["shifts"] = (*one.shifts, *map(_after, one.shifts))
        yield one.model_copy(update=changes)


def _after(shift: Shift) -> Shift:
    """Give four hours more, from where the shift ends: on its day, or on the next."""
    ends = (datetime.combine(LAST_DAY, shift.end) - timedelta(hours=20)).time()
    later = shift.end <= shift.start
    days = [WEEKDAYS[(WEEKDAYS.index(day) + later) % 7] for day in shift.days]
    return Shift(days=tuple(days), start=shift.end, end=ends)


def _ties(hard: HardRules, each: Sequence[Reader], rng: Generator) -> dict[str, Any]:
    """Let some be employed by a partner, and some declare that they don't read for somebody."""
    changes: dict[str, Any] = {}
    if rng.random() < hard.own_staff:
        changes["staff_of"] = (partners(hard)[int(rng.integers(hard.partners))],)
    if rng.random() < hard.conflicts:
        other = each[int(rng.integers(len(each)))]
        parties = (other.id, other.groups[0], partners(hard)[-1])
        changes["conflicts"] = (parties[int(rng.integers(len(parties)))],)
    return changes


def _first(
    hard: HardRules, first: FirstRead, readers: Mapping[str, Reader], rng: Generator
) -> FirstRead:
    """Let some partners name the first reader alone, by one name or the other."""
    known = readers.get(first.reader or "")
    bare, other = rng.random() < hard.unnamed_groups, rng.random() < 0.5  # noqa: PLR2004 - a coin
    if known is None or not bare:
        return first
    return FirstRead(status="present", reader=known.id if other else first.reader)


def _weighed(weights: Mapping[str, float], rng: Generator) -> str:
    names, total = list(weights), sum(weights.values())
    return str(rng.choice(names, p=[weights[name] / total for name in names]))
