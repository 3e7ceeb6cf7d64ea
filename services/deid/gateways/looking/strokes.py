"""Where are strokes as thin and as plain as a letter's? It tells text from what only looks like it.

The detector is fond of organs and vessels. Letters are drawn: their strokes are thin and stand out
from what lies around them, which smooth anatomy and noise do not.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from services.deid.gateways.looking.detector import Grey

Mask: TypeAlias = NDArray[np.bool_]

WIDE = 11  # pixels: wider strokes belong to letters over 60 pixels
NARROW = 7  # pixels: the strokes of letters under 16 pixels
PLAIN = 36  # of 255: fainter letters than this are hardly read by a person
FAINT, _OVER_NOISE = 12, 4.0  # of 255; times the median
_LETTERS = 16  # pixels across a line of letters too small for a first look
_UPRIGHT = 2.0  # times as high as wide
_CELL = 16  # pixels: the grain at which places for a closer look are gathered
_LETTER, _WORD = 5, 24  # pixels of strokes: in a cell, and in it and the eight around it
_STEP, _WIDE = 9, 11  # cells: from window to window, and across one
_MARGIN = 16  # pixels around the cells of a window


def strokes(grey: Grey, width: int = WIDE) -> Mask:
    """Pixels of bright or dark structures thinner than `width` (top-hat, both ways)."""
    found: Mask = _relief(grey, width) > PLAIN
    return found


def faint_strokes(grey: Grey) -> Mask:
    """The same for what is hardly seen, where noise lets it be told: how a line may go on."""
    relief = _relief(grey, WIDE)
    found: Mask = relief > np.clip(_OVER_NOISE * float(np.median(relief)), FAINT, PLAIN)
    return found


def letters(grey: Grey, without: Callable[[Mask], Mask]) -> Mask:
    """Strokes that may be small letters; `without` takes away those that need no look.

    Bright and dark ones are told apart: a vessel that crosses a line does not swallow its letters.
    """
    bright, dark = (small_letters(without(one > PLAIN)) for one in _reliefs(grey, NARROW))
    return bright | dark


def _relief(grey: Grey, width: int) -> Grey:
    return np.asarray(np.maximum(*_reliefs(grey, width)), np.uint8)


def _reliefs(grey: Grey, width: int) -> tuple[Grey, Grey]:
    """How far bright and dark structures stand out that are thinner than `width`."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    bright = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, brush)
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, brush)
    return np.asarray(bright, np.uint8), np.asarray(dark, np.uint8)


def small_letters(thin: Mask) -> Mask:
    """Strokes that may be small letters, alone or run together in a line; no vessels, no edges."""
    _, labels, sizes, _centres = cv2.connectedComponentsWithStats(
        thin.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    kept = np.maximum(sizes[:, 2], sizes[:, 3]) <= 2 * _LETTERS
    kept[0] = False
    for number in np.flatnonzero(~kept[1:]) + 1:
        left, top, wide, tall, _ = (int(value) for value in sizes[number])
        part = labels[top : top + tall, left : left + wide] == number
        _, sides, _ = cv2.minAreaRect(cv2.findNonZero(part.astype(np.uint8)))
        kept[number] = min(sides) <= _LETTERS
    found: Mask = kept[labels]
    return found


def stands(letters: Mask) -> bool:
    """Whether there is a line of small letters, run together, that stands upright."""
    _, _, sizes, _ = cv2.connectedComponentsWithStats(letters.astype(np.uint8), connectivity=8)
    tall, wide = sizes[1:, cv2.CC_STAT_HEIGHT], sizes[1:, cv2.CC_STAT_WIDTH]
    return bool(((tall >= _LETTERS) & (tall >= _UPRIGHT * wide)).any())


def closer(thin: Mask) -> Iterator[tuple[slice, slice]]:
    """Windows around strokes that may be letters too small for a first look, a tile's size each."""
    rows, columns = thin.shape
    high, wide = -(-rows // _CELL), -(-columns // _CELL)
    padded = np.zeros((high * _CELL, wide * _CELL), np.float32)
    padded[:rows, :columns] = thin
    counted = padded.reshape(high, _CELL, wide, _CELL).sum(axis=(1, 3))
    near = cv2.boxFilter(counted, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    busy = (counted >= _LETTER) & (near >= _WORD)
    for top in range(0, high, _STEP):
        for left in range(0, wide, _STEP):
            part = busy[top : top + _WIDE, left : left + _WIDE]
            down, across = (np.flatnonzero(part.any(axis=axis)) for axis in (1, 0))
            if len(down):
                yield (
                    _span(top + int(down[0]), top + int(down[-1]) + 1, rows),
                    _span(left + int(across[0]), left + int(across[-1]) + 1, columns),
                )


def _span(first: int, end: int, size: int) -> slice:
    return slice(max(first * _CELL - _MARGIN, 0), min(end * _CELL + _MARGIN, size))
