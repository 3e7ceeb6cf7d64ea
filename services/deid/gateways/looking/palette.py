"""Which entry of a palette is the darkest? Blanked pixels of a palette image point at it."""

import warnings
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.pixels.processing import apply_color_lut

from shared.runtime.dicom import UnreadableError

_MOST = 1 << 16  # entries


def darkest_index(source: Path) -> int:
    """The stored value (PS3.3 C.7.6.3.1.5) whose red, green and blue are least."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = dcmread(source, stop_before_pixels=True)
            entries, first, _ = dataset.RedPaletteColorLookupTableDescriptor
            deep = dataset.BitsAllocated > 8  # noqa: PLR2004 - bits of a byte
            values = np.arange(first, first + min(entries or _MOST, _MOST))
            shown = apply_color_lut(values.astype(np.uint16 if deep else np.uint8), dataset)
    except (AttributeError, ValueError, TypeError, KeyError):
        raise UnreadableError("malformed", "the palette can't be read") from None
    return int(values[int(shown[..., :3].astype(np.int64).sum(axis=-1).argmin())])
