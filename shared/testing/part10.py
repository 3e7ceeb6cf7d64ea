"""How is a DICOM file written byte by byte? No library writes what attackers do."""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT, IMPLICIT, BIG, DEFLATED, JPEG, RLE = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.5",
)
SYNTAXES = (EXPLICIT, IMPLICIT, BIG, DEFLATED, JPEG, RLE)
LONG = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])

# 4 x 4 samples of 16 bits, all the same: lossless JPEG with a code of one bit (ITU-T T.81 annex H),
# and two RLE segments of sixteen equal bytes (PS3.5 annex G).
RLE_FRAME = struct.pack("<16I", 2, 64, 66, *[0] * 13) + b"\xf1\x00\xf1\x07"


def segment(marker: int, content: bytes) -> bytes:
    """A segment of JPEG, JPEG-LS or JPEG 2000, with its marker."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


JPEG_FRAME = b"".join((
    b"\xff\xd8",
    segment(0xC3, b"\x10\x00\x04\x00\x04\x01\x01\x11\x00"),
    segment(0xC4, b"\x00\x01" + bytes(15) + b"\x00"),
    segment(0xDA, b"\x01\x01\x00\x01\x00\x00"),
    b"\x00\x00\xff\xd9",
))  # fmt: skip


@dataclass(frozen=True)
class Writer:
    """Elements in one transfer syntax."""

    syntax: str = EXPLICIT

    @property
    def order(self) -> str:
        return ">" if self.syntax == BIG else "<"

    def element(self, tag: int, vr: str, value: bytes | str | int) -> bytes:
        if isinstance(value, int):
            value = struct.pack(f"{self.order}H", value)
        if isinstance(value, str):
            value = value.encode()
        value += (b"\0" if vr in {"UI", "OB", "UN"} else b" ") * (len(value) % 2)
        return self.head(tag, vr, len(value)) + value

    def head(self, tag: int, vr: str, length: int) -> bytes:
        group, number = tag >> 16, tag & 0xFFFF
        if self.syntax == IMPLICIT:
            return struct.pack("<HHI", group, number, length)
        if vr in LONG:
            return struct.pack(f"{self.order}HH2sHI", group, number, vr.encode(), 0, length)
        return struct.pack(f"{self.order}HH2sH", group, number, vr.encode(), length)

    def sequence(self, tag: int, *items: bytes) -> bytes:
        content = b"".join(self.item(one) for one in items)
        return self.head(tag, "SQ", len(content)) + content

    def item(self, content: bytes) -> bytes:
        return struct.pack(f"{self.order}HHI", 0xFFFE, 0xE000, len(content)) + content

    def pixels(self) -> bytes:
        if self.syntax not in {JPEG, RLE}:
            return self.element(0x7FE00010, "OW", bytes(range(32)))
        commented = JPEG_FRAME[:2] + segment(0xFE, b"HARTIGANXY") + JPEG_FRAME[2:]
        return self.encapsulated(b"", RLE_FRAME if self.syntax == RLE else commented)

    def encapsulated(self, *fragments: bytes) -> bytes:
        """Compressed pixels (PS3.5 A.4); the first fragment is the offset table."""
        end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        content = b"".join(self.item(one) for one in fragments)
        return self.head(0x7FE00010, "OB", 0xFFFFFFFF) + content + end

    def file(
        self, elements: Iterable[tuple[int, bytes]], preamble: bytes = b"", pixels: bytes = b""
    ) -> bytes:
        """A CT image with these elements beside the necessary ones."""
        body = dict(self.necessary())
        body.update(dict(elements))
        body[0x7FE00010] = pixels or self.pixels()
        content = b"".join(body[tag] for tag in sorted(body))
        if self.syntax == DEFLATED:
            deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
            content = deflater.compress(content) + deflater.flush()
        return preamble.ljust(128, b"\0") + b"DICM" + self.meta() + content

    def meta(self) -> bytes:
        plain = Writer()
        return (
            plain.element(0x00020002, "UI", CT_STORAGE)
            + plain.element(0x00020003, "UI", "2.999.7.1")
            + plain.element(0x00020010, "UI", self.syntax)
            + plain.element(0x00020016, "AE", "HARTIGANAE")
            + plain.element(0x00020100, "UI", "2.999.7.9")
            + plain.element(0x00020102, "OB", b"HARTIGAN private meta")
        )

    def necessary(self) -> dict[int, bytes]:
        texts = (
            (0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
            (0x00080016, "UI", CT_STORAGE),
            (0x00080018, "UI", "2.999.7.1"),
            (0x00080060, "CS", "CT"),
            (0x00100010, "PN", "HARTIGAN^SEAN"),
            (0x00100020, "LO", "MRN77123"),
            (0x00180015, "CS", "CHEST"),
            (0x0020000D, "UI", "2.999.7.2"),
            (0x0020000E, "UI", "2.999.7.3"),
            (0x00280004, "CS", "MONOCHROME2"),
        )
        numbers = ((0x00280002, 1), (0x00280010, 4), (0x00280011, 4), (0x00280100, 16))
        return {
            **{tag: self.element(tag, vr, text) for tag, vr, text in texts},
            **{tag: self.element(tag, "US", number) for tag, number in numbers},
        }
