"""What would an operator see? One frame as a PNG, decoded in a child process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi_lut,
)
from pydicom.pixels.utils import pixel_array

from services.deid.domain.boxes import Box, Kind
from services.deid.gateways.extended import twelve_bits
from shared.runtime.decoding import decoding
from shared.runtime.dicom import UnreadableError, inspect

LARGEST_SIDE = 2048  # pixels: enough to read 8-pixel text, small enough for a browser
_OUTLINES: Mapping[Kind, str] = {"blanked": "lime", "doubtful": "red", "drawn": "deepskyblue"}
_MODALITY, _ROWS, _COLUMNS = 0x00080060, 0x00280010, 0x00280011


@dataclass(frozen=True, slots=True)
class Frames:
    """How many frames there are to look at, and of what kind."""

    modality: str
    frames: int
    rows: int
    columns: int


def frames_of(source: Path) -> Frames:
    """Raises UnreadableError when the file is none to look at."""
    header = inspect(source)
    return Frames(
        modality=header.text(_MODALITY),
        frames=header.frames if header.has_pixels else 0,
        rows=header.number(_ROWS) or 0,
        columns=header.number(_COLUMNS) or 0,
    )


def picture(
    source: Path, frame: int, boxes: Sequence[tuple[Kind, Box]] = (), *, full: bool = False
) -> bytes:
    """One frame (from 0) as a PNG in grey or colour, 8 bits, at most LARGEST_SIDE wide or high.

    `full` shows the whole range of values: a text may lie outside the window. `boxes` are
    outlined, green what is blanked, red what is in doubt.

    Raises UnreadableError when it can't be decoded: whatever a decoder raises on a stranger's
    bytes means no more than that.
    """
    inspect(source)
    with decoding(_undecodable):
        twelve_bits()
        dataset = dcmread(source)
        image = Image.fromarray(_shown(dataset, pixel_array(source, index=frame), full=full))
    if boxes:
        image = image.convert("RGB")
        pen = ImageDraw.Draw(image)
        for kind, box in boxes:
            corners = (box.left, box.top, max(box.right, 1) - 1, max(box.bottom, 1) - 1)
            pen.rectangle(corners, outline=_OUTLINES[kind], width=max(1, image.width // 500))
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _undecodable(what: str) -> UnreadableError:
    return UnreadableError("malformed", f"the pixels can't be decoded ({what})")


def _shown(dataset: Dataset, pixels: Any, *, full: bool) -> Any:
    """As a screen shows it: RGB (pydicom converts YBR), or grey by rescale, window (PS3.4 N.2)."""
    photometric = str(dataset.PhotometricInterpretation)
    if photometric == "PALETTE COLOR":
        return _stretched(apply_color_lut(pixels, dataset))
    if dataset.get("SamplesPerPixel", 1) > 1:
        return _stretched(pixels)
    values = apply_modality_lut(pixels, dataset)
    grey = _stretched(values if full else apply_voi_lut(values, dataset))
    return 255 - grey if photometric == "MONOCHROME1" else grey


def _stretched(pixels: Any) -> Any:
    """To 8 bits, over the range that is there."""
    if pixels.dtype == np.uint8:
        return pixels
    values = pixels.astype(np.float64)
    low, high = values.min(), values.max()
    return ((values - low) / max(high - low, 1e-9) * 255).round().astype(np.uint8)
