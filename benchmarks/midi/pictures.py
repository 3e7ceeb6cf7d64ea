"""Which pixels does a file have, and how is it found again when every name in it has changed?

The file's number stands in its pixels, where no de-identification may touch it.
"""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = 48
WIDE, HIGH, BANNER = 240, 180, 28
BESIDE = 4  # rows below the banner that a box around its words may reach
_MAGIC = (201, 73, 155, 42)
_NUMBER_ROW, _NUMBER_COLUMN = 100, 60  # inside the ultrasound's region


def scan(number: int) -> Any:
    """A cross-section: noise in 12 bits, the number in its first row."""
    pixels = np.random.default_rng(number).integers(0, 4096, (SIZE, SIZE), dtype=np.uint16)
    pixels[0, : len(_code(number))] = _code(number)
    return pixels


def sonogram(number: int, text: str) -> Any:
    """An ultrasound in colour: a banner of text over a region of speckle."""
    image = Image.new("L", (WIDE, HIGH), 0)
    ImageDraw.Draw(image).text((4, 6), text, fill=255, font=ImageFont.load_default(14))
    pixels = np.array(image)
    speckle = np.random.default_rng(number).integers(20, 60, (HIGH - BANNER, WIDE))
    smooth = (speckle + np.roll(speckle, 1, 0) + np.roll(speckle, 1, 1)) // 3
    pixels[BANNER:] = smooth.astype(np.uint8)
    code = _code(number)
    pixels[_NUMBER_ROW, _NUMBER_COLUMN : _NUMBER_COLUMN + len(code)] = code
    return np.repeat(pixels[:, :, None], 3, axis=2)


def number_of(pixels: Any) -> int | None:
    """Which file this is, by its pixels; None when it is none of ours."""
    if pixels.ndim == 3:
        return _read(pixels[_NUMBER_ROW, _NUMBER_COLUMN:, 0])
    return _read(pixels[0])


def _code(number: int) -> tuple[int, ...]:
    return (*_MAGIC, *(number >> shift & 0xFF for shift in (24, 16, 8, 0)))


def _read(row: Any) -> int | None:
    values = [int(one) for one in row[:8]]
    if tuple(values[:4]) != _MAGIC:
        return None
    return int.from_bytes(bytes(values[4:]), "big")
