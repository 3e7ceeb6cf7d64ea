"""Write the patients, clean them by the command that everybody has, and score what comes out."""

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread

from benchmarks.midi.files import Written, files
from benchmarks.midi.header import PARTS
from benchmarks.midi.key import Answer
from benchmarks.midi.people import people
from benchmarks.midi.pictures import number_of, scan, sonogram
from benchmarks.midi.score import Clean, Score, Scorer

_KEY = "bWlkaSBtaWRpIG1pZGkgbWlkaSBtaWRpIG1pZGkgbWk="  # of nobody's patients


@dataclass(frozen=True)
class Pixels(Mapping[int, Any]):
    """A file's pixels as they came, drawn again when they are asked for."""

    texts: Mapping[int, str | None]

    def __getitem__(self, number: int) -> Any:
        text = self.texts[number]
        return scan(number) if text is None else sonogram(number, text)

    def __iter__(self) -> Iterator[int]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Result:
    """What a run gave. `summary` is what the command said."""

    patients: int
    files: int
    score: Score
    summary: dict[str, Any]


def run(folder: Path, patients: int, seed: int, jobs: int) -> Result:
    """Everything in one folder, which is left to the caller."""
    answers, texts = _write(folder / "in", patients, seed)
    summary = _clean(folder, jobs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's remarks on values; ours are the answers
        clean = dict(_read(folder / "out"))
    score = Scorer(clean, Pixels(texts)).ask(answers)
    return Result(patients, len(texts), score, summary)


def _write(folder: Path, patients: int, seed: int) -> tuple[list[Answer], dict[int, str | None]]:
    answers: list[Answer] = []
    texts: dict[int, str | None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for person in people(patients, seed):
            place = folder / f"{person.number:04d}"
            place.mkdir(parents=True)
            for one in files(person, PARTS):
                (place / f"{one.number}.dcm").write_bytes(one.content())
                answers += one.answers
                texts[one.number] = _text(one)
    return answers, texts


def _text(one: Written) -> str | None:
    us = one.dataset.Modality == "US"
    return f"{one.person.family} {one.person.mrn}" if us else None


def _clean(folder: Path, jobs: int) -> dict[str, Any]:
    """0: all released; 3: something is in quarantine, which the score calls missing."""
    key = folder / "key"
    key.write_text(_KEY)
    source, target = str(folder / "in"), str(folder / "out")
    said = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "cli", "deid", source, target, "--key", str(key), "--json",
         "--jobs", str(jobs)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if said.returncode not in {0, 3}:
        raise RuntimeError(said.stderr[-2000:])
    summary: dict[str, Any] = json.loads(said.stdout)
    return summary


def _read(folder: Path) -> Iterator[tuple[int, Clean]]:
    """Whatever came out, recognised by its pixels alone."""
    for path in folder.rglob("*.dcm"):
        if "quarantine" in path.relative_to(folder).parts:
            continue
        dataset = dcmread(path)
        pixels = dataset.pixel_array
        number = number_of(pixels)
        if number is not None:
            yield number, Clean(path.read_bytes(), dataset, pixels)
