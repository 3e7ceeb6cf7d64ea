"""What became of one frame, with words on it and without? Cleaned as a file and read back."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.utils import pixel_array

from benchmarks.burned.files import LOSSY, coded, codings
from benchmarks.burned.scenes import KINDS, Picture, Scene, scene
from benchmarks.burned.words import Word, burn
from services.deid.domain.boxes import Placed
from services.deid.gateways.instance import Receipt, Task, clean_instance

_NEAR = 20  # pixels around a box in a JPEG: its blocks, and over what decoders smooth colour


@dataclass(frozen=True, slots=True)
class Line:
    """One burned-in line, and the share of its ink that was hidden."""

    size: int
    turn: float
    font: str
    contrast: float
    hidden: float


@dataclass(frozen=True, slots=True)
class Frame:
    """`clean_held`, `clean_blanked`: of the frame without words, None where it was not looked at.

    `altered`: pixels outside of the boxes that differ; `bare`: pixels inside that are not black.
    `seconds`: CPU of a file.
    """

    number: int
    kind: str
    coding: str
    lines: tuple[Line, ...]
    held: tuple[str, ...]
    clean_held: tuple[str, ...] | None
    clean_blanked: float | None
    altered: int
    bare: int
    seconds: float

    def dumped(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def loaded(cls, values: dict[str, Any]) -> Self:
        lines = tuple(Line(**one) for one in values.pop("lines"))
        held, clean = tuple(values.pop("held")), values.pop("clean_held")
        clean_held = None if clean is None else tuple(clean)
        return cls(**values, lines=lines, held=held, clean_held=clean_held)


def frame(number: int, folder: Path, task: Task) -> Frame:
    """The frame of this number, always the same one; every second one without words as well."""
    dice = np.random.default_rng([number, 1])
    kind = KINDS[number % len(KINDS)]
    clean = scene(kind, dice)
    burned, words = burn(clean.pixels, dice)
    names = codings(clean.pixels)
    coding = names[number // len(KINDS) % len(names)]
    began = time.process_time()
    done = [_Cleaned.of(clean, burned, coding, folder, task)]
    if number % 2 == 0:
        done.append(_Cleaned.of(clean, clean.pixels, coding, folder, task))
    without = done[1] if len(done) > 1 else None
    return Frame(
        number=number,
        kind=kind,
        coding=coding,
        lines=_lines(words, done[0].page),
        held=done[0].held,
        clean_held=without.held if without else None,
        clean_blanked=float(without.page.mean()) if without else None,
        altered=sum(one.altered for one in done),
        bare=sum(one.bare for one in done),
        seconds=(time.process_time() - began) / len(done),
    )


def _lines(words: Sequence[Word], page: NDArray[np.bool_]) -> tuple[Line, ...]:
    return tuple(
        Line(
            size=one.size,
            turn=round(one.turn, 1),
            font=one.font,
            contrast=round(one.contrast, 2),
            hidden=round(float(page[one.ink].mean()), 4),
        )
        for one in words
    )


@dataclass(frozen=True, slots=True)
class _Cleaned:
    """`page`: what was blanked."""

    page: NDArray[np.bool_]
    held: tuple[str, ...]
    altered: int
    bare: int

    @classmethod
    def of(cls, clean: Scene, picture: Picture, coding: str, folder: Path, task: Task) -> Self:
        source, target = folder / "raw.dcm", folder / "clean.dcm"
        source.write_bytes(coded(clean, picture, coding))
        receipt = clean_instance(source, target, task)
        before, after = _pixels(source.read_bytes()), _pixels(target.read_bytes())
        page = _page(receipt, picture.shape[:2])
        around = page
        if coding == LOSSY:
            around = cv2.dilate(page.astype(np.uint8), np.ones((2 * _NEAR + 1,) * 2)) > 0
        differs = (before != after).reshape(*page.shape, -1).any(axis=2)
        held = tuple(one.code for one in receipt.doubts)
        return cls(page, held, int((differs & ~around).sum()), _bare(after, receipt, coding))


def _page(receipt: Receipt, size: tuple[int, ...]) -> NDArray[np.bool_]:
    page = np.zeros(size, np.bool_)
    for box in _boxes(receipt):
        page[box.box.top : box.box.bottom, box.box.left : box.box.right] = True
    return page


def _boxes(receipt: Receipt) -> list[Placed]:
    return [one for kind, one in receipt.places if kind == "blanked"]


def _bare(after: NDArray[Any], receipt: Receipt, coding: str) -> int:
    """Pixels in boxes that are not of the value that most of them have."""
    page = _page(receipt, after.shape[:2])
    if not page.any():
        return 0
    inside = after[page].reshape(int(page.sum()), -1)
    usual = np.median(inside, axis=0)
    # A JPEG's blanked blocks are black before the colours of their neighbours are smoothed in.
    far = 3 if coding == LOSSY else 0
    return int((np.abs(inside.astype(np.int64) - usual) > far).any(axis=1).sum())


def _pixels(content: bytes) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(pixel_array(dcmread(BytesIO(content)), raw=True))
