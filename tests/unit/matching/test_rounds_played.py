"""Pushed offers in virtual time: the service's own rounds, and offers withdrawn for who fits."""

from collections import Counter
from pathlib import Path

import pytest

import examples
from services.matching.domain.policy import Better, Policy
from services.matching.domain.state import brief_of
from services.matching.simulation.figures import figures
from services.matching.simulation.oracle import broken
from services.matching.simulation.play import Play
from services.matching.simulation.rounds import InRounds
from services.matching.simulation.run import PUSHED, played
from services.matching.simulation.scenario import read
from services.matching.simulation.world import World, draw

FOLDER = Path(examples.__file__).parent / "simulation"


@pytest.fixture(scope="module")
def slow() -> World:
    """A day of few readers who think for long, so that others become free meanwhile."""
    scenario = read(FOLDER / "thin-pool.json")
    few = scenario.readers.model_copy(update={"count": 40, "second_field": 1.0, "capacity": 2})
    pensive = scenario.friction.model_copy(update={"answer_median_minutes": 30.0, "answers": 1.0})
    changes = {"days": 1, "load": 0.6, "readers": few, "friction": pensive}
    return draw(scenario.model_copy(update=changes), 1)


def outdone(play: Play) -> list[int]:
    """Give how often each case's offers were withdrawn for a better reader."""
    briefs = [brief_of(one.state.assignment) for one in play.folders]
    return [one.outdone for one in briefs if one is not None]


@pytest.mark.parametrize("most", [0, 1, 2])
def test_offers_give_way_as_often_as_the_policy_lets_them(slow: World, most: int) -> None:
    play = Play(slow)
    player = InRounds(play, Policy(better=Better(by=0.05, at_most=most)))

    play.run(player)

    assert broken(play) == []
    counts = Counter(outdone(play))
    assert max(counts) <= most
    assert (player.outdone > 0) == (most > 0)
    assert sum(n * cases for n, cases in counts.items()) == player.outdone
    assert figures(play).cases == len(slow.cases)


def test_it_is_a_policy_like_the_others(slow: World) -> None:
    assert figures(played(slow, PUSHED, Policy())).offers_a_case >= 1
