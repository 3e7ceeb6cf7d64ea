"""Does every import rule catch what it forbids? Each is broken once, in a copy, and must say so."""

import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("cli", "examples", "services", "shared")
LINT = Path(sys.executable).with_name("lint-imports")
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


@dataclass(frozen=True)
class Plant:
    """A line added to a file (a new one, where there is none), and the rule that forbids it."""

    rule: str
    file: str
    line: str = '"""Says nothing."""'

    @property
    def names(self) -> str:
        """What the rule has to name: the planted module, as seen from its parent."""
        return f".{Path(self.file).stem}"

    def __str__(self) -> str:
        return f"{self.rule}: {self.file}: {self.line}"


PLANTS = (
    Plant("top", "shared/runtime/clock.py", "import cli.keys"),
    Plant("top", "services/deid/settings.py", "import cli.keys"),
    Plant("top", "shared/decider.py", "import services.intake.settings"),
    Plant("independent", "services/intake/settings.py", "import services.notify.settings"),
    Plant("rooms", "services/reporting/store.py", "import services.reporting.api.asking"),
    Plant("rooms", "services/reporting/settings.py", "import services.reporting.__main__"),
    Plant("rooms", "services/notify/utils.py"),
    Plant("door", "services/matching/domain/state.py", "import services.matching.domain.decide"),
    Plant("stores", "services/reporting/store.py", "import services.reporting.domain.decide"),
    Plant("stores", "services/intake/gateways/seed.py", "import services.intake.domain.decide"),
    Plant("database", "services/reporting/api/reading.py", "import asyncpg"),
    Plant("dicom", "services/notify/performers.py", "import pydicom"),
    Plant("dicom", "services/deid/api/looking.py", "import pydicom"),
    Plant("kafka", "services/matching/optimiser.py", "import faststream"),
    Plant("kafka", "shared/runtime/jobs.py", "import aiokafka"),
    Plant("shared", "shared/runtime/clock.py", "import shared.testing.spec"),
    Plant("shared", "shared/contracts/base.py", "import shared.decider"),
    Plant("shared", "shared/utils.py"),
    Plant("contracts", "shared/contracts/base.py", "import shared.contracts.intake"),
    Plant("contracts", "shared/contracts/matching.py", "import shared.contracts.notify"),
    Plant("contracts", "shared/contracts/billing.py"),
    Plant("pure", "services/matching/domain/plan.py", "import time"),
    Plant("pure", "services/reporting/domain/decide.py", "import random"),
    Plant("pure", "services/notify/domain/state.py", "import shared.runtime.clock"),
    Plant("pure", "services/intake/domain/state.py", "import asyncpg"),
    Plant("pure", "services/deid/domain/state.py", "import os"),
    Plant("pure", "shared/decider.py", "import logging"),
    Plant("pure", "shared/contracts/base.py", "import asyncio"),
    Plant("tests", "services/matching/store/world.py", "import shared.testing.spec"),
    Plant("tests", "cli/keys.py", "import pytest"),
    Plant("tests", "shared/runtime/jobs.py", "import hypothesis"),
    Plant("flow-intake", "shared/runtime/wire.py", "import shared.contracts.intake"),
    Plant("flow-deid", "services/intake/settings.py", "import shared.contracts.deid"),
    Plant("flow-matching", "services/deid/settings.py", "import shared.contracts.matching"),
    Plant("flow-matching", "services/intake/settings.py", "import shared.contracts.matching"),
    Plant("flow-reporting", "services/deid/settings.py", "import shared.contracts.reporting"),
    Plant("flow-report", "services/matching/settings.py", "import shared.contracts.report"),
    Plant("flow-notify", "services/deid/settings.py", "import shared.contracts.notify"),
    Plant("topics", "services/matching/optimiser.py", "import shared.contracts.topics"),
    Plant("cycles", "shared/runtime/patience.py", "import shared.runtime.service"),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code and its rules, where they can be broken."""
    where = tmp_path_factory.mktemp("overread")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.jar")
        shutil.copytree(ROOT / package, where / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", where)
    return where


def lint(where: Path, *rules: str) -> "subprocess.CompletedProcess[str]":
    """Lint a copy; the packages found are the copy's, because it is where the linter stands."""
    wanted = [option for rule in rules for option in ("--contract", rule)]
    return subprocess.run(  # noqa: S603 - our own linter
        [LINT, "--no-logo", *wanted], cwd=where, capture_output=True, text=True, check=False
    )


def test_every_rule_holds(copy: Path) -> None:
    found = lint(copy)

    assert found.returncode == 0, found.stdout
    assert f"{len(RULES)} kept, 0 broken" in found.stdout


def test_every_rule_is_broken_once() -> None:
    assert {rule["id"] for rule in RULES} == {plant.rule for plant in PLANTS}


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_forbidden_import_is_caught(copy: Path, plant: Plant) -> None:
    file = copy / plant.file
    before = file.read_text() if file.exists() else None
    file.write_text(f"{before or ''}\n{plant.line}\n")

    found = lint(copy, plant.rule)

    if before is None:
        file.unlink()
    else:
        file.write_text(before)
    assert found.returncode == 1, found.stdout
    assert "1 broken" in found.stdout
    assert plant.names in found.stdout
