"""How do policies compare on the same cases? Each plays the same worlds; the bound knows them."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from services.matching.domain.policy import Policy
from services.matching.simulation.baselines import BASELINES
from services.matching.simulation.bound import Bound, bound
from services.matching.simulation.figures import Figures, figures
from services.matching.simulation.oracle import broken
from services.matching.simulation.ours import Ours
from services.matching.simulation.play import Play
from services.matching.simulation.rounds import InRounds
from services.matching.simulation.scenario import Scenario
from services.matching.simulation.world import World, draw

DIRECTED: Final = "directed"
ON_CALL: Final = "directed_with_pages"
PUSHED: Final = "pushed_in_rounds"
POLICIES: Final = (DIRECTED, ON_CALL, PUSHED, *BASELINES)


class OracleObjected(AssertionError):  # noqa: N818 - what happened
    """Somebody got a case who may not read it: the simulation is worth nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """One policy in one seed; `of_bound` is its breaches over the least possible."""

    policy: str
    seed: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Seed:
    """All that was played in one seed."""

    seed: int
    bound: Bound
    results: tuple[Result, ...]


def simulate(
    scenario: Scenario, names: Iterable[str], seeds: Iterable[int], policy: Policy
) -> Iterator[Seed]:
    """Play every policy in every seed; raises OracleObjected on the first broken constraint."""
    names = tuple(names)
    for seed in seeds:
        world = draw(scenario, seed)
        results = tuple(result(world, one, seed, policy) for one in names)
        yield Seed(seed, bound(world), results)


def result(world: World, name: str, seed: int, policy: Policy) -> Result:
    with _uncollected():
        return Result(name, seed, figures(played(world, name, policy)))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare the collector a world of immutable states, which it would walk again and again."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def played(world: World, name: str, policy: Policy) -> Play:
    """Play one policy to the end, and have the oracle look at every assignment."""
    play = Play(world)
    if name in BASELINES:
        play.run(BASELINES[name](play))
    elif name == PUSHED:
        play.run(InRounds(play, policy))
    else:
        pages = policy.pages and name == ON_CALL
        play.run(Ours(play, policy.model_copy(update={"pages": pages})))
    if faults := broken(play):
        raise OracleObjected("; ".join(faults[:5]))
    return play
