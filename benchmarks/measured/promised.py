"""Do the simulated runs keep what is promised of them? Each promise with its worst example."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any, Final, TypeAlias

from services.matching.simulation.run import DIRECTED, ON_CALL

CLAIM: Final = "first_to_claim"
Line: TypeAlias = Mapping[str, Any]
Seeds: TypeAlias = dict[int, Line]
SEEDS: Final = 10
# First to claim breaches so many times as often: without and with who is on call.
CLAIMS: Final = {"load-0.85": (3.5, 12.0), "load-0.95": (6.0, 20.0)}


@dataclass(frozen=True, slots=True)
class Promise:
    """`worst` is over the examples, and `where` it is; `kept`: it is within the `limit`."""

    name: str
    limit: str
    worst: float
    where: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Ours:
    """The runs of one of our policies in each example, by seed."""

    policy: str
    runs: Mapping[str, Seeds]

    def most(self, name: str, most: float, figure: Callable[[Seeds], float]) -> Promise:
        each = {one: figure(seeds) for one, seeds in self.runs.items()}
        where = max(each, key=each.__getitem__)
        told = f"{self.policy}: {name}"
        return Promise(told, f"at most {most:g}", each[where], where, each[where] <= most)

    def least(self, name: str, least: float, figure: Callable[[Seeds], float]) -> Promise:
        each = {one: figure(seeds) for one, seeds in self.runs.items()}
        where = min(each, key=each.__getitem__)
        told = f"{self.policy}: {name}"
        return Promise(told, f"at least {least:g}", each[where], where, each[where] >= least)


def promises(runs: Iterable[Line], examples: Iterable[str]) -> Iterator[Promise]:
    """Give all promises over the examples; one that was not played breaks them."""
    found: defaultdict[tuple[str, str], Seeds] = defaultdict(dict)
    for one in runs:
        found[one["scenario"], one["policy"]][one["seed"]] = one
    names = list(examples)
    for policy, most in ((DIRECTED, 1.25), (ON_CALL, 0.35)):
        ours = Ours(policy, {name: found[name, policy] for name in names})
        yield ours.most("breaches, times the bound", most, _times)
        yield ours.least("read by the right subspecialist", 0.88, _mean("right"))
        yield ours.least("the same, one there", 0.93, _mean("right_there"))
        yield ours.most("Gini of work", 0.2, _mean("gini"))
        yield ours.most("offers a case", 1.3, _mean("offers_a_case"))
        yield ours.most("cases left unread", 0, _mean("starved"))
        yield ours.least("seeds", SEEDS, len)
    for name, limits in CLAIMS.items():
        for policy, least in zip((DIRECTED, ON_CALL), limits, strict=True):
            times = _claimed(found[name, CLAIM], found[name, policy])
            told = f"first to claim over {policy}, breaches"
            yield Promise(told, f"at least {least:g}", times, name, times >= least)


def rows(found: Iterable[Promise]) -> list[list[str]]:
    return [
        [one.name, one.limit, f"{one.worst:.3g}", one.where, "yes" if one.kept else "no"]
        for one in found
    ]


def _times(seeds: Seeds) -> float:
    """Give the mean share of breaches over that of the bound; nothing played is endless."""
    if not seeds:
        return float("inf")
    least = mean(one["bound"]["breaches"] / one["bound"]["cases"] for one in seeds.values())
    return float(mean(one["figures"]["breached"] for one in seeds.values()) / least)


def _mean(key: str) -> Callable[[Seeds], float]:
    """Give the mean of a figure; nothing played has none, and is within no limit."""
    return lambda seeds: (
        mean(one["figures"][key] for one in seeds.values()) if seeds else float("nan")
    )


def _claimed(theirs: Seeds, ours: Seeds) -> float:
    """Give how many times as many breaches they have over ten seeds or more that both played."""
    both = theirs.keys() & ours.keys()
    if len(both) < SEEDS:
        return 0.0
    they, we = (sum(one[seed]["figures"]["breaches"] for seed in both) for one in (theirs, ours))
    return float(they / max(we, 1))
