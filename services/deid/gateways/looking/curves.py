"""Is a mark no more than a piece of one long stroke: a curve on a screen, a vessel, an edge?

Letters end where their line ends, stand apart from each other, and are crossed more than once by
a cut through them. What cannot be read, goes on far beyond the mark in one piece, and is thin and
crossed once by most cuts, is none.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from services.deid.gateways.looking.lines import Line
from services.deid.gateways.looking.strokes import Mask

_ALL = 0.85  # of a mark's strokes that are of one piece, at least
_PIECE = 0.4  # of that piece that lies in the mark, at most
_LONG = 5.0  # heights of the line over which the piece reaches, at least
_ONCE = 1.2  # crossings of a cut, at most in the mean
# Heights of the line that a cut is inside the piece, at most: of a mark, and of a row, which is a
# lower estimate of a line. Letters that run together with ruled lines fill more.
_THIN = {False: 0.5, True: 0.8}
_WIDE, _TALL, _PIXELS = 2, 3, 4  # columns of OpenCV's statistics


@dataclass(frozen=True, slots=True)
class Curves:
    """The pieces of strokes of a picture: `labels` (rows, columns), 0 where there is none."""

    labels: NDArray[np.int32]
    sizes: NDArray[np.int32]

    @classmethod
    def of(cls, thin: Mask) -> Self:
        _, labels, sizes, _ = cv2.connectedComponentsWithStats(
            thin.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
        )
        return cls(np.asarray(labels, np.int32), np.asarray(sizes, np.int32))

    def pass_through(self, line: Line, *, row: bool = False) -> bool:
        """Whether the strokes in a mark are a part of a curve that goes on far beyond it."""
        rows, columns = line.mask.shape
        window = self.labels[line.top : line.top + rows, line.left : line.left + columns]
        inside = np.bincount(window[line.mask], minlength=2)
        inside[0] = 0
        piece = int(inside.argmax())
        if not inside[piece] or inside[piece] < _ALL * inside.sum():
            return False
        size = self.sizes[piece]
        goes_on = inside[piece] <= _PIECE * size[_PIXELS]
        far = max(int(size[_WIDE]), int(size[_TALL])) >= _LONG * line.high
        return bool(goes_on and far and _is_curve((window == piece) & line.mask, line.high, row))


def _is_curve(piece: Mask, high: float, row: bool) -> bool:  # noqa: FBT001 - as in pass_through
    """Whether cuts one way or the other mostly cross it once, and are shortly inside."""
    for axis in (0, 1):
        begins = np.diff(piece.astype(np.int8), axis=axis, prepend=0) == 1
        cut = piece.any(axis=axis)
        crossed, within = begins.sum(axis=axis)[cut].mean(), piece.sum(axis=axis)[cut].mean()
        if crossed <= _ONCE and within <= _THIN[row] * high:
            return True
    return False
