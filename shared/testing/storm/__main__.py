"""How is a storm asked for? `make storm CASES=1000 MINUTES=5 SEED=1 [PLANTED=NAME|all]`."""

import argparse
import asyncio
import json
import shutil
import signal
import sys
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from shared.runtime.local import supervisor
from shared.runtime.local.failure import SetupError
from shared.runtime.local.places import DEFAULT_ROOT, Places
from shared.testing.storm.ledger import Ledger
from shared.testing.storm.planted import BUGS
from shared.testing.storm.run import Forecast, Storm

CONSOLE = Console(stderr=True)
FOLDER = DEFAULT_ROOT / "storm"
SHOWN = 12
# A planted bug shows in a short storm; what it has lost does not come by waiting longer.
HUNTED = Forecast(cases=16, seconds=16, seed=1, still_seconds=15)


def main(arguments: list[str]) -> int:
    """Run it; 0 when nothing was lost, doubled or disordered (or every planted bug was caught)."""
    asked = _parser().parse_args(arguments)
    # Whoever ends us, ends all that we have started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if asked.planted:
            names = sorted(BUGS) if asked.planted == "all" else [asked.planted]
            return _hunt(names, asked.seed)
        forecast = Forecast(asked.cases, 60 * asked.minutes, asked.seed)
        ledger = rage(forecast)
    except SetupError as error:
        CONSOLE.print(f"{error}\n{error.mend or ''}", style="red")
        return 2
    _show(ledger)
    sys.stdout.write(json.dumps(ledger.as_json()) + "\n")
    return 1 if ledger.flaws else 0


def rage(forecast: Forecast) -> Ledger:
    """Run one storm; its logs and data stay in the folder until the next one."""
    if FOLDER.exists():
        supervisor.sweep(Places(FOLDER))  # what a storm that was cut short has left running
        shutil.rmtree(FOLDER)
    return asyncio.run(Storm(forecast, FOLDER, tell=_said).rage())


def _hunt(names: list[str], seed: int) -> int:
    caught: dict[str, list[str]] = {}
    for name in names:
        ledger = rage(replace(HUNTED, seed=seed, bug=name))
        caught[name] = sorted({flaw.partition(":")[0] for flaw in _found(ledger)})
        CONSOLE.print(f"{name}: {', '.join(caught[name]) or 'NOT CAUGHT'}")
        for flaw in _found(ledger)[:3]:
            CONSOLE.print(f"  {flaw}")
    table = Table("planted bug", "what it does", "caught by")
    for name, checks in caught.items():
        table.add_row(name, BUGS[name].claim, ", ".join(checks) or "[red]nothing")
    CONSOLE.print(table)
    sys.stdout.write(json.dumps(caught) + "\n")
    return 0 if all(caught.values()) else 1


def _found(ledger: Ledger) -> list[str]:
    """What a bug led to; that nothing was absorbed would catch nothing in particular."""
    return [*ledger.lost, *ledger.doubled, *ledger.disordered]


def _show(ledger: Ledger) -> None:
    table = Table("the storm's ledger", "")
    rows = {
        "cases accepted": ledger.accepted,
        "cases whose result was delivered": ledger.finished,
        "events": ledger.events,
        "lost": len(ledger.lost),
        "duplicated effects": len(ledger.doubled),
        "out of order": len(ledger.disordered),
        "duplicates absorbed": ledger.absorbed,
        "killed": ", ".join(f"{name} {count}" for name, count in sorted(ledger.kills.items())),
        "seconds to drain": f"{ledger.seconds_to_drain:.0f}",
    }
    for name, figure in rows.items():
        table.add_row(name, str(figure))
    CONSOLE.print(table)
    for flaw in ledger.flaws[:SHOWN]:
        CONSOLE.print(flaw, style="red")
    if len(ledger.flaws) > SHOWN:
        CONSOLE.print(f"and {len(ledger.flaws) - SHOWN} more", style="red")


def _said(step: str) -> None:
    CONSOLE.print(f"  {step}", style="dim")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make storm")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", choices=["all", *sorted(BUGS)], help="hunt planted bugs")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
