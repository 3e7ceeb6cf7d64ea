"""What the simulation promises: same luck, real deciders, an oracle that sees, a valid bound."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import examples
from cli.__main__ import command_line
from services.matching.domain.policy import Policy
from services.matching.domain.state import brief_of
from services.matching.simulation.bound import bound
from services.matching.simulation.figures import figures, gini
from services.matching.simulation.oracle import broken
from services.matching.simulation.ours import Ours
from services.matching.simulation.play import Play
from services.matching.simulation.run import DIRECTED, ON_CALL, OracleObjected, played
from services.matching.simulation.scenario import Scenario, ScenarioBroken, parse, read
from services.matching.simulation.world import draw

FOLDER = Path(examples.__file__).parent / "simulation"
EXAMPLES = sorted(FOLDER.glob("*.json"))


@pytest.fixture(scope="module")
def short() -> Scenario:
    return read(FOLDER / "load-0.95.json").model_copy(update={"days": 1})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda one: one.stem)
def test_every_example_is_a_scenario_of_its_name(path: Path) -> None:
    assert read(path).name == path.stem


def test_the_examples_are_those_that_were_asked_for() -> None:
    wanted = {"load-0.70", "load-0.85", "load-0.95", "surge", "thin-pool", "high-friction", "rules"}
    assert {one.stem for one in EXAMPLES} == wanted


def test_a_broken_scenario_names_its_fields() -> None:
    content = json.loads((FOLDER / "surge.json").read_text())
    content["load"] = -1
    content["hours"] = [1]
    content["strange"] = True
    with pytest.raises(ScenarioBroken) as error:
        parse("mine.json", content)
    for field in ("mine.json, load:", "mine.json, hours:", "mine.json, strange:"):
        assert field in str(error.value)


def test_a_seed_draws_the_same_world_for_every_policy(short: Scenario) -> None:
    one, two, other = draw(short, 1), draw(short, 1), draw(short, 2)
    assert one == two
    assert one.cases != other.cases


def test_the_load_is_what_the_readers_can_do(short: Scenario) -> None:
    longer = short.model_copy(update={"days": 14})
    world = draw(longer, 1)
    assert len(world.readers) == 120
    assert 10_000 < len(world.cases) < 12_500


def test_a_surge_brings_more_within_its_hours() -> None:
    scenario = read(FOLDER / "surge.json")
    assert scenario.surge is not None
    begins = (scenario.starts_at + scenario.surge.after).timestamp()
    ends = begins + scenario.surge.lasts.total_seconds()
    world = draw(scenario, 1)
    by_day = Counter(
        int((one.at - begins) // timedelta(days=1).total_seconds())
        for one in world.cases
        if (one.at - begins) % 86400 < ends - begins
    )
    assert by_day[0] > 2 * by_day[-1]


def test_directed_next_case_beats_claiming_and_nobody_starves(short: Scenario) -> None:
    world = draw(short, 1)
    ours = figures(played(world, DIRECTED, Policy()))
    claimed = figures(played(world, "first_to_claim", Policy()))
    assert ours.starved == claimed.starved == 0
    assert ours.breaches <= claimed.breaches
    assert ours.right > 0.9 > claimed.right
    assert ours.offers_a_case < 1.3


def test_what_a_reader_would_not_take_waits_for_another() -> None:
    """A case that was refused, or said no to, was in nobody's pool any more."""
    scenario = read(FOLDER / "thin-pool.json")
    few = scenario.readers.model_copy(update={"count": 12})
    moody = scenario.friction.model_copy(update={"declines_next": 0.25, "declines": 0.5})
    changes = {"days": 1, "load": 0.5, "readers": few, "friction": moody}
    world = draw(scenario.model_copy(update=changes), 1)

    found = played(world, ON_CALL, Policy())

    nobody_left = [one for one in found.folders if one.delivered_at is None]
    able = world.staff.able
    for one in nobody_left:
        brief = brief_of(one.state.assignment)
        assert brief is not None
        who = np.flatnonzero(able(brief.need, brief.need.accepted_at).broad)
        assert {world.readers[n].id for n in who} <= brief.noes
    assert len(nobody_left) < len(found.folders) / 10


def test_no_policy_beats_the_bound(short: Scenario) -> None:
    world = draw(short, 3)
    least = bound(world)
    assert 0 <= least.impossible <= least.breaches
    for name in (DIRECTED, "earliest_deadline"):
        assert figures(played(world, name, Policy())).breaches >= least.breaches - 1e-6


def test_the_bound_is_tight_where_nobody_can_read(short: Scenario) -> None:
    """Without a reader who is there every case is late, and the bound says so."""
    world = draw(short, 1)
    away = tuple(replace(one, present=()) for one in world.traits)
    assert bound(replace(world, traits=away)).breaches == len(world.cases)


def test_pages_save_what_nobody_on_shift_could(short: Scenario) -> None:
    world = draw(short, 1)
    without = figures(played(world, DIRECTED, Policy()))
    paging = figures(played(world, ON_CALL, Policy()))
    assert without.pages == 0
    assert paging.pages > 0
    assert paging.breaches < without.breaches


def test_the_oracle_sees_a_licence_that_is_missing(short: Scenario) -> None:
    world = draw(short, 1)
    play = Play(world)
    play.run(Ours(play, Policy(pages=False)))
    assert broken(play) == []
    at, folder, reader, paged = play.accepted[0]
    unlicensed = [r.model_copy(update={"licences": ()}) for r in world.readers]
    play.world = replace(world, readers=tuple(unlicensed))
    assert any(one.endswith("no licence") for one in broken(play))
    play.world = world
    play.accepted[0] = (at + 12 * 3600, folder, reader, paged)
    assert any("shift" in one for one in broken(play))
    play.accepted.append((at, folder, reader, paged))
    assert any("twice" in one for one in broken(play))


def test_a_run_that_breaks_a_rule_is_worth_nothing(
    short: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.matching.simulation.run.broken", lambda _: ["case 1: no licence"])
    with pytest.raises(OracleObjected, match="no licence"):
        played(draw(short, 1), DIRECTED, Policy())


def test_gini_is_nothing_where_all_have_alike() -> None:
    assert gini(np.ones(5)) == pytest.approx(0)
    assert gini(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(0.75)
    assert gini(np.zeros(3)) == 0


def test_the_command_prints_the_bound_and_every_figure(tmp_path: Path) -> None:
    content = json.loads((FOLDER / "load-0.70.json").read_text()) | {"days": 1}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(content))
    asked = ["simulate", "--scenario", str(path), "--policy", "directed", "--json"]
    said = CliRunner().invoke(command_line("simulate"), asked)
    assert said.exit_code == 0, said.output
    (seed,) = json.loads(said.stdout)["seeds"]
    assert seed["results"][0]["policy"] == "directed"
    assert seed["results"][0]["figures"]["cases"] == seed["bound"]["cases"] > 100
    shown = CliRunner().invoke(command_line("simulate"), asked[:-1])
    assert "nobody could breach less than" in shown.stdout


def test_the_table_has_a_column_for_each_level_that_occurs(tmp_path: Path) -> None:
    content = json.loads((FOLDER / "load-0.70.json").read_text()) | {"days": 1}
    levels = content["levels"]
    content["levels"] = {"emergent": levels["emergent"], "tumour_board": levels["routine"]}
    share = 1 / len(content["levels"])
    for one in content["levels"].values():
        one["share"] = share
    path = tmp_path / "boards.json"
    path.write_text(json.dumps(content))

    asked = ["simulate", "--scenario", str(path), "--policy", "directed"]
    shown = CliRunner().invoke(command_line("simulate"), asked)

    assert shown.exit_code == 0, shown.output
    assert "tumour_board" in shown.stdout.replace("\n", "")
    assert "urgent %" not in shown.stdout
