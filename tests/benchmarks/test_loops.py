"""The short version of the benchmark of loops: blanking costs little more than writing."""

from pathlib import Path

import pytest

from benchmarks.measured import loops
from services.deid.domain.boxes import Placed
from services.deid.gateways.blanks import Blanks


def test_a_blanked_loop_costs_little_more_than_writing_it(tmp_path: Path) -> None:
    plain, blanked, arrays = loops.costs(tmp_path, 10, 5)

    assert blanked <= 2 * plain  # 1.5 is measured on a quiet machine
    assert blanked < arrays / 2


@pytest.mark.parametrize("frame", [None, 1])
def test_what_is_measured_is_blanked(tmp_path: Path, frame: int | None) -> None:
    source, target = tmp_path / "raw.dcm", tmp_path / "pixels"
    loops.written(source, 2)

    loops._write(source, target, Blanks(tuple(Placed(box, frame) for box in loops.BOXES)))

    pixels = target.read_bytes()[-2 * loops.FRAME :]
    first, second = pixels[: loops.FRAME], pixels[loops.FRAME :]
    bar = loops.BOXES[0].bottom * loops.COLUMNS * 3
    assert any(first[:bar]) == (frame == 1)
    assert not any(second[:bar])
    assert second[-loops.COLUMNS :] == source.read_bytes()[-loops.COLUMNS :]
