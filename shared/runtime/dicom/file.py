"""What does a Part 10 file hold: its meta information, its transfer syntax, its data set?"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from shared.runtime.dicom.errors import UnreadableError
from shared.runtime.dicom.heads import Buffer, show
from shared.runtime.dicom.limits import LIMITS, Limits
from shared.runtime.dicom.pattern import Pattern
from shared.runtime.dicom.tree import PIXEL_DATA, DataSet, Element, Encoding, Walk

META_START = 132  # PS3.10 7.1: 128 bytes preamble, then "DICM"
TRANSFER_SYNTAX = 0x00020010
IMPLICIT_VR_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"
_RLE_MOST = 64  # bytes out of one: 128 equal ones take two (PS3.5 G.3.1)
NATIVE = frozenset((IMPLICIT_VR_LITTLE, EXPLICIT_VR_LITTLE, DEFLATED, EXPLICIT_VR_BIG))
# PS3.5 A.4: JPEG (4.50 to 4.70), JPEG-LS (4.80, 81), JPEG 2000 (4.90 to 93), HTJ2K (4.201 to 203),
# MPEG-2, MPEG-4, HEVC (4.100 to 108), RLE (5), encapsulated uncompressed (1.98).
ENCAPSULATED = re.compile(r"1\.2\.840\.10008\.1\.2\.(4\.\d{2,3}|5|1\.98)")
_CHUNK = 1 << 20
_FREE = 64 << 20  # bytes that may come out whatever went in: a blank image is no bomb
_US = 2  # bytes of an unsigned short
_IS = 12  # characters of an integer string, PS3.5 table 6.2-1
_ROWS, _COLUMNS, _SAMPLES, _ALLOCATED = 0x00280010, 0x00280011, 0x00280002, 0x00280100
_FRAMES, _PHOTOMETRIC = 0x00280008, 0x00280004
_DESCRIBING = frozenset((_ROWS, _COLUMNS, _SAMPLES, _ALLOCATED, _FRAMES, _PHOTOMETRIC))
T = TypeVar("T")


@dataclass(slots=True)
class Part10:
    """A parsed file. `buffer` holds the data set (inflated where the file is deflated).

    `pattern`: what it has in common with files before it, but for the values of the elements that
    `changed` numbers; None where it has no such thing.
    """

    transfer_syntax: str
    meta: DataSet
    data_set: DataSet
    meta_buffer: Buffer
    buffer: Buffer
    pattern: Pattern | None = None
    changed: tuple[int, ...] = ()

    def value(self, element: Element) -> bytes:
        """The bytes of a value of the data set, padding included."""
        return bytes(self.buffer[element.at : element.at + element.length])

    def raw(self, tag: int) -> bytes:
        """The bytes of a top-level value, b"" where it is absent or a sequence."""
        element = self.data_set.get(tag)
        if element is None or element.items is not None or element.fragments is not None:
            return b""
        return self.value(element)

    def string(self, tag: int) -> str:
        """A top-level value of an ASCII VR, without padding."""
        return self.raw(tag).decode("latin-1").strip(" \0")

    def number(self, tag: int) -> int | None:
        """A top-level US value, or an IS value; None where there is no such number."""
        raw, element = self.raw(tag), self.data_set.get(tag)
        if element is not None and tag != _FRAMES and len(raw) == _US and element.vr in {"US", ""}:
            return int.from_bytes(raw, "little" if self.data_set.encoding.little else "big")
        text = raw.decode("latin-1").strip(" \0")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _IS else None

    def settled(self, tags: frozenset[int], work: Callable[["Part10"], T]) -> T:
        """What `work` makes of the values of these top-level tags alone, and of where all lie.

        It is done once for files of one pattern in which these values are the same.
        """
        pattern, elements = self.pattern, self.data_set.elements
        if pattern is None or any(elements[number].tag in tags for number in self.changed):
            return work(self)
        if work not in pattern.settled:
            pattern.settled[work] = work(self)
        return cast("T", pattern.settled[work])

    def native_pixel_bytes(self) -> int | None:
        """How many bytes uncompressed pixels take by the description (PS3.5 8.1, PS3.3 C.7.6.3)."""
        return self.settled(_DESCRIBING, Part10._native_pixel_bytes)

    def _native_pixel_bytes(self) -> int | None:
        rows, columns = self.number(_ROWS), self.number(_COLUMNS)
        allocated = self.number(_ALLOCATED)
        if rows is None or columns is None or allocated is None:
            return None
        samples, frames = self.number(_SAMPLES) or 1, self.number(_FRAMES) or 1
        if self.string(_PHOTOMETRIC) == "YBR_FULL_422":
            samples = 2  # chrominance is shared by two pixels (PS3.3 C.7.6.3.1.2)
        return (rows * columns * samples * frames * allocated + 7) // 8


def read_part10(buffer: Buffer, limits: Limits = LIMITS) -> Part10:
    """Walk the whole file once, or find it built like one before. Raises `UnreadableError`."""
    size = len(buffer)
    if size > limits.file:
        raise UnreadableError("too_large", f"{size} bytes, {limits.file} are allowed")
    if size < META_START + 8 or buffer[128:META_START] != b"DICM":
        raise UnreadableError("not_dicom", "no DICM at byte 128 (PS3.10 section 7.1)")
    pattern = _PATTERNS.get((size, limits))
    changed = None if pattern is None else pattern.changed(buffer)
    if pattern is None or changed is None:
        file = _walked(buffer, limits)
    else:
        syntax, meta, data_set = pattern.syntax, pattern.meta, pattern.data_set
        file = Part10(syntax, meta, data_set, buffer, buffer, pattern, changed)
    _check_pixels(file, limits)
    return file


_PATTERNS: dict[tuple[int, Limits], Pattern] = {}  # by the size of the file
_MOST_PATTERNS = 32


def _walked(buffer: Buffer, limits: Limits) -> Part10:
    walk = Walk(buffer, limits)
    meta, at = walk.data_set(META_START, _meta_end(buffer), Encoding())
    element = meta.get(TRANSFER_SYNTAX)
    if element is None:
        raise UnreadableError("missing_attribute", "no Transfer Syntax UID (0002,0010)")
    syntax = buffer[element.at : element.at + element.length].decode("latin-1").strip(" \0")
    body: Buffer = buffer
    if syntax == DEFLATED:
        body, at = _inflate(buffer, at, limits), 0
        walk.turn_to(body)
    data_set, _ = walk.data_set(at, len(body), _encoding(syntax))
    pattern = Pattern.of(buffer, meta, data_set, syntax) if body is buffer else None
    if pattern is not None:
        while len(_PATTERNS) >= _MOST_PATTERNS:
            del _PATTERNS[next(iter(_PATTERNS))]
        _PATTERNS[len(buffer), limits] = pattern
    return Part10(syntax, meta, data_set, buffer, body, pattern)


def _meta_end(buffer: Buffer) -> int:
    """Where group 0002 ends, by walking it: its group length is not to be trusted."""
    at, size = META_START, len(buffer)
    while at + 8 <= size and buffer[at : at + 2] == b"\x02\x00":
        long = buffer[at + 4 : at + 6] in {b"OB", b"UN", b"UT", b"OW", b"SQ", b"UC", b"UR"}
        width = (8, 12, 4) if long else (6, 8, 2)
        length = int.from_bytes(buffer[at + width[0] : at + width[1]], "little")
        at += width[1] + length
    return min(at, size)


def _encoding(syntax: str) -> Encoding:
    if syntax == IMPLICIT_VR_LITTLE:
        return Encoding(explicit=False)
    if syntax == EXPLICIT_VR_BIG:
        return Encoding(little=False)
    if syntax in NATIVE or ENCAPSULATED.fullmatch(syntax):
        return Encoding()
    raise UnreadableError("unsupported_transfer_syntax", "a transfer syntax outside PS3.5 annex A")


def _inflate(buffer: Buffer, at: int, limits: Limits) -> bytearray:
    """Undo the deflated transfer syntax (PS3.5 A.5) without letting a bomb grow."""
    inflater, out, size = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), len(buffer)
    allowed = min(limits.inflated, _FREE + (size - at) * limits.ratio)
    feed = b""
    try:
        while not inflater.eof and (feed or at < size):
            if not feed:
                feed, at = bytes(buffer[at : at + _CHUNK]), at + _CHUNK
            out += inflater.decompress(feed, _CHUNK)
            feed = inflater.unconsumed_tail
            if len(out) > allowed:
                raise UnreadableError("inflates_too_far", f"over {allowed} bytes when inflated")
    except zlib.error:
        raise UnreadableError("malformed", "the deflated data set cannot be inflated") from None
    if not inflater.eof:
        raise UnreadableError("truncated", "the deflated data set has no end")
    return out


def _check_pixels(file: Part10, limits: Limits) -> None:
    """A file cut inside, or before, its pixels is truncated whatever its lengths say."""
    pixels = file.data_set.get(PIXEL_DATA)
    if pixels is None:
        return
    if pixels.fragments is not None:
        if file.transfer_syntax in NATIVE:
            raise UnreadableError("malformed", "encapsulated pixels in a native transfer syntax")
        if len(pixels.fragments) <= 1:  # the offset table alone
            raise UnreadableError("pixels_missing", "Pixel Data holds no fragment")
        _check_compressed(file, pixels.fragments, limits)
        return
    if file.transfer_syntax not in NATIVE:
        raise UnreadableError("malformed", "native pixels in an encapsulated transfer syntax")
    wanted = file.native_pixel_bytes()
    if wanted is None:
        raise UnreadableError(
            "missing_attribute",
            f"Pixel Data without {show(_ROWS)}, {show(_COLUMNS)}, {show(_ALLOCATED)}",
        )
    if pixels.length < wanted:
        raise UnreadableError(
            "pixels_too_short", f"Pixel Data has {pixels.length} bytes, its description {wanted}"
        )


def _check_compressed(file: Part10, fragments: tuple[tuple[int, int], ...], limits: Limits) -> None:
    """What a description promises may be far more than its bytes can hold, or a decoder bear."""
    wanted, frames = file.native_pixel_bytes() or 0, file.number(_FRAMES) or 1
    if wanted > limits.frame * frames:
        raise UnreadableError(
            "too_large", f"a frame of {wanted // frames} bytes, {limits.frame} are allowed"
        )
    there = sum(length for _, length in fragments[1:])
    if file.transfer_syntax == RLE and wanted > there * _RLE_MOST:
        raise UnreadableError(
            "pixels_too_short", f"{there} bytes of RLE cannot be the {wanted} of its description"
        )
