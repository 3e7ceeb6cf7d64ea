"""Which bytes of a JPEG or JPEG-LS frame are no image? (ITU-T T.81 annex B, T.87 annex C)

Segments between scans are looked at as those before them. Comment (COM) and application (APPn)
segments that no viewer shows and many devices fill become zero where they stand.
"""

import re
from collections.abc import Callable

from services.deid.gateways.streams.walked import Edit, UnwalkableError, Walked, changed, word
from shared.runtime.dicom.heads import Buffer

START = b"\xff\xd8"
_EOI, _SOS, _DHT, _DQT, _DNL, _DRI, _DAC, _LSE = 0xD9, 0xDA, 0xC4, 0xDB, 0xDC, 0xDD, 0xCC, 0xF8
_COMMENT, _APPLICATION = 0xFE, range(0xE0, 0xF0)
_LS_FRAME = 0xF7  # SOF55
# Frames that are not differential: baseline, extended, progressive, lossless; Huffman, arithmetic.
_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB, _LS_FRAME))
_WITHIN_SCANS = frozenset((0x00, *range(0xD0, 0xD8)))  # a stuffed byte of ones, RST0 to RST7
_FILL = re.compile(rb"\xff+")
# Behind a byte of ones: in JPEG a zero, in JPEG-LS a bit of zero belongs to the scan.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_LS_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xff]")
_LS_STUFFED = 0x80
_MOST = 1 << 16  # segments of a frame, and markers behind fill bytes in a scan
_WIDTH = 2  # bytes of a length, which counts itself
_JFIF, _ADOBE, _SPIFF = (0, b"JFIF\0", 14), (14, b"Adobe", 12), (8, b"SPIFF\0", 30)
_COLOURS = (8, b"mrfx", 5)  # the colour transform of HP's JPEG-LS
_LAST_ENTRY = b"\0\0\0\1" + START  # of a SPIFF directory, without which its readers stop
_DENSEST, _UNITS = 2400, 2  # dots an inch; by inch or centimetre
_FLAGS = frozenset((0x00, 0x40, 0x80, 0xC0))  # the first of Adobe's; nobody sets others


def walk(stream: Buffer, start: int, end: int) -> Walked:
    """One frame from SOI to EOI. Raises UnwalkableError for what the standards don't allow."""
    return _Walk(stream, end).whole(start)


class _Walk:
    """The state between markers."""

    def __init__(self, stream: Buffer, end: int) -> None:
        self.stream, self.end = stream, end
        self.edits: list[Edit] = []
        self.frame: int | None = None
        self.scans = 0

    def whole(self, start: int) -> Walked:
        if self.stream[start : start + len(START)] != START:
            raise UnwalkableError("a JPEG frame without its start")
        at = start + len(START)
        for _ in range(_MOST):
            code, at = self._marker(at)
            if code == _EOI and self.scans:
                return Walked(start, at, tuple(self.edits))
            at = self._segment(code, at)
        raise UnwalkableError("too many segments in a JPEG frame")

    def _marker(self, at: int) -> tuple[int, int]:
        """A marker and where its segment begins; any number of fill bytes may stand before it."""
        fill = _FILL.match(self.stream, at, self.end)
        if fill is None or fill.end() >= self.end:
            raise UnwalkableError("a JPEG frame without its end, or with bytes between segments")
        return self.stream[fill.end()], fill.end() + 1

    def _segment(self, code: int, at: int) -> int:
        """Where the segment ends, and its scan."""
        length = word(self.stream, at)
        after = at + length
        if length < _WIDTH or after > self.end:
            raise UnwalkableError("a JPEG segment runs over the end of its frame")
        start = at + _WIDTH
        if code == _COMMENT or code in _APPLICATION:
            content = bytes(self.stream[start:after]) if code != _COMMENT else b""
            self.edits += changed(self.stream, start, after, _kept(code - 0xE0, content))
            return after
        content = bytes(self.stream[start:after])
        if code in _FRAMES:
            if self.frame is not None:
                raise UnwalkableError("two images in one JPEG frame")
            self.frame = code
        if not _sound(code, content):
            raise UnwalkableError(f"a JPEG segment FF{code:02X} that is not as its kind is")
        return self._behind_scan(after) if code == _SOS else after

    def _behind_scan(self, at: int) -> int:
        """The next marker that doesn't belong to the scan."""
        if self.frame is None:
            raise UnwalkableError("a JPEG scan before its frame header")
        self.scans += 1
        ls = self.frame == _LS_FRAME
        pattern = _LS_MARKER if ls else _MARKER
        for _ in range(_MOST):
            found = pattern.search(self.stream, at, self.end)
            if found is None:
                break
            code, at = self._marker(found.start())
            if code not in _WITHIN_SCANS and not (ls and code < _LS_STUFFED):
                return found.start()
        raise UnwalkableError("a JPEG frame without its end")


def _sound(code: int, content: bytes) -> bool:
    """Whether a segment is as long as what it says it holds: nothing hides behind that."""
    length = len(content)
    if code in _FRAMES:
        return length > 5 and length == 6 + 3 * content[5]  # noqa: PLR2004 - T.81 B.2.2
    check = _CHECKS.get(code)
    return check is not None and check(content)


def _is_scan(content: bytes) -> bool:
    return bool(content) and len(content) == 4 + 2 * content[0]  # T.81 B.2.3


def _are_codes(content: bytes) -> bool:
    """Huffman tables (T.81 B.2.4.2): class and number, sixteen counts, that many values."""
    at, size = 0, len(content)
    while at + 17 <= size and content[at] >> 4 <= 1 and content[at] & 15 <= 3:  # noqa: PLR2004
        at += 17 + sum(content[at + 1 : at + 17])
    return at == size


def _are_steps(content: bytes) -> bool:
    """Quantisation tables (B.2.4.1): precision and number, 64 values of one or two bytes."""
    at, size = 0, len(content)
    while at < size and content[at] >> 4 <= 1 and content[at] & 15 <= 3:  # noqa: PLR2004
        at += 1 + 64 * (1 + (content[at] >> 4))
    return at == size


_CHECKS: dict[int, Callable[[bytes], bool]] = {
    _SOS: _is_scan,
    _DHT: _are_codes,
    _DQT: _are_steps,
    _DAC: lambda content: len(content) % 2 == 0 and len(content) <= 16,  # noqa: PLR2004 - B.2.4.3
    _DNL: lambda content: len(content) == 2,  # noqa: PLR2004 - B.2.5
    _DRI: lambda content: 2 <= len(content) <= 4,  # noqa: PLR2004 - B.2.4.4, T.87 C.2.5
    _LSE: lambda content: len(content) == 11 and content[0] == 1,  # noqa: PLR2004 - T.87 C.2.4.1
}


def _kept(number: int, content: bytes) -> bytes:
    """What of an APPn segment says how to decode: colours, and that resolution is none."""
    for (place, name, length), kept in _HEADS.items():
        if number == place and len(content) >= length and content.startswith(name):
            return kept(content[:length])
    return content if (number, content) == (_SPIFF[0], _LAST_ENTRY) else b""


def _jfif(head: bytes) -> bytes:
    """Version 1, a resolution that there is, and no thumbnail."""
    across, down = word(head, 8), word(head, 10)
    sound = head[5] == 1 and head[7] <= _UNITS and max(across, down) <= _DENSEST
    return b"JFIF\0" + (head[5:12] if sound else b"\1\1\0\0\1\0\1") + b"\0\0"


def _adobe(head: bytes) -> bytes:
    """Version 100, flags that there are, and the colour transform."""
    sound = head[5] == head[8] == head[9] == head[10] == 0 and head[7] in _FLAGS
    return b"Adobe" + (head[5:11] if sound else b"\0\x64\0\0\0\0") + head[11:12]


def _spiff(head: bytes) -> bytes:
    """Size, colours and kind of coding; a resolution that there is (T.84 F.2.1)."""
    if word(head, 10) or word(head, 14):
        raise UnwalkableError("a SPIFF header of an image that is too large")
    sound = head[21] <= _UNITS and max(word(head, 22, 4), word(head, 26, 4)) <= _DENSEST
    return head[:22] + (head[22:] if sound else b"\0\0\0\1\0\0\0\1")


_HEADS: dict[tuple[int, bytes, int], Callable[[bytes], bytes]] = {
    _JFIF: _jfif,
    _ADOBE: _adobe,
    _SPIFF: _spiff,
    _COLOURS: lambda head: head,
}
