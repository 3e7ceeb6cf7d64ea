"""Where may a patient hide in compressed pixels? A word in each place that is no image.

The frames are as small as coders make them: 4 x 4 samples of 16 bits, all the same.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.testing.part10 import JPEG, RLE, RLE_FRAME, Writer, segment

JPEG_LS, JPEG_2000 = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
LS_FRAME = bytes.fromhex(
    "ffd8fff7000b100004000401011100fff8000d01ffff0012004301140040"
    "ffda000801010000000040d80100401003fcffd9"
)
FRAME_2000 = bytes.fromhex(
    "ff4fff510029000000000004000000040000000000000000000000040000000400000000000000000001"
    "0f0101ff52000c00000001000004040001ff5c00044080ff90000a00000000001f0001"
    "ff93cffc3034115054aa00d0000000308d61f5ffd9"
)
_SOT, _PSOT, _TILE_HEAD = b"\xff\x90", 6, 12
_HUFFMAN = segment(0xC4, b"\x00\x01" + bytes(15) + b"\x00")
# Two components, each in a scan of its own (ITU-T T.81 B.2): its code has one bit a sample.
_TWO_SCANS = (
    b"\xff\xd8"
    + segment(0xC3, b"\x10\x00\x04\x00\x04\x02\x01\x11\x00\x02\x11\x00")
    + _HUFFMAN
    + segment(0xDA, b"\x01\x01\x00\x01\x00\x00")
    + b"\0\0",
    segment(0xDA, b"\x01\x02\x00\x01\x00\x00") + b"\0\0\xff\xd9",
)


@dataclass
class Hideouts:
    """Frames in fragments, the offset table first, and the words that are hidden in them."""

    name: str
    syntax: str
    words: dict[str, str] = field(default_factory=dict)
    fragments: list[bytes] = field(default_factory=lambda: [b""])
    elements: list[tuple[int, str, bytes]] = field(default_factory=list)

    def word(self, place: str) -> bytes:
        """A new word, in an even number of bytes."""
        self.words[place] = f"cnry.{self.name}.{len(self.words):02d}"
        return self.words[place].encode() + b" " * (len(self.words[place]) % 2)

    def content(self) -> bytes:
        write = Writer(self.syntax)
        elements = [(tag, write.element(tag, vr, value)) for tag, vr, value in self.elements]
        return write.file(elements, pixels=write.encapsulated(*self.fragments))


def hideouts() -> Iterator[Hideouts]:
    yield from (_jpeg(), _jpeg_ls(), _jpeg_2000(), _jp2(), _rle())


def _jpeg() -> Hideouts:
    one = Hideouts("jpeg", JPEG)
    first, second = _TWO_SCANS
    table = b"".join(
        (
            segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + one.word("a thumbnail")),
            segment(0xEE, b"Adobe\0\x64\0\0\0\0\0" + one.word("behind an Adobe header")),
        )
    )
    split = segment(0xE1, one.word("an APP segment in two fragments"))
    begin = first[:2] + table + split[:4]
    between = segment(0xFE, one.word("a comment between scans"))
    between += segment(0xED, one.word("an APP segment between scans"))
    end = second + one.word("behind the end of a JPEG frame")
    one.fragments = [
        one.word("the Basic Offset Table"),
        begin,
        split[4:] + first[2:] + between + end + b"\0" * (len(split + first + between + end) % 2),
        one.word("a fragment behind the frame"),
    ]
    return one


def _jpeg_ls() -> Hideouts:
    one = Hideouts("jpeg-ls", JPEG_LS)
    filled = b"\xff" + segment(0xE1, one.word("an APP segment behind a fill byte"))
    comment = segment(0xFE, one.word("a comment"))
    tail = one.word("behind the end of a JPEG-LS frame")
    frame = LS_FRAME[:2] + filled + comment + LS_FRAME[2:] + tail
    one.fragments.append(frame + b"\0" * (len(frame) % 2))
    for tag in (0x7FE00001, 0x7FE00002):
        word = one.word(f"an offset table of its own, {tag & 15}")
        one.elements.append((tag, "OV", word.ljust(16)))
    return one


def _jpeg_2000() -> Hideouts:
    one = Hideouts("jpeg-2000", JPEG_2000)
    at = FRAME_2000.index(_SOT)
    main = segment(0x64, b"\0\1" + one.word("a comment of the frame"))
    tile = segment(0x64, b"\0\1" + one.word("a comment of a tile"))
    size = struct.unpack_from(">I", FRAME_2000, at + _PSOT)[0] + len(tile)
    head = FRAME_2000[at : at + _PSOT] + struct.pack(">I", size) + FRAME_2000[at + 10 : at + 12]
    frame = FRAME_2000[:at] + main + head + tile + FRAME_2000[at + _TILE_HEAD :]
    frame += one.word("behind the end of a JPEG 2000 frame")
    one.fragments.append(frame + b"\0" * (len(frame) % 2))
    return one


def _jp2() -> Hideouts:
    one = Hideouts("jp2", JPEG_2000)
    header = box(b"ihdr", struct.pack(">IIHBBBB", 4, 4, 1, 15, 7, 0, 0))
    header += box(b"colr", b"\1\0\0" + struct.pack(">I", 17))
    frame = b"".join((
        box(b"jP  ", b"\r\n\x87\n"),
        box(b"ftyp", b"jp2 \0\0\0\0jp2 "),
        box(b"jp2h", header),
        box(b"xml ", one.word("a box before the code stream")),
        box(b"jp2c", FRAME_2000),
        box(b"uuid", one.word("a box behind the code stream")),
    ))  # fmt: skip
    one.fragments.append(frame + b"\0" * (len(frame) % 2))
    return one


def _rle() -> Hideouts:
    one = Hideouts("rle", RLE)
    unused = one.word("unused offsets of an RLE header")
    frame = RLE_FRAME[: 64 - len(unused)] + unused + RLE_FRAME[64:]
    one.fragments = [
        one.word("the Basic Offset Table"),
        frame + one.word("behind the last RLE segment"),
        one.word("a fragment behind the frame"),
    ]
    return one


def box(kind: bytes, content: bytes) -> bytes:
    """A box of a JP2 file (ITU-T T.800 I.4)."""
    return struct.pack(">I", len(content) + 8) + kind + content
