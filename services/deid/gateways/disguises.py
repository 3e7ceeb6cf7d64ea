"""How does a word look where it is written by way of other letters? In base64, in hex, escaped.

All in lower case: capitals of base64 are not told apart, which no chance meets in seven letters.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from html.entities import codepoint2name
from urllib.parse import quote

from shared.runtime.dicom.charset import decode

_SHORTEST = 7  # letters of base64: what six bytes leave, wherever they begin
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# Of the bytes before the word, which make its first letters those of both.
_SHARED = (0, 2, 3)


@lru_cache(maxsize=32)
def disguised(words: frozenset[bytes], charset: str) -> frozenset[bytes]:
    """The words in lower case, in capitals and with a capital; `charset` is that of the bytes."""
    found = {
        mask
        for word in words
        for text in _cased(decode(word, charset))
        for mask in (*_encoded(text), *_escaped(text))
    }
    return frozenset(one.lower() for one in found if len(one) >= _SHORTEST) - words


def _cased(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((text, text.upper(), text.title())))


def _encoded(text: str) -> Iterator[bytes]:
    raw = text.encode()
    yield raw.hex().encode()
    for before, shared in enumerate(_SHARED):
        whole = (before + len(raw)) * 8 // 6
        core = b64encode(bytes(before) + raw)[shared:whole]
        yield core
        yield core.translate(_URL_SAFE)


def _escaped(text: str) -> Iterator[bytes]:
    """In addresses of the web, HTML and JSON, which leave ASCII as it is."""
    if text.isascii():
        return
    yield quote(text).encode()
    yield quote(text, encoding="latin-1", errors="replace").encode()
    yield json.dumps(text)[1:-1].encode()
    for mark in ("&#{};", "&#x{:x};"):
        yield "".join(one if one.isascii() else mark.format(ord(one)) for one in text).encode()
    yield "".join(_named(one) for one in text).encode("ascii", "xmlcharrefreplace")


def _named(char: str) -> str:
    name = codepoint2name.get(ord(char))
    return f"&{name};" if name and not char.isascii() else char
