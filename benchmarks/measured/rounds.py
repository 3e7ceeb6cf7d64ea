"""What does a round cost, and the next case, beside the raw solver on the same matrix?"""

import gc
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

import examples
from services.matching.domain.directed import Directed
from services.matching.domain.hours import intervals
from services.matching.domain.inputs import NobodyFits, OfferCase
from services.matching.domain.need import Need, need_of
from services.matching.domain.plan import Round
from services.matching.domain.policy import DIRECTED
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.reader import Reader
from services.matching.domain.rota import Rota
from services.matching.domain.spread import solved
from services.matching.domain.staff import Staff, staffed
from services.matching.domain.track import Track
from services.matching.domain.waiting import Waiting
from services.matching.simulation.scenario import read
from services.matching.simulation.world import draw
from shared.contracts.base import ReaderId
from shared.contracts.intake import CaseAccepted
from shared.runtime import collector

SCENARIO = Path(examples.__file__).parent / "simulation" / "load-0.85.json"
ASKED = 200
TIMES = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """Readers, the cases that wait for them with when each is owed (seconds), and the moment."""

    readers: Sequence[Reader]
    accepted: Sequence[tuple[CaseAccepted, float]]
    now: datetime

    @property
    def cases(self) -> list[tuple[Need, float]]:
        return [(need_of(accepted), due) for accepted, due in self.accepted]


def scene(cases: int, readers: int) -> Scene:
    """Draw a world with so many readers, on a Monday at 9:00 UTC, and as many cases as asked."""
    scenario = read(SCENARIO)
    known = scenario.readers.model_copy(update={"count": readers})
    days = -(-cases // (6 * readers)) + 1  # at this load; more is drawn than is used
    world = draw(scenario.model_copy(update={"readers": known, "days": days}), 1)
    now = scenario.starts_at.astimezone(UTC) + timedelta(hours=9)
    each = [(one.accepted, one.due_at) for one in world.cases[:cases]]
    return Scene(world.readers, each, now)


@dataclass
class Timed:
    """The solver, and how long it took; `matrices` are what it was given."""

    seconds: float = 0.0
    matrices: list[Any] = field(default_factory=list)

    def __call__(self, matrix: Any) -> Any:
        began = process_time()
        found = solved(matrix)
        self.seconds += process_time() - began
        self.matrices.append(matrix)
        return found


def measured(cases: int, readers: int) -> dict[str, float]:
    """Give milliseconds of CPU, the best of some rounds; and the process's peak of memory in MB."""
    seen = scene(cases, readers)
    gc.collect()
    collector.rarely()  # as in a service
    roster = {one.id: one for one in seen.readers}
    began = process_time()
    staff = staffed(roster)
    known = process_time() - began
    rounds = list(_rounds(seen, staff))
    directed, filled = _filled(seen, staff)
    asked = _asked(directed, seen)
    best = min(rounds, key=lambda one: one["round_ms"])
    return {
        "cases": len(seen.accepted),
        "readers": len(roster),
        "roster_ms": known * 1e3,
        "first_ms": rounds[0]["round_ms"],
        **best,
        "pool_ms": filled,
        "next_case_ms": asked,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _rounds(seen: Scene, staff: Staff) -> Iterator[dict[str, float]]:
    """Time rounds one after another: in the first, all that is kept is worked out."""
    began, tracks = process_time(), dict[ReaderId, Track]()
    waits = [
        Waiting(need, datetime.fromtimestamp(due, UTC), 1, frozenset(), frozenset(), None, False)  # noqa: FBT003 - a row
        for need, due in seen.cases
    ]
    known = process_time() - began
    for n in range(TIMES):
        found = _round(seen, staff, waits, tracks)
        yield found if n else found | {"round_ms": found["round_ms"] + known * 1e3}


def _round(
    seen: Scene, staff: Staff, waits: Sequence[Waiting], tracks: Mapping[ReaderId, Track]
) -> dict[str, float]:
    """Time one round until all is proposed, the raw solver again, and the reasons."""
    timed = Timed()
    began = process_time()
    this = Round(staff.roster, {}, seen.now, staff=staff, tracks=tracks, solver=timed)
    proposals = list(this.plan(waits))
    proposed = process_time()
    for matrix in timed.matrices:
        solved(matrix)
    raw = process_time()
    for one in proposals:
        if isinstance(one, OfferCase | NobodyFits) and one.considered:
            one.considered.written()
    written = process_time()
    return {
        "round_ms": (proposed - began) * 1e3,
        "solver_ms": timed.seconds * 1e3,
        "raw_solver_ms": (raw - proposed) * 1e3,
        "reasons_ms": (written - raw) * 1e3,
        "pairs": sum(one.nnz for one in timed.matrices),
        "offers": sum(isinstance(one, OfferCase) for one in proposals),
        "proposals": len(proposals),
    }


def _filled(seen: Scene, staff: Staff) -> tuple[Directed, float]:
    ahead = seen.now + timedelta(days=5)
    began = process_time()
    rota = Rota.of([intervals(one, seen.now, ahead) for one in staff.readers])
    directed = Directed(Pool(staff, rota, DIRECTED))
    for need, due in seen.cases:
        directed.add(Entry(need, due), seen.now.timestamp())
    return directed, (process_time() - began) * 1e3


def _asked(directed: Directed, seen: Scene) -> float:
    """Give the mean milliseconds of CPU in which a reader who asks is answered."""
    pool = directed.pool
    directed.present[:] = [one.on_shift(seen.now) for one in pool.staff.readers]
    directed.free_at[:] = seen.now.timestamp()
    who = np.flatnonzero(directed.present)[:ASKED]
    began = process_time()
    for reader in who:
        choice = directed.next_for(int(reader), seen.now.timestamp())
        if choice is not None:
            pool.drop(pool.entry(choice.row).need.case_id)
    return (process_time() - began) * 1e3 / max(1, len(who))
