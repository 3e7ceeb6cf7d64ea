"""Which marks in a map of likelihoods may be lines of text? Each with its strip and its boxes."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.deid.domain.boxes import Box
from services.deid.gateways.looking.detector import Grey, Likelihood
from services.deid.gateways.looking.strokes import Mask

LIKELY = 0.2  # likelihood above which a pixel belongs to a mark
_SMALLEST = 6  # pixels of a mark: smaller ones are crumbs
# The network marks a line's core. Its border lies so far out, as a part of the core's height.
_BORDER, _LEAST_BORDER = 0.9, 4
# A line's ends, where the network is blind, in heights: how far to follow, over which gaps.
_FURTHER, _GAP, _LETTER, _STEPS = 3.0, 0.6, 1.5, 4
_STRAIGHT = 1.8  # times the mark: a box that is larger than that lies askew and is cut in slices


@dataclass(frozen=True, slots=True)
class Line:
    """A mark: `top`, `left` of its window; `mask`, what it covers there with its border.

    `high`: pixels, the line's own height. `drawn`: the part of it that is thin strokes.
    """

    top: int
    left: int
    mask: Mask
    high: float
    likely: float
    drawn: float

    @property
    def box(self) -> Box:
        """The mark without the outer half of its border."""
        rows, columns = self.mask.shape
        inset = int(self.high / 4)
        return Box(
            self.left + inset,
            self.top + inset,
            self.left + columns - inset,
            self.top + rows - inset,
        )

    @property
    def slender(self) -> float:
        """How many times it is as long as it is high, however it lies."""
        _, (wide, tall), _ = cv2.minAreaRect(cv2.findNonZero(self.mask.astype(np.uint8)))
        return max(wide, tall) / max(min(wide, tall), 1.0)


def lines(found: Likelihood, thin: Mask) -> Iterator[Line]:
    """Each connected mark, grown to its border."""
    count, labels, sizes, _ = cv2.connectedComponentsWithStats(
        (found > LIKELY).astype(np.uint8), connectivity=8
    )
    for number in range(1, count):
        left, top, wide, tall, size = (int(value) for value in sizes[number])
        if size < _SMALLEST:
            continue
        core = labels[top : top + tall, left : left + wide] == number
        likely = float(found[top : top + tall, left : left + wide][core].mean())
        high = min(size / max(float(np.hypot(wide, tall)) * 0.95, 1.0), float(min(wide, tall)))
        border = round(_BORDER * high) + _LEAST_BORDER
        yield _grown(core, (top, left), border, likely, thin)


def _grown(core: Mask, corner: tuple[int, int], border: int, likely: float, thin: Mask) -> Line:
    top, left = max(corner[0] - border, 0), max(corner[1] - border, 0)
    bottom = min(corner[0] + core.shape[0] + border, thin.shape[0])
    right = min(corner[1] + core.shape[1] + border, thin.shape[1])
    window = np.zeros((bottom - top, right - left), np.uint8)
    down, across = corner[0] - top, corner[1] - left
    window[down : down + core.shape[0], across : across + core.shape[1]] = core
    inner = cv2.dilate(window, np.ones((border, border), np.uint8)) > 0
    mask = cv2.dilate(window, np.ones((2 * border + 1, 2 * border + 1), np.uint8)) > 0
    drawn = float(thin[top:bottom, left:right][inner].mean())
    return Line(top, left, mask, 2.0 * border, likely, drawn)


def strip(line: Line, grey: Grey) -> Grey:
    """The line's pixels, turned level where the line lies askew."""
    rows, columns = line.mask.shape
    window = grey[line.top : line.top + rows, line.left : line.left + columns]
    points = cv2.findNonZero(line.mask.astype(np.uint8))
    centre, (wide, tall), turn = cv2.minAreaRect(points)
    if wide * tall * _STRAIGHT > rows * columns * 1.3 or min(wide, tall) < 1:
        return np.ascontiguousarray(window)
    if wide < tall:
        wide, tall, turn = tall, wide, turn - 90
    matrix = cv2.getRotationMatrix2D(centre, turn, 1.0)
    matrix[:, 2] += np.array([wide / 2, tall / 2]) - np.array(centre)
    size = (max(round(wide), 1), max(round(tall), 1))
    level = cv2.warpAffine(window, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(level, np.uint8)


def boxes(line: Line, thin: Mask) -> list[Box]:
    """What to blank: the line and the letters that follow on it; askew ones in slices."""
    reach = round(line.high * _FURTHER)
    top, left = max(line.top - reach, 0), max(line.left - reach, 0)
    bottom = min(line.top + line.mask.shape[0] + reach, thin.shape[0])
    right = min(line.left + line.mask.shape[1] + reach, thin.shape[1])
    mask = np.zeros((bottom - top, right - left), np.bool_)
    down, across = line.top - top, line.left - left
    mask[down : down + line.mask.shape[0], across : across + line.mask.shape[1]] = line.mask
    mask = _followed(mask, _letters(thin[top:bottom, left:right], line.high), line.high)
    return [
        Box(one.left + left, one.top + top, one.right + left, one.bottom + top)
        for one in _slices(mask, max(round(line.high), 4))
    ]


def _letters(thin: Mask, high: float) -> NDArray[np.int32]:
    """Strokes of a letter's size, numbered; a longer one is a frame, an edge or a vessel."""
    _, labels, sizes, _ = cv2.connectedComponentsWithStats(
        thin.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    large = np.nonzero(np.maximum(sizes[:, 2], sizes[:, 3]) > _LETTER * high)[0]
    letters: NDArray[np.int32] = np.where(np.isin(labels, large), 0, labels)
    return letters


def _followed(mask: Mask, letters: NDArray[np.int32], high: float) -> Mask:
    """Take in the letters next to the line, then those next to them, a few times."""
    gap = max(round(high * _GAP), 2)
    brush = np.ones((2 * gap + 1, 2 * gap + 1), np.uint8)
    for _ in range(_STEPS):
        near = cv2.dilate(mask.astype(np.uint8), brush) > 0
        touched = np.unique(letters[near & ~mask])
        more = np.isin(letters, touched[touched > 0]) & ~mask
        if not more.any():
            break
        mask |= cv2.dilate(more.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return mask


def _slices(mask: Mask, thick: int) -> Iterator[Box]:
    """One box, or a row of boxes across the longer side that follow a line askew."""
    whole = _bounds(mask)
    if whole is None:
        return
    if whole.area <= _STRAIGHT * int(mask.sum()):
        yield whole
        return
    lying = mask.shape[1] >= mask.shape[0]
    upright: NDArray[np.bool_] = mask if lying else mask.T
    for start in range(0, upright.shape[1], thick):
        part = _bounds(upright[:, start : start + thick])
        if part is not None:
            box = Box(part.left + start, part.top, part.right + start, part.bottom)
            yield box if lying else Box(box.top, box.left, box.bottom, box.right)


def _bounds(mask: Mask) -> Box | None:
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    if not len(rows):
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
