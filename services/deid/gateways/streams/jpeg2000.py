"""Which bytes of a JPEG 2000 frame are no image? (ITU-T T.800 annexes A and I; T.814)

Comments become zero where they stand, before and between tiles, so no length changes. What lies
around the code stream (the boxes of a JP2 file) and behind it stays away.
"""

from collections import Counter
from collections.abc import Iterator

from services.deid.gateways.streams.segments2000 import Coding
from services.deid.gateways.streams.walked import (
    Edit,
    UnwalkableError,
    Walked,
    changed,
    is_empty,
    word,
)
from shared.runtime.dicom.heads import Buffer

START = b"\xff\x4f\xff\x51"  # SOC, SIZ
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9
_COMMENT, _REGISTRATION, _LENGTHS, _PACKETS = 0xFF64, 0xFF63, 0xFF55, 0xFF58
_TILE_HEAD = 12  # bytes of SOT and its segment
_KINDS = (b"\0\0", b"\0\1")  # of comments; decoders object to none
_MOST = 1 << 18  # segments of a frame: there may be 65,535 tiles
_BOX, _LONG_BOX = 8, 16
# Boxes of a header that change colours: palette, mapping, channels.
_RECOLOURING = (b"pclr", b"cmap", b"cdef")


def walk(stream: Buffer, start: int, end: int) -> Walked:
    """One frame from SOC to EOC. Raises UnwalkableError for what the standards don't allow."""
    if stream[start : start + len(JP2)] == JP2:
        start, end = _unboxed(stream, start, end)
    return _Walk(stream, end).whole(start)


def _unboxed(stream: Buffer, start: int, end: int) -> tuple[int, int]:
    """Where the code stream lies in a JP2 file, which DICOM has no use for (PS3.5 A.4.4)."""
    for kind, at, after in _boxes(stream, start, end):
        if kind == b"jp2h":
            inside = {one for one, _, _ in _boxes(stream, at, after)}
            if inside.intersection(_RECOLOURING):
                raise UnwalkableError("a JP2 file whose header changes the colours")
        if kind == b"jp2c":
            return at, after
    raise UnwalkableError("a JP2 file without a code stream")


def _boxes(stream: Buffer, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of what each box holds (I.4)."""
    while at + _BOX <= end:
        length, head = word(stream, at, 4), _BOX
        if length == 1:
            length, head = word(stream, at + _BOX, 8), _LONG_BOX
        after = at + length if length else end
        if after < at + head or after > end:
            raise UnwalkableError("a box of a JP2 file runs over its end")
        yield bytes(stream[at + 4 : at + _BOX]), at + head, after
        at = after


class _Walk:
    """The state between markers. `lengths`: what TLM says of the tile-parts to come."""

    def __init__(self, stream: Buffer, end: int) -> None:
        self.stream, self.end = stream, end
        self.edits: list[Edit] = []
        self.coding = Coding()
        self.lengths: list[tuple[int | None, int]] = []
        self.parts: Counter[int] = Counter()
        self.seen = 0

    def whole(self, start: int) -> Walked:
        if self.stream[start : start + len(START)] != START:
            raise UnwalkableError("a JPEG 2000 frame without its start")
        at = self._header(start + 2, _SOT, tile=False)
        found: list[tuple[int, int]] = []
        while self._code(at) == _SOT:
            tile, after = self._tile_part(at)
            found.append((tile, after - at))
            at = after
        if not found:
            raise UnwalkableError("a JPEG 2000 frame without tiles")
        if self.lengths and not _agree(self.lengths, found):
            raise UnwalkableError("a JPEG 2000 table of lengths that is none")
        return Walked(start, self._end(at), tuple(self.edits))

    def _end(self, at: int) -> int:
        """Behind EOC; some writers leave it out, and nothing may stand in its place."""
        if self._code(at) == _EOC:
            return at + 2
        if not is_empty(self.stream, at, self.end):
            raise UnwalkableError("a JPEG 2000 frame without its end")
        return at

    def _code(self, at: int) -> int:
        return word(self.stream, at) if at + 2 <= self.end else 0

    def _header(self, at: int, until: int, *, tile: bool) -> int:
        """Where the header of the frame, or of a tile-part, ends: at the marker `until`."""
        while (code := self._code(at)) != until:
            start, after = at + 4, at + 2 + word(self.stream, at + 2)
            self.seen += 1
            if after < start or after > self.end or self.seen > _MOST:
                raise UnwalkableError("a JPEG 2000 segment runs over the end of its frame")
            content = bytes(self.stream[start:after])
            if code == _COMMENT:
                kind = content[:2] if content[:2] in _KINDS else _KINDS[0]
                self.edits += changed(self.stream, start, after, kind[: after - start])
            elif code == _REGISTRATION:
                self.edits += changed(self.stream, start, after)  # where a camera's planes lie
            else:
                self._told(code, content, tile=tile)
            at = after
        return at

    def _told(self, code: int, content: bytes, *, tile: bool) -> None:
        if code == _LENGTHS and not tile:
            self.lengths += self.coding.lengths(content)
        elif code == _PACKETS and tile:
            self.coding.packets(content)
        elif not self.coding.sound(code, content):
            raise UnwalkableError(f"a JPEG 2000 segment {code:04X} that is not as its kind is")

    def _tile_part(self, at: int) -> tuple[int, int]:
        """Its tile, and where it ends (A.4.2)."""
        length, tile = word(self.stream, at + 2), word(self.stream, at + 4)
        size, part = word(self.stream, at + 6, 4), word(self.stream, at + 10, 1)
        if length != _TILE_HEAD - 2 or tile >= self.coding.tiles or part != self.parts[tile]:
            raise UnwalkableError("a tile-part of JPEG 2000 that belongs to no tile")
        self.parts[tile] += 1
        self.coding.packet_bytes = None
        begin = self._header(at + _TILE_HEAD, _SOD, tile=True) + 2
        if self.coding.bands > 3 * self.coding.levels + 1:
            raise UnwalkableError("more steps of quantisation than bands in JPEG 2000")
        after = at + size if size else self._last_end(begin)
        if not begin <= after <= self.end or self.coding.packet_bytes not in {None, after - begin}:
            raise UnwalkableError("a tile-part of JPEG 2000 with a wrong length")
        return tile, after

    def _last_end(self, at: int) -> int:
        """No coded byte of ones is followed by more than 8F, but for two markers (B.10.1)."""
        found = self.stream.find(b"\xff\xd9", at, self.end)
        if found < 0:
            raise UnwalkableError("a JPEG 2000 frame without its end")
        return found


def _agree(said: list[tuple[int | None, int]], found: list[tuple[int, int]]) -> bool:
    """Whether the tile-parts are those that TLM tells of; it may leave out whose they are."""
    return len(said) == len(found) and all(
        tile in {None, there} and length == size
        for (tile, length), (there, size) in zip(said, found, strict=True)
    )
