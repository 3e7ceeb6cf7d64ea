"""Was a reader there, and rested, when they took a case? From the words of the rules alone.

What is rostered is written down as stretches of absolute time, and walked back along half an hour
by half an hour: shifts in a simulation begin and end with the hour.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from services.matching.domain.effort import RVU, UNKNOWN
from services.matching.domain.reader import Reader
from services.matching.simulation.people import Folder
from services.matching.simulation.play import Play
from services.matching.simulation.scenario import Scenario

Stretch: TypeAlias = tuple[float, float]
WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR: Final = 3600.0
STEP: Final = 1800.0


class Hours:
    """What is rostered, and what each reader took, in the order of time."""

    def __init__(self, play: Play) -> None:
        self.readers = play.world.readers
        self.shifts = [_shifts(one, play.world.scenario) for one in self.readers]
        self.calls = [_calls(one) for one in self.readers]
        self.taken: defaultdict[int, list[tuple[float, float, int]]] = defaultdict(list)
        for at, folder, number, _ in play.accepted:
            self.taken[number].append((at, _work(folder), folder.number))
        for each in self.taken.values():
            each.sort()
        self.back = {(case, number): at for at, case, number in play.record.given_back}

    def faults(self, at: float, folder: Folder, number: int, *, paged: bool) -> Iterator[str]:
        on = _covers(self.shifts[number], at)
        called = not on and _covers(self.calls[number], at)
        if not (on or (paged and called)):
            yield "neither on shift nor on call" if paged else "not on shift"
        elif self.readers[number].caps != type(self.readers[number].caps)():
            yield from self._tired(at, folder, number, called=called)

    def _tired(self, at: float, folder: Folder, number: int, *, called: bool) -> Iterator[str]:
        caps = self.readers[number].caps
        rostered = [*self.shifts[number], *(self.calls[number] if called else ())]
        since = at
        while at - since < 48 * HOUR and any(a < since <= b for a, b in rostered):
            since -= since % STEP or STEP
        if caps.hours is not None and at - max(since, at - 48 * HOUR) >= caps.hours * HOUR:
            yield "too many hours"
        done = list(self._before(at, max(since, at - 24 * HOUR), number))
        if caps.cases is not None and len(done) >= caps.cases:
            yield "too many cases"
        if caps.rvu is not None and done and sum(done) + _work(folder) > caps.rvu + 1e-9:
            yield "too much work"

    def _before(self, at: float, since: float, number: int) -> Iterator[float]:
        """Give the work of each case that they took since then, and had not given back."""
        each = self.taken[number]
        for took, work, case in each[bisect_left(each, (since,)) : bisect_left(each, (at,))]:
            if not took <= self.back.get((case, number), -1.0) <= at:
                yield work


def _work(folder: Folder) -> float:
    return sum(RVU.get(one, UNKNOWN) for one in folder.arrival.accepted.modalities)


def _covers(each: list[Stretch], at: float) -> bool:
    return any(begins <= at < ends for begins, ends in each)


def _calls(reader: Reader) -> list[Stretch]:
    each = [one for one in reader.calendar if one.kind == "on_call"]
    return [(one.begins_at.timestamp(), one.ends_at.timestamp()) for one in each]


def _shifts(reader: Reader, scenario: Scenario) -> list[Stretch]:
    """Write down every shift from some days before the run to long after it."""
    place, found = ZoneInfo(reader.time_zone), []
    first = scenario.starts_at.astimezone(UTC).date() - timedelta(days=4)
    for day in (first + timedelta(days=n) for n in range(scenario.days + 20)):
        for one in reader.shifts:
            if WEEK[day.weekday()] in one.days:
                last = day if one.start < one.end else day + timedelta(days=1)
                begins = datetime.combine(day, one.start, place).timestamp()
                found.append((begins, datetime.combine(last, one.end, place).timestamp()))
    return found
