"""Where are strokes as thin and as plain as a letter's? It tells text from what only looks like it.

The detector is fond of organs and vessels. Letters are drawn: their strokes are thin and stand out
from what lies around them, which smooth anatomy and noise do not.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from services.deid.gateways.looking.detector import Grey

Mask: TypeAlias = NDArray[np.bool_]

WIDE = 11  # pixels: wider strokes belong to letters over 60 pixels
NARROW = 7  # pixels: the strokes of letters under 16 pixels
PLAIN = 36  # of 255: fainter letters than this are hardly read by a person
_CELL = 32  # pixels: the grain at which places for a closer look are gathered
_BUSY = 10  # pixels of thin strokes in a cell: about one letter of 8 pixels


def strokes(grey: Grey, width: int = WIDE) -> Mask:
    """Pixels of bright or dark structures thinner than `width` (top-hat, both ways)."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    bright = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, brush)
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, brush)
    found: Mask = np.maximum(bright, dark) > PLAIN
    return found


def closer(thin: Mask) -> list[tuple[slice, slice]]:
    """Windows around strokes that may be letters too small for a first look."""
    rows, columns = thin.shape
    high, wide = -(-rows // _CELL), -(-columns // _CELL)
    padded = np.zeros((high * _CELL, wide * _CELL), np.bool_)
    padded[:rows, :columns] = thin
    counted = padded.reshape(high, _CELL, wide, _CELL).sum(axis=(1, 3))
    cells = cv2.dilate((counted >= _BUSY).astype(np.uint8), np.ones((3, 3), np.uint8))
    count, _, found, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    return [
        (
            slice(int(top) * _CELL, min(int(top + tall) * _CELL, rows)),
            slice(int(left) * _CELL, min(int(left + broad) * _CELL, columns)),
        )
        for left, top, broad, tall, _ in found[1:count]
    ]
