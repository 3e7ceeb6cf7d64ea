"""How is a frame coded in lossless JPEG? ITU-T T.81 annex H, predictor 1, 8 or 16 bits.

Each sample is told as its difference from its left neighbour (in the first column from the one
above), as the length of that difference and its bits. One fixed Huffman table serves for all: a
blanked frame is a little larger than an optimal coder's, and just as exact.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from services.deid.gateways.blanks import Frame, UnblankableError

# Length of the code for a difference of 0 to 16 bits: short ones for what occurs most.
_LENGTHS = (3, 3, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
_ROWS_AT_ONCE = 1 << 18  # samples coded together: memory stays small for any frame


def encoded_lossless(frame: Frame, stored: int) -> bytes:
    """One frame's code stream; `stored`: bits of a sample. Raises UnblankableError."""
    if frame.dtype.kind not in "ui" or frame.dtype.itemsize > 2:  # noqa: PLR2004 - bytes
        raise UnblankableError("lossless JPEG has samples of 8 or 16 bits")
    samples = (frame if frame.ndim == 3 else frame[..., None]).astype(np.int64)  # noqa: PLR2004
    unsigned = samples & ((1 << stored) - 1)
    return b"".join((_head(unsigned, stored), _scan(_differences(unsigned, stored)), b"\xff\xd9"))


def _differences(samples: NDArray[np.int64], stored: int) -> NDArray[np.int64]:
    """Modulo 2^16, from -32767 to 32768 (H.1.2.1)."""
    before = np.empty_like(samples)
    before[:, 1:] = samples[:, :-1]
    before[1:, 0] = samples[:-1, 0]
    before[0, 0] = 1 << (stored - 1)
    return ((samples - before + 32767) & 0xFFFF) - 32767


def _head(samples: NDArray[np.int64], stored: int) -> bytes:
    """Start of image, frame (SOF3), table and scan headers (B.2)."""
    rows, columns, count = samples.shape
    numbers = range(1, count + 1)
    frame = _word(rows) + _word(columns) + bytes([count]) + b"".join(
        bytes([n, 0x11, 0]) for n in numbers
    )  # fmt: skip
    counts = bytes(_LENGTHS.count(length) for length in range(1, 17))
    table = b"\0" + counts + bytes(range(len(_LENGTHS)))
    scan = bytes([count]) + b"".join(bytes([n, 0]) for n in numbers) + b"\x01\0\0"
    return b"".join((
        b"\xff\xd8",
        _segment(0xC3, bytes([stored]) + frame),
        _segment(0xC4, table),
        _segment(0xDA, scan),
    ))  # fmt: skip


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + _word(len(content) + 2) + content


def _word(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _scan(differences: NDArray[np.int64]) -> bytes:
    """All codes as bits, filled with ones, each byte of ones followed by a zero (F.1.2.3)."""
    codes, rest, out = _codes(), np.zeros(0, np.uint8), list[bytes]()
    flat = differences.ravel()
    for start in range(0, flat.size, _ROWS_AT_ONCE):
        bits = np.concatenate((rest, _bits(flat[start : start + _ROWS_AT_ONCE], codes)))
        whole = bits.size - bits.size % 8
        out.append(np.packbits(bits[:whole]).tobytes())
        rest = bits[whole:]
    if rest.size:
        filled = np.concatenate((rest, np.ones(8 - rest.size, np.uint8)))
        out.append(np.packbits(filled).tobytes())
    return b"".join(out).replace(b"\xff", b"\xff\0")


def _bits(differences: NDArray[np.int64], codes: NDArray[np.int64]) -> NDArray[np.uint8]:
    size = np.ceil(np.log2(np.abs(differences) + 1)).astype(np.int64)  # SSSS, table H.2
    extra = np.where(size == 16, 0, size)  # noqa: PLR2004 - 32768 has no bits of its own
    low = np.where(differences < 0, differences - 1, differences) & ((1 << extra) - 1)
    lengths = np.asarray(_LENGTHS)[size] + extra
    values = (codes[size] << extra) | low
    ends = np.cumsum(lengths)
    place = np.repeat(ends, lengths) - np.arange(int(ends[-1])) - 1
    out: NDArray[np.uint8] = ((np.repeat(values, lengths) >> place) & 1).astype(np.uint8)
    return out


def _codes() -> NDArray[np.int64]:
    """Codes in the order of their lengths (C.2)."""
    return np.array(list(_counted()), np.int64)


def _counted() -> Iterator[int]:
    code, length = 0, _LENGTHS[0]
    for one in _LENGTHS:
        code <<= one - length
        length = one
        yield code
        code += 1
