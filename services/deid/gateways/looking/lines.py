"""Which marks in a map of likelihoods may be lines of text? Each with the strip to be read."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from services.deid.domain.boxes import Box
from services.deid.gateways.looking.detector import Grey, Likelihood
from services.deid.gateways.looking.strokes import Mask

LIKELY = 0.2  # likelihood above which a pixel belongs to a mark
_SMALLEST = 6  # pixels of a mark: smaller ones are crumbs
# The network marks a line's core. Its border lies so far out, as a part of the core's height.
_BORDER, _LEAST_BORDER = 0.9, 4
_SQUARE = 1.5  # times as long as high: a shorter line may lie either way
# A mark whose core is so many pixels high and not this slender is several lines that run together,
# or an organ: it is cut where the network is less sure.
_STACK, _STACKED, _SURER = 28, 2.5, 0.7
STRAIGHT = 1.8  # times the mark: a box that is larger than that lies askew and is cut in slices


@dataclass(frozen=True, slots=True)
class Band:
    """A rectangle that lies `turn` degrees askew; `wide` is along the line."""

    centre: tuple[float, float]
    wide: float
    tall: float
    turn: float


@dataclass(frozen=True, slots=True)
class Line:
    """A mark: `top`, `left` of its window; `mask`, what it covers there with its border.

    `high`: pixels, the line's own height. `drawn`: the part of it that is thin strokes. `bands`:
    where its letters are; a letter or two may go on either way.
    """

    top: int
    left: int
    mask: Mask
    high: float
    likely: float
    drawn: float
    bands: tuple[Band, ...]

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

    @property
    def core_slender(self) -> float:
        """The same without the border, which is most of a line of small letters."""
        band, border = self.bands[0], self.high / 2
        long, across = sorted((band.wide - border, band.tall - border))[::-1]
        return long / max(across, 1.0)


def lines(found: Likelihood, thin: Mask) -> Iterator[Line]:
    """Each connected mark, grown to its border."""
    for top, left, core in _cores(found, LIKELY):
        window = found[top : top + core.shape[0], left : left + core.shape[1]]
        if _height(core) <= _STACK or max(core.shape) >= _STACKED * _height(core):
            yield drawn_line(core, (top, left), float(window[core].mean()), thin)
            continue
        surer: Likelihood = np.where(core, window, np.float32(0))
        for down, across, part in _cores(surer, _SURER):
            likely = float(
                window[down : down + part.shape[0], across : across + part.shape[1]][part].mean()
            )
            yield drawn_line(part, (top + down, left + across), likely, thin)


def _cores(found: Likelihood, least: float) -> Iterator[tuple[int, int, Mask]]:
    count, labels, sizes, _ = cv2.connectedComponentsWithStats(
        (found > least).astype(np.uint8), connectivity=8
    )
    for number in range(1, count):
        left, top, wide, tall, size = (int(value) for value in sizes[number])
        if size >= _SMALLEST:
            yield top, left, labels[top : top + tall, left : left + wide] == number


def _height(core: Mask) -> float:
    """Pixels across, however the mark lies."""
    tall, wide = core.shape
    return min(
        int(core.sum()) / max(float(np.hypot(wide, tall)) * 0.95, 1.0), float(min(wide, tall))
    )


def drawn_line(core: Mask, corner: tuple[int, int], likely: float, thin: Mask) -> Line:
    """The line whose core, at `corner` (row, column), was found; `thin`: strokes of the picture."""
    border = round(_BORDER * _height(core)) + _LEAST_BORDER
    top, left = max(corner[0] - border, 0), max(corner[1] - border, 0)
    bottom = min(corner[0] + core.shape[0] + border, thin.shape[0])
    right = min(corner[1] + core.shape[1] + border, thin.shape[1])
    window = np.zeros((bottom - top, right - left), np.uint8)
    down, across = corner[0] - top, corner[1] - left
    window[down : down + core.shape[0], across : across + core.shape[1]] = core
    inner = cv2.dilate(window, np.ones((border, border), np.uint8)) > 0
    mask = cv2.dilate(window, np.ones((2 * border + 1, 2 * border + 1), np.uint8)) > 0
    drawn = float(thin[top:bottom, left:right][inner].mean())
    bands = tuple(_bands(core, corner, border))
    return Line(top, left, mask, 2.0 * border, likely, drawn, bands)


def _bands(core: Mask, corner: tuple[int, int], border: int) -> Iterator[Band]:
    centre, sides, turn = cv2.minAreaRect(cv2.findNonZero(core.astype(np.uint8)))
    middle = (centre[0] + corner[1], centre[1] + corner[0])
    wide, tall = (one + border for one in sides)
    if wide >= tall or wide * _SQUARE > tall:
        yield Band(middle, wide, tall, turn)
    if tall > wide or tall * _SQUARE > wide:
        yield Band(middle, tall, wide, turn + 90)


def strip(line: Line, grey: Grey) -> Grey:
    """The line's pixels, turned level where the line lies askew."""
    rows, columns = line.mask.shape
    window = grey[line.top : line.top + rows, line.left : line.left + columns]
    points = cv2.findNonZero(line.mask.astype(np.uint8))
    centre, (wide, tall), turn = cv2.minAreaRect(points)
    if wide * tall * STRAIGHT > rows * columns * 1.3 or min(wide, tall) < 1:
        return np.ascontiguousarray(window)
    if wide < tall:
        wide, tall, turn = tall, wide, turn - 90
    matrix = cv2.getRotationMatrix2D(centre, turn, 1.0)
    matrix[:, 2] += np.array([wide / 2, tall / 2]) - np.array(centre)
    size = (max(round(wide), 1), max(round(tall), 1))
    level = cv2.warpAffine(window, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(level, np.uint8)
