"""The short version of the benchmark of burned-in text, and that a blind detector fails it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.burned import __main__ as script
from benchmarks.burned.looked import Frame, Line, frame
from benchmarks.burned.score import figures
from benchmarks.measured.engine import task
from services.deid.gateways.looking import text

FEW = (2, 24)  # an MR and a radiograph that are small


def unreached(frames: list[Frame]) -> set[str]:
    return {one.name for one in figures(frames) if one.reached is False}


def test_words_on_a_few_frames_are_hidden_and_nothing_else_is_touched(tmp_path: Path) -> None:
    frames = [frame(number, tmp_path, task()) for number in FEW]

    assert sum(len(one.lines) for one in frames) >= 5
    assert not unreached(frames)
    assert sum(one.bare for one in frames) == 0


def test_a_blind_detector_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "likelihood", lambda grey, *_: np.zeros(grey.shape, np.float32))
    monkeypatch.setattr(text, "rows", lambda *_: ())

    assert unreached([frame(24, tmp_path, task())]) == {
        "hidden, or the frame held",
        "passed unseen",
    }


def test_each_fault_is_seen() -> None:
    good = Frame(0, "CT", "8 bits", (Line(12, 0.0, "sans", 0.5, 1.0),), (), (), 0.0, 0, 0, 1.0)
    unseen = replace(good, lines=(Line(12, 0.0, "sans", 0.5, 0.2),))

    assert not unreached([good])
    assert not unreached([replace(unseen, held=("text_uncertain",))])
    assert unreached([unseen]) == {"hidden, or the frame held", "passed unseen"}
    assert unreached([replace(good, clean_held=("text_uncertain",))]) == {"  held"}
    assert unreached([replace(good, altered=1)]) == {"pixels outside of boxes altered"}


def test_a_run_goes_on_where_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []
    good = Frame(0, "CT", "8 bits", (Line(12, 0.0, "sans", 0.5, 1.0),), (), (), 0.0, 0, 0, 1.0)

    def measured(number: int, *_: object) -> Frame:
        asked.append(number)
        return replace(good, number=number)

    monkeypatch.setattr(script, "frame", measured)
    results = tmp_path / "burned.jsonl"
    argv = ["burned", "--frames", "3", "--results", str(results)]
    monkeypatch.setattr("sys.argv", argv)
    script.main()
    results.write_text(results.read_text()[:-9])  # a stop in the middle of the last line

    script.main()

    assert asked == [0, 1, 2, 2]
    assert "3 generated frames" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["burned", "--table", "--results", str(results)])

    script.main()

    assert asked == [0, 1, 2, 2]
    assert "3 generated frames" in capsys.readouterr().out
