"""How do frames look on a screen? Decoded one by one, as pictures of 8 bits to look for text in.

A text differs from what lies behind it in its brightest channel or, on another colour, in its
luminance; so a colourful frame is seen both ways, and a deep one whole and without its extremes.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import iter_pixels

from services.deid.gateways.blanks import Frame
from services.deid.gateways.extended import twelve_bits
from services.deid.gateways.looking.detector import Grey
from shared.runtime.decoding import decoding
from shared.runtime.dicom import UnreadableError

_COLOURED = 3  # dimensions: rows, columns, samples
_COLOURFUL = 48  # of 255, between the channels of a pixel
_FEW = 0.0005  # of all pixels: less colour than this is noise
_EXTREMES = (1.0, 99.0)  # percent
_SAME = 0.7  # a window nearly as wide as the whole range shows nothing more


def decoded(source: Path) -> Iterator[Frame]:
    """Each frame: rows x columns of stored values, or rows x columns x 3 in RGB, or palette's RGB.

    Raises UnreadableError: whatever a decoder raises on a stranger's bytes means no more than that.
    """
    with decoding(_undecodable):
        twelve_bits()
        dataset = dcmread(source, stop_before_pixels=True)
        for frame in iter_pixels(source):
            yield _coloured(frame, dataset)


def _undecodable(what: str) -> UnreadableError:
    return UnreadableError("malformed", f"the pixels can't be decoded ({what})")


def _coloured(frame: Frame, dataset: Dataset) -> Frame:
    if dataset.get("PhotometricInterpretation") != "PALETTE COLOR":
        return frame
    shown = apply_color_lut(frame, dataset)
    return (shown >> 8).astype(np.uint8) if shown.dtype == np.uint16 else shown[..., :3]


def pictures(frame: Frame) -> Iterator[Grey]:
    """What to look at, so that any text stands out in at least one picture."""
    if frame.ndim < _COLOURED:
        yield from _windows(frame)
        return
    colours = frame if frame.dtype == np.uint8 else _stretched(frame, frame.min(), frame.max())
    brightest = colours.max(axis=2)
    yield brightest
    vivid = brightest.astype(np.int16) - colours.min(axis=2) > _COLOURFUL
    if vivid.mean() > _FEW:
        plain = np.ascontiguousarray(colours, np.uint8)
        yield np.asarray(cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY), np.uint8)


def _windows(frame: Frame) -> Iterator[Grey]:
    low, high = float(frame.min()), float(frame.max())
    if frame.dtype == np.uint8:
        yield np.ascontiguousarray(frame)
    else:
        yield _stretched(frame, low, high)
    inner_low, inner_high = (float(one) for one in np.percentile(frame, _EXTREMES))
    if 0 < inner_high - inner_low < _SAME * (high - low) and frame.dtype != np.uint8:
        yield _stretched(frame, inner_low, inner_high)


def _stretched(frame: Frame, low: float, high: float) -> Grey:
    scale = 255.0 / max(float(high) - float(low), 1e-9)
    out: Grey = np.clip((frame.astype(np.float32) - low) * scale, 0, 255).astype(np.uint8)
    return out
