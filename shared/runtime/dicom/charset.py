"""Which text do these bytes mean under a Specific Character Set (0008,0005)? (PS3.3 C.12.1.1.2)"""

import re

_SINGLE = {
    "": "ascii", "ISO_IR 6": "ascii", "ISO 2022 IR 6": "ascii",
    "ISO_IR 100": "latin-1", "ISO 2022 IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2", "ISO 2022 IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3", "ISO 2022 IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4", "ISO 2022 IR 110": "iso8859-4",
    "ISO_IR 126": "iso8859-7", "ISO 2022 IR 126": "iso8859-7",
    "ISO_IR 127": "iso8859-6", "ISO 2022 IR 127": "iso8859-6",
    "ISO_IR 138": "iso8859-8", "ISO 2022 IR 138": "iso8859-8",
    "ISO_IR 144": "iso8859-5", "ISO 2022 IR 144": "iso8859-5",
    "ISO_IR 148": "iso8859-9", "ISO 2022 IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15", "ISO 2022 IR 203": "iso8859-15",
    "ISO_IR 13": "shift_jis", "ISO 2022 IR 13": "shift_jis",
    "ISO_IR 166": "iso8859-11", "ISO 2022 IR 166": "iso8859-11",
    "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk",
    "ISO 2022 IR 87": "iso2022_jp", "ISO 2022 IR 159": "iso2022_jp_2",
    "ISO 2022 IR 149": "euc_kr", "ISO 2022 IR 58": "gb2312",
}  # fmt: skip
# Escape sequence -> codec of the run behind it (PS3.3 tables C.12-3 and C.12-4).
_ESCAPES = {
    b"(B": "ascii", b"-A": "latin-1", b"-B": "iso8859-2", b"-C": "iso8859-3", b"-D": "iso8859-4",
    b"-F": "iso8859-7", b"-G": "iso8859-6", b"-H": "iso8859-8", b"-L": "iso8859-5",
    b"-M": "iso8859-9", b"-b": "iso8859-15", b")I": "shift_jis", b"(J": "shift_jis",
    b"-T": "iso8859-11", b"$B": "iso2022_jp", b"$(D": "iso2022_jp_2", b"$)C": "euc_kr",
    b"$)A": "gb2312",
}  # fmt: skip
_RUN = re.compile(rb"\x1b(\$[()][A-D]|\$B|[-()][A-Za-z])([^\x1b]*)", re.DOTALL)


def decode(raw: bytes, charset: str = "") -> str:
    """Text of a value without its padding. What can't be decoded becomes U+FFFD, never an error."""
    first = _SINGLE.get(charset.split("\\", maxsplit=1)[0].strip(), "latin-1")
    plain = raw.rstrip(b" \0").lstrip(b" ")
    head, *_ = plain.split(b"\x1b", 1)
    runs = [head.decode(_lenient(first), "replace")]
    for escape, run in _RUN.findall(plain[len(head) :]):
        codec = _ESCAPES.get(escape, "ascii")
        body = b"\x1b" + escape + run if codec.startswith("iso2022") else run
        runs.append(body.decode(_lenient(codec), "replace"))
    return "".join(runs)


def codec_of(raw: bytes, charset: str = "") -> str | None:
    """The codec that reads these bytes and writes the very same; None when there is none.

    Escape sequences switch between codecs, so a text that has one can't be written back.
    """
    if b"\x1b" in raw:
        return None
    if raw.isascii():
        return "ascii"
    codec = _SINGLE.get(charset.split("\\", maxsplit=1)[0].strip())
    if codec is None or codec.startswith("iso2022"):
        return None
    try:
        return codec if raw.decode(codec).encode(codec) == raw else None
    except UnicodeError:
        return None


def encode(text: str, charset: str = "") -> bytes:
    """Text as a file of this character set has it; in UTF-8 where that set has no such letters."""
    codec = _SINGLE.get(charset.split("\\", maxsplit=1)[0].strip(), "utf-8")
    try:
        return text.encode(codec)
    except UnicodeError:
        return text.encode("utf-8", "ignore")


def _lenient(codec: str) -> str:
    """Bytes above 127 in a text that claims ASCII are, in the field, Latin-1."""
    return "latin-1" if codec == "ascii" else codec
