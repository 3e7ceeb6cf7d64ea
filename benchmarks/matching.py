"""How fast is matching? A round, and the next case, beside the raw solver, in one run.

`python -m benchmarks.matching [--cases N] [--readers N] [--json]`. Milliseconds of CPU.
"""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import numpy as np
from scipy.optimize import linear_sum_assignment

import examples
from services.matching.domain.directed import Directed
from services.matching.domain.hours import intervals
from services.matching.domain.need import need_of
from services.matching.domain.plan import Round, Waiting
from services.matching.domain.policy import DIRECTED
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Staff
from services.matching.simulation.scenario import read
from services.matching.simulation.world import World, draw

SCENARIO = Path(examples.__file__).parent / "simulation" / "load-0.85.json"
ASKED = 200


def world_of(readers: int, cases: int) -> World:
    """Draw a world with that many readers, and at least that many cases."""
    scenario = read(SCENARIO)
    per_day = 6 * readers  # at this load; more is drawn than is used
    known = scenario.readers.model_copy(update={"count": readers})
    days = max(1, -(-cases // per_day) + 1)
    return draw(scenario.model_copy(update={"readers": known, "days": days}), 1)


def measured(cases: int, readers: int) -> dict[str, float]:
    """Time a round's plan, the pool, the next case and the raw solver on the same matrix."""
    world = world_of(readers, cases)
    now = world.scenario.starts_at.astimezone(UTC) + timedelta(hours=9)
    roster = {one.id: one for one in world.readers}
    needs = [(need_of(one.accepted), one.due_at) for one in world.cases[:cases]]
    waits = [
        Waiting(need, datetime.fromtimestamp(due, UTC), 1, frozenset(), frozenset(), None, False)  # noqa: FBT003 - a row
        for need, due in needs
    ]
    began = process_time()
    offers = sum(1 for _ in Round(roster, {}, now).plan(waits))
    planned = process_time()
    staff = Staff(roster)
    ahead = now + timedelta(days=5)
    pool = Pool(staff, Rota.of([intervals(one, now, ahead) for one in world.readers]), DIRECTED)
    for need, due in needs:
        pool.add(Entry(need, due), now.timestamp())
    filled = process_time()
    asked = _asked(pool, world, now)
    cost = np.where(pool.able[list(pool.rows.values())], 0.0, 1.0)
    cost += np.random.default_rng(1).random(cost.shape) / 2
    solving = process_time()
    linear_sum_assignment(cost)
    solved = process_time()
    return {
        "cases": len(waits),
        "readers": len(roster),
        "round_ms": (planned - began) * 1e3,
        "proposals": offers,
        "pool_ms": (filled - planned) * 1e3,
        "next_case_ms": asked,
        "raw_solver_ms": (solved - solving) * 1e3,
    }


def _asked(pool: Pool, world: World, now: datetime) -> float:
    """Give the mean milliseconds of CPU in which a reader who asks is answered."""
    directed = Directed(pool)
    directed.present[:] = [one.on_shift(now) for one in world.readers]
    directed.free_at[:] = now.timestamp()
    who = np.flatnonzero(directed.present)[:ASKED]
    began = process_time()
    for reader in who:
        choice = directed.next_for(int(reader), now.timestamp())
        if choice is not None:
            pool.drop(pool.entry(choice.row).need.case_id)
    return (process_time() - began) * 1e3 / max(1, len(who))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measured(asked.cases, asked.readers)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:>16} {value:10.1f}")


if __name__ == "__main__":
    main()
