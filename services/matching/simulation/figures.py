"""What came of it? The figures of one run, counted from what the deciders said."""

from dataclasses import dataclass
from statistics import mean
from typing import Final

import numpy as np

from services.matching.domain.state import Stopped, brief_of
from services.matching.simulation.people import Folder
from services.matching.simulation.play import Play
from shared.contracts.base import ServiceLevel

# An hour late counts so much, by level: the shorter the promise, the worse.
TARDINESS: Final[dict[str, float]] = {
    "emergent": 8, "urgent": 4, "expedited": 2, "tumour_board": 1, "routine": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. Shares are in [0, 1]; times in minutes; `starved` counts unread cases.

    `right` is the share that a reader of the case's subspecialty read; `right_there` the same among
    the cases for which one who may read it was on shift in time.
    """

    cases: int
    breaches: int
    breached: float
    breached_by_level: dict[ServiceLevel, float]
    tardiness: float
    tat_p50: float
    tat_p95: float
    tat_p99: float
    right: float
    right_there: float
    gini: float
    offers_a_case: float
    pages: int
    starved: int
    longest_late: float


def figures(play: Play) -> Figures:
    late = [one for one in play.folders if _late(one)]
    levels = {one.arrival.accepted.service_level for one in play.folders}
    turnarounds = [(_ended(play, one) - one.arrival.at) / 60 for one in play.folders]
    p50, p95, p99 = np.percentile(turnarounds, (50, 95, 99)) if turnarounds else (0, 0, 0)
    cases = max(1, len(play.folders))
    return Figures(
        cases=len(play.folders),
        breaches=len(late),
        breached=len(late) / cases,
        breached_by_level={level: _share(play, level) for level in sorted(levels)},
        tardiness=sum(_minutes_late(play, one) / 60 * _weight(one) for one in late) / cases,
        tat_p50=float(p50),
        tat_p95=float(p95),
        tat_p99=float(p99),
        right=mean([_right(play, one) for one in play.folders] or [0]),
        right_there=mean([_right(play, one) for one in play.folders if _there(play, one)] or [0]),
        gini=gini(_shares_of_work(play)),
        offers_a_case=sum(one.asked for one in play.folders) / cases,
        pages=sum(one.paged for one in play.folders),
        starved=sum(one.delivered_at is None for one in play.folders),
        longest_late=max((_minutes_late(play, one) for one in late), default=0.0),
    )


def gini(values: np.ndarray) -> float:
    """Give the Gini coefficient of shares that are not negative: 0 is all alike."""
    ordered = np.sort(values)
    if not len(ordered) or not ordered.sum():
        return 0.0
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def _late(folder: Folder) -> bool:
    clock = folder.state.clock
    return not isinstance(clock, Stopped) or clock.outcome == "breached"


def _minutes_late(play: Play, folder: Folder) -> float:
    return max(0.0, (_ended(play, folder) - folder.arrival.due_at) / 60)


def _ended(play: Play, folder: Folder) -> float:
    """Give when a case ended; what was never read had waited until the world ended."""
    return play.now if folder.delivered_at is None else folder.delivered_at


def _weight(folder: Folder) -> float:
    return TARDINESS[folder.arrival.accepted.service_level]


def _share(play: Play, level: ServiceLevel) -> float:
    of = [one for one in play.folders if one.arrival.accepted.service_level == level]
    return sum(map(_late, of)) / len(of)


def _right(play: Play, folder: Folder) -> bool:
    if folder.reader is None:
        return False
    fields = play.world.readers[folder.reader].subspecialties
    return folder.arrival.accepted.subspecialty in fields


def _there(play: Play, folder: Folder) -> bool:
    """Tell whether a right subspecialist was there while the reading could begin in time."""
    brief = brief_of(folder.state.assignment)
    if brief is None:
        return False
    arrival, staff = folder.arrival, play.staff
    right = staff.able(brief.need, arrival.accepted.accepted_at).right
    last = arrival.due_at - (arrival.minutes + play.world.scenario.deliver_minutes) * 60
    return any(
        begins <= last and ends > arrival.opens_at
        for n in np.flatnonzero(right)
        if n not in staff.conflicted(brief.need)
        for begins, ends in play.world.traits[n].present
    )


def _shares_of_work(play: Play) -> np.ndarray:
    """Give how much each reader read for each hour that they were there."""
    hours = [sum(b - a for a, b in one.present) / 3600 for one in play.world.traits]
    return np.array([seat.worked / h for seat, h in zip(play.seats, hours, strict=True) if h > 0])
