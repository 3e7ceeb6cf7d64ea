"""`python -m tests.storm --cases 1000 --minutes 5 --seed 1 [--planted NAME|all] [--json FILE]`."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.storm import planted
from tests.storm.ledger import Ledger
from tests.storm.run import Storm, run

CONSOLE = Console()
PLANTED_CASES = 40
PLANTED_SECONDS = 24.0


def main() -> int:
    asked = _arguments()
    if asked.planted:
        return _planted(asked)
    book = asyncio.run(run(Storm(asked.cases, asked.minutes * 60, asked.seed)))
    _show(book)
    _write(asked.json, book.as_json())
    return 1 if book.failures() else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", choices=["all", *planted.BUGS])
    parser.add_argument("--json", type=Path, help="write the ledger there too")
    return parser.parse_args()


def _planted(asked: argparse.Namespace) -> int:
    """Run a short storm for each planted bug: each has to be caught."""
    names = list(planted.BUGS) if asked.planted == "all" else [asked.planted]
    table = Table("planted bug", "what it does", "caught by", title="Planted bugs")
    missed = []
    for name in names:
        bug = planted.BUGS[name]
        CONSOLE.print(f"[bold]{name}[/]: {bug.what}")
        book = asyncio.run(run(planted.storm(name, PLANTED_CASES, PLANTED_SECONDS, asked.seed)))
        caught = [one for one in book.failures() if not one.startswith("no duplicate")]
        table.add_row(name, bug.what, "; ".join(caught) or "[red]not caught[/]")
        missed += [] if caught else [name]
    CONSOLE.print(table)
    CONSOLE.print(f"{len(names) - len(missed)} of {len(names)} planted bugs caught")
    return 1 if missed else 0


def _show(book: Ledger) -> None:
    table = Table("what", "count", title="Ledger of the storm")
    figures: dict[str, object] = {
        "cases accepted": book.accepted,
        "cases finished": book.finished,
        "cases lost": len(book.lost_cases),
        "inputs lost": len(book.lost_inputs),
        "effects duplicated": len(book.doubled),
        "out of order": len(book.disordered),
        "parked": book.parked,
        "events published": book.published,
        "duplicates absorbed": book.absorbed,
        "time to drain, s": book.drain_seconds,
        **{name.replace("_", " "): count for name, count in book.storm.items()},
    }
    for name, value in figures.items():
        table.add_row(name, str(value))
    CONSOLE.print(table)
    for one in (*book.lost_cases, *book.lost_inputs, *book.doubled, *book.disordered)[:20]:
        CONSOLE.print(f"  {one}")
    for failure in book.failures():
        CONSOLE.print(f"[red]{failure}[/]")


def _write(path: Path | None, ledger: dict[str, object]) -> None:
    text = json.dumps(ledger, indent=2)
    if path is None:
        CONSOLE.print_json(text)
    else:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
