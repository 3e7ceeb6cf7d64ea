"""How is a box made black? In the bytes of an uncompressed frame, nothing beside it touched."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.deid.domain.boxes import Box, Placed
from shared.runtime.dicom import Part10

Frame: TypeAlias = NDArray[Any]  # rows x columns, or rows x columns x samples

_ROWS, _COLUMNS, _FRAMES, _PHOTOMETRIC = 0x00280010, 0x00280011, 0x00280008, 0x00280004
_SAMPLES, _PLANAR, _ALLOCATED = 0x00280002, 0x00280006, 0x00280100
_STORED, _HIGH = 0x00280101, 0x00280102
_NEUTRAL = 128  # chrominance of grey, in 8 bits (PS3.3 C.7.6.3.1.2)
_HALVED = "YBR_FULL_422"


class UnblankableError(Exception):
    """Text was found in pixels whose coding does not let it be taken out without harm."""


@dataclass(frozen=True, slots=True)
class Blanks:
    """What to blank, and the stored value that is black there; colours are black at 0."""

    placed: tuple[Placed, ...] = ()
    fill: int = 0

    def __bool__(self) -> bool:
        return bool(self.placed)

    def on(self, frame: int) -> tuple[Box, ...]:
        return tuple(one.box for one in self.placed if one.on(frame))


@dataclass(frozen=True, slots=True)
class Raster:
    """How the samples of an uncompressed frame lie in its bytes (PS3.5 8.1, PS3.3 C.7.6.3.1.3)."""

    rows: int
    columns: int
    frames: int
    samples: int
    width: int  # bytes of a sample
    planar: bool
    photometric: str
    little: bool

    @classmethod
    def of(cls, file: Part10) -> "Raster | None":
        """None for what can't be blanked in place: samples that are no whole bytes, or shifted."""
        allocated = file.number(_ALLOCATED) or 0
        stored = file.number(_STORED) or allocated
        high = file.number(_HIGH)
        if allocated % 8 or not allocated or high not in {None, stored - 1}:
            return None
        return cls(
            rows=file.number(_ROWS) or 0,
            columns=file.number(_COLUMNS) or 0,
            frames=file.number(_FRAMES) or 1,
            samples=file.number(_SAMPLES) or 1,
            width=allocated // 8,
            planar=file.number(_PLANAR) == 1,
            photometric=file.string(_PHOTOMETRIC),
            little=file.data_set.encoding.little,
        )

    @property
    def size(self) -> int:
        """Bytes of one frame."""
        samples = 2 if self.photometric == _HALVED else self.samples
        return self.rows * self.columns * samples * self.width

    def blank(self, frame: bytearray, boxes: tuple[Box, ...], fill: int) -> None:
        """Make the boxes of a frame black, in its own bytes."""
        cuts = [cut for one in boxes if (cut := one.within(self.rows, self.columns))]
        for plane, value in self._planes(np.frombuffer(frame, np.uint8), fill):
            lines = plane.reshape(self.rows, -1)
            black = np.tile(value, plane.shape[1])
            for box in cuts:
                left, right = (at * len(value) for at in self._columns(box))
                lines[box.top : box.bottom, left:right] = black[left:right]

    def _columns(self, box: Box) -> tuple[int, int]:
        """Two pixels share their colour where chrominance is halved: both go."""
        if self.photometric == _HALVED:
            return box.left // 2, -(-box.right // 2)
        return box.left, box.right

    def _planes(
        self, view: NDArray[np.uint8], fill: int
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Rows x columns x bytes of a pixel, and the bytes that are black there."""
        if self.photometric == _HALVED:
            grey = np.array([0, 0, _NEUTRAL, _NEUTRAL], np.uint8)  # Y Y Cb Cr
            yield view.reshape(self.rows, self.columns // 2, 4), grey
            return
        black = [self._bytes(value) for value in self._values(fill)]
        if self.planar and self.samples > 1:
            planes = view.reshape(self.samples, self.rows, self.columns, self.width)
            yield from zip(planes, black, strict=True)
            return
        whole = view.reshape(self.rows, self.columns, self.samples * self.width)
        yield whole, np.concatenate(black)

    def _values(self, fill: int) -> list[int]:
        if self.samples == 1:
            return [fill]
        if self.photometric.startswith("YBR_FULL"):
            neutral = _NEUTRAL << 8 * (self.width - 1)
            return [0, neutral, neutral, *[0] * (self.samples - 3)]
        return [0] * self.samples

    def _bytes(self, value: int) -> NDArray[np.uint8]:
        order = "little" if self.little else "big"
        masked = value & ((1 << 8 * self.width) - 1)
        return np.frombuffer(masked.to_bytes(self.width, order), np.uint8)  # type: ignore[arg-type]
