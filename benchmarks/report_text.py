"""How much of what identifies a person is found in a report, and how much else is lost?

Two sets of made-up reports with planted identifiers of all 18 classes of 45 CFR 164.514(b)(2).
`python -m benchmarks.report_text [--reports N] [--json] [--leaks]`
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import process_time

from benchmarks.texts.american import American
from benchmarks.texts.european import European
from benchmarks.texts.planting import CLASSES, Planted, Report, missed
from services.deid.domain.text.kinds import Scrubbed
from services.deid.gateways.scrubbing import scrub

REPORTS = 5000
SHIFT = -321
FOUND, KEPT = 99.5, 98.0  # per cent: what the platform promises
STYLES: dict[str, Callable[[int], American | European]] = {
    "structured, American": American,
    "dictated, European": European,
}


@dataclass
class Tally:
    """Counts over one set. `leaked` is what left: planted, not replaced, in a text not held."""

    planted: Counter[str] = field(default_factory=Counter)
    unreplaced: Counter[str] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)
    reports: int = 0
    held: int = 0
    words: int = 0
    kept: int = 0
    characters: int = 0
    seconds: float = 0

    def add(self, report: Report, found: Scrubbed) -> None:
        covered = bytearray(len(report.text))
        for one in found.replacements:
            covered[one.start : one.end] = b"\1" * (one.end - one.start)
        self.reports += 1
        self.held += bool(found.doubts)
        self.characters += len(report.text)
        self.planted.update(one.kind for one in report.planted)
        self.doubts.update(report.text[one.start : one.end][:24] for one in found.doubts)
        self._miss(report, missed(report, covered), held=bool(found.doubts))
        for start, end in report.clinical():
            self.words += 1
            self.kept += not any(covered[start:end])

    def _miss(self, report: Report, gone: Sequence[Planted], *, held: bool) -> None:
        self.unreplaced.update(one.kind for one in gone)
        if not held:
            self.leaked.update(one.kind for one in gone)
            self.examples += [(one.kind, report.text[one.start : one.end]) for one in gone]

    def figures(self) -> dict[str, float]:
        """Per cent, but for the milliseconds of CPU per report of a thousand characters."""
        planted = sum(self.planted.values())
        return {
            "found or held": 100 * (1 - sum(self.leaked.values()) / planted),
            "replaced": 100 * (1 - sum(self.unreplaced.values()) / planted),
            "clinical words kept": 100 * self.kept / self.words,
            "reports held": 100 * self.held / self.reports,
            "CPU ms a 1,000 characters": 1e6 * self.seconds / self.characters,
        }

    @property
    def reached(self) -> bool:
        figures = self.figures()
        everything = set(CLASSES) <= set(self.planted)
        found = figures["found or held"] >= FOUND
        return everything and found and figures["clinical words kept"] >= KEPT


def measured(style: str, reports: int, seed: int = 1) -> Tally:
    writer, tally = STYLES[style](seed), Tally()
    for _ in range(reports):
        report = writer.report()
        began = process_time()
        found = scrub(report.text, report.known, SHIFT)
        tally.seconds += process_time() - began
        tally.add(report, found)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=REPORTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--leaks", action="store_true", help="show what left, and what held")
    asked = parser.parse_args()
    tallies = {style: measured(style, asked.reports, asked.seed) for style in STYLES}
    if asked.json:
        print(json.dumps({style: one.figures() for style, one in tallies.items()}, indent=2))
        return
    for style, tally in tallies.items():
        _say(style, tally, leaks=asked.leaks)


def _say(style: str, tally: Tally, *, leaks: bool) -> None:
    print(f"{style}: {tally.reports} reports, {sum(tally.planted.values())} identifiers")
    for name, value in tally.figures().items():
        print(f"  {name:26} {value:7.2f}")
    print(f"  {'targets':26} {'reached' if tally.reached else 'MISSED'}")
    if leaks:
        print("  left by class:", dict(tally.leaked), "unreplaced:", dict(tally.unreplaced))
        print("  left:", Counter(tally.examples).most_common(40))
        print("  doubts:", tally.doubts.most_common(60))


if __name__ == "__main__":
    main()
