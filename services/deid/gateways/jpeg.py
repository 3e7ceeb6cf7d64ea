"""Which bytes of a compressed frame are a comment, and not an image? They are blanked in place.

JPEG, JPEG-LS and JPEG 2000 carry comment (COM) and application (APPn) segments that no viewer
shows and many devices fill. Their length stays, so that offset tables keep their meaning.
"""

# How a frame starts -> the marker behind which pixels begin (JPEG: SOS; JPEG 2000: SOT).
_ENDS_OF_HEADER = {b"\xff\xd8": 0xDA, b"\xff\x4f": 0x90}
_MARKER, _LENGTH = 0xFF, 2
_COMMENT, _COMMENT_2000 = 0xFE, 0x64
# APP0 (JFIF) and APP14 (Adobe) say how colours are coded; their heads are kept.
_APPLICATION = range(0xE0, 0xF0)
_KEPT = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12), 0xE8: (b"SPIFF\0", 30)}


def without_comments(fragment: bytes) -> bytes:
    """The fragment with the content of comment and application segments set to zero."""
    end_marker = _ENDS_OF_HEADER.get(fragment[:2])
    if end_marker is None:
        return fragment  # RLE, video, or the middle of a frame
    out, at = bytearray(fragment), 2
    while at + 4 <= len(out) and out[at] == _MARKER and out[at + 1] != end_marker:
        marker, length = out[at + 1], int.from_bytes(out[at + 2 : at + 4], "big")
        end = min(at + 2 + length, len(out))
        start = at + 4 + _kept(marker, bytes(out[at + 4 : end]))
        if marker in {_COMMENT, _COMMENT_2000} or marker in _APPLICATION:
            out[start:end] = bytes(max(end - start, 0))
        if length < _LENGTH:
            break
        at += 2 + length
    return bytes(out)


def _kept(marker: int, content: bytes) -> int:
    """How much of a segment's content says how to decode."""
    name, length = _KEPT.get(marker, (b"\0", 0))
    if marker == _COMMENT_2000:
        return 2  # the registration value, whose absence decoders object to
    return min(length, len(content)) if content.startswith(name) else 0
