"""How far does a line go, and what has to be blanked? The network is blind to a line's ends."""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from services.deid.domain.boxes import Box
from services.deid.gateways.looking.detector import Grey
from services.deid.gateways.looking.lines import STRAIGHT, Band, Line
from services.deid.gateways.looking.strokes import Mask

# In heights of the line: how far to follow it, over which gaps.
_FURTHER, _GAP = 3.0, 0.9
_MARGIN = 2  # pixels behind the last stroke
_LETTERS = 0.8  # heights of strokes along a line: about two letters


def boxes(line: Line, thin: Mask) -> list[Box]:
    """What to blank: the line and the letters that go on at its ends; askew ones in slices."""
    reach = round(line.high * _FURTHER)
    top, left = max(line.top - reach, 0), max(line.left - reach, 0)
    bottom = min(line.top + line.mask.shape[0] + reach, thin.shape[0])
    right = min(line.left + line.mask.shape[1] + reach, thin.shape[1])
    mask = np.zeros((bottom - top, right - left), np.uint8)
    down, across = line.top - top, line.left - left
    mask[down : down + line.mask.shape[0], across : across + line.mask.shape[1]] = line.mask
    for band in line.bands:
        centre = (band.centre[0] - left, band.centre[1] - top)
        _go_on(mask, thin[top:bottom, left:right], replace(band, centre=centre), line.high)
    return [
        Box(one.left + left, one.top + top, one.right + left, one.bottom + top)
        for one in _slices(np.asarray(mask, np.bool_), max(round(line.high), 4))
    ]


def _go_on(mask: NDArray[np.uint8], thin: Mask, band: Band, high: float) -> None:
    """Follow strokes from both ends along the line, over gaps as wide as between words."""
    reach = round(high * _FURTHER)
    long = replace(band, wide=band.wide + 2 * reach)
    matrix, size = _level(long)
    inked = _inked(thin, long)
    gap = max(round(high * _GAP), 4)
    before = _last(inked[:reach][::-1], gap)
    after = _last(inked[size[0] - reach :], gap)
    if not before and not after:
        return
    ends = [(reach - before, 0), (size[0] - reach + after, 0)]
    ends += [(ends[1][0], size[1]), (ends[0][0], size[1])]
    corners = np.array(ends, np.float64)[:, None]
    back = cv2.transform(corners, cv2.invertAffineTransform(matrix))
    cv2.fillConvexPoly(mask, np.asarray(back.round(), np.int32), 1)


def behind(line: Line, left: Mask) -> Iterator[Band]:
    """Where strokes that nothing explains follow on the line, as far as it was followed or more."""
    reach = round(line.high * _FURTHER)
    for band in line.bands:
        turn = np.deg2rad(band.turn)
        along = np.array([np.cos(turn), np.sin(turn)])
        for way in (-1, 1):
            far = np.array(band.centre) + way * along * (band.wide / 2 + reach)
            end = Band((float(far[0]), float(far[1])), 2.0 * reach, band.tall, band.turn)
            if int(_inked(left, end).sum()) >= _LETTERS * line.high:
                yield end


def surrounding(line: Line) -> Box:
    """As far as a line is followed, in all directions."""
    reach, box = round(line.high * _FURTHER), line.box
    return Box(
        max(box.left - reach, 0), max(box.top - reach, 0), box.right + reach, box.bottom + reach
    )


def cut_out(grey: Grey, band: Band) -> Grey:
    """What lies in a rectangle askew, level."""
    matrix, size = _level(band)
    level = cv2.warpAffine(grey, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(level, np.uint8)


def bounds(band: Band, rows: int, columns: int) -> Box | None:
    """The upright box around a rectangle askew, as far as it lies on the picture."""
    corners = cv2.boxPoints((band.centre, (band.wide, band.tall), band.turn))
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    return Box(int(left), int(top), int(right) + 1, int(bottom) + 1).within(rows, columns)


def _level(band: Band) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The turn that lays a rectangle level, and its size in pixels."""
    size = (max(round(band.wide), 1), max(round(band.tall), 1))
    matrix: NDArray[np.float64] = np.array(
        cv2.getRotationMatrix2D(band.centre, band.turn, 1.0), np.float64
    )
    matrix[:, 2] += np.array([size[0] / 2, size[1] / 2]) - np.array(band.centre)
    return matrix, size


def _inked(thin: Mask, band: Band) -> Mask:
    """Along a rectangle: where there are strokes across it."""
    matrix, size = _level(band)
    level = cv2.warpAffine(thin.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    found: Mask = level.max(axis=0) > 0
    return found


def _last(inked: Mask, gap: int) -> int:
    """How far strokes go on from the start, the margin behind the last one included."""
    end = 0
    for at in np.flatnonzero(inked).tolist():
        if at - end > gap:
            break
        end = at + 1
    return end + _MARGIN if end else 0


def _slices(mask: Mask, thick: int) -> Iterator[Box]:
    """One box, or a row of boxes across the longer side that follow a line askew."""
    whole = _bounds(mask)
    if whole is None:
        return
    if whole.area <= STRAIGHT * int(mask.sum()):
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
