"""Which thin strokes stand in a row, as letters do? A second way to lines, without a network.

The network is blind to narrow letters and to some that stand upright. Letters of one line lie
closer to each other than to anything else, so their strokes become one long mark when each is made
a little thicker. Where everything is strokes, as in the speckle of ultrasound, no row is seen.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from services.deid.gateways.looking.lines import Line, drawn_line
from services.deid.gateways.looking.strokes import Mask

_GAPS = (5, 11)  # pixels: small letters and middle ones, with their neighbours
_LEAST, _MOST = 3, 2.2  # pixels across a row; times the gap
_SLENDER = 3.5  # five letters
_FILLED = 0.25  # of a row's rectangle: less is a curve, or strokes that cross
_AROUND, _BUSY = 6, 0.3  # pixels around a row; times the row's own share of strokes
_MANY = 60  # rows of one gap: more is a texture


def rows(strokes: Mask, thin: Mask) -> Iterator[Line]:
    """Rows of `strokes`, those of small letters; `thin` tells how far a line's letters go on."""
    for gap in _GAPS:
        found = list(_rows(strokes, gap))
        for top, left, core in found if len(found) <= _MANY else ():
            yield drawn_line(core, (top, left), 0.0, thin)


def _rows(strokes: Mask, gap: int) -> Iterator[tuple[int, int, Mask]]:
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap))
    thick = cv2.morphologyEx(strokes.astype(np.uint8), cv2.MORPH_CLOSE, brush)
    count, labels, sizes, _ = cv2.connectedComponentsWithStats(thick, connectivity=8)
    for number in range(1, count):
        left, top, wide, tall, size = (int(value) for value in sizes[number])
        if max(wide, tall) < _SLENDER * _LEAST:
            continue
        core = labels[top : top + tall, left : left + wide] == number
        _, sides, _ = cv2.minAreaRect(cv2.findNonZero(core.astype(np.uint8)))
        long, across = max(sides) + 1, min(sides) + 1
        slender = _LEAST <= across <= _MOST * gap and long >= _SLENDER * across
        if slender and size >= _FILLED * long * across and _alone(strokes, top, left, core):
            yield top, left, core


def _alone(strokes: Mask, top: int, left: int, core: Mask) -> bool:
    """Whether there are fewer strokes around the row than in it."""
    rows, columns = core.shape
    window = strokes[
        max(top - _AROUND, 0) : top + rows + _AROUND,
        max(left - _AROUND, 0) : left + columns + _AROUND,
    ]
    inside = int(strokes[top : top + rows, left : left + columns][core].sum())
    around = (int(window.sum()) - inside) / max(window.size - int(core.sum()), 1)
    return around <= _BUSY * inside / int(core.sum())
