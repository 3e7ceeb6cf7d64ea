"""How is a box made black in a JPEG? In its coefficients: blocks without a box stay as they are.

Decoding and encoding again would change every pixel a little. Here the quantised coefficients are
read and written (ITU-T T.81 A.3), so only the blocks under a box differ, and no other pixel does.
"""

import tempfile
from pathlib import Path

import jpeglib
import numpy as np
from numpy.typing import NDArray

from services.deid.domain.boxes import Box
from services.deid.gateways.blanks import UnblankableError

_BLOCK = 8  # pixels a side
_BLACK = -1024  # eight times -128, as the first coefficient of a block of black
_GREY, _COLOUR = 1, 3  # components


def blanked_jpeg(frame: bytes, boxes: tuple[Box, ...], *, rgb: bool) -> bytes:
    """The frame, with every block that a box touches black. Raises UnblankableError.

    `rgb`: its components are red, green and blue; else luminance and chrominance.
    """
    with tempfile.TemporaryDirectory(prefix="deid-dct-") as folder:
        source, target = Path(folder) / "before.jpeg", Path(folder) / "after.jpeg"
        source.write_bytes(frame)
        try:
            image = jpeglib.read_dct(str(source))
            _blank(image, boxes, rgb=rgb)
            image.write_dct(str(target))
        except (OSError, RuntimeError, ValueError, IndexError) as error:
            raise UnblankableError(
                f"the JPEG can't be rewritten ({type(error).__name__})"
            ) from None
        return target.read_bytes()


def _blank(image: jpeglib.DCTJPEG, boxes: tuple[Box, ...], *, rgb: bool) -> None:
    planes = [image.Y] if image.Cb is None else [image.Y, image.Cb, image.Cr]
    if len(planes) not in {_GREY, _COLOUR} or image.has_black:
        raise UnblankableError("a JPEG of neither one nor three components")
    tables = image.quant_tbl_no
    for number, plane in enumerate(planes):
        table: NDArray[np.uint16] = image.qt[tables[number]]
        black = _BLACK if number == 0 or rgb else 0
        for box in boxes:
            window = _window(plane.shape, (image.height, image.width), box)
            plane[window] = 0
            plane[(*window, 0, 0)] = round(black / int(table[0, 0]))


def _window(blocks: tuple[int, ...], size: tuple[int, int], box: Box) -> tuple[slice, slice]:
    """The blocks of a component that a box touches; a component may be sampled more coarsely."""
    found = []
    for axis, (start, end) in enumerate(((box.top, box.bottom), (box.left, box.right))):
        whole = -(-size[axis] // _BLOCK)
        coarse = 1 if blocks[axis] >= whole else -(-whole // blocks[axis])
        side = _BLOCK * coarse
        found.append(slice(start // side, -(-end // side)))
    return found[0], found[1]
