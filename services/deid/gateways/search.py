"""Do these bytes hold one of the words? All words in one pass, in less time than a hash takes.

A word of six bytes or more contains, wherever it lies, the last three bytes of some aligned group
of four. So a table of hashed triples rules out nearly all places; what is left is compared. And
where no such group has a letter's byte at its odd places, as in most pixels of two bytes, the table
is not asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.deid.domain.identifiers import Identifiers
from shared.runtime.dicom.charset import decode

_STEM = 12  # bytes of a word that are looked for first: UIDs of one study share more
_SHORTEST = 6  # bytes; shorter words are searched for in values of text VRs only
_GROUP, _TRIPLE = 4, 3
_FOLD = np.uint32(0x20202020)  # the bit between upper and lower case
_SPREAD = np.uint32(0x9E3779B1)  # 2^32 divided by the golden ratio: Knuth's multiplicative hash
_BITS = 16
_BLOCK = 1 << 18  # bytes: what comes of it stays in a core's own cache
# Those a name is written in besides its file's own; in UTF-16 it is searched for in headers only.
_CODECS = (
    "utf-8", "latin-1", *(f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)),
    *(f"cp125{n}" for n in range(9)), "tis-620",
    "koi8-r", "koi8-u", "cp437", "cp850", "cp852", "cp866", "mac-roman", "mac-cyrillic",
    "shift_jis", "euc-jp", "euc-kr", "gb18030", "big5",
)  # fmt: skip
Bytes = bytes | memoryview


@dataclass
class Search:
    """Over the pieces of a file, in their order. `found`: one of the words was there.

    What a piece begins or ends with counts as a word, whatever stands beside it: doubt holds.
    """

    identifiers: Identifiers
    disguised: frozenset[bytes] = frozenset()  # is searched for in headers only, as it stands
    found: bool = False
    _stems: "_Stems" = field(init=False)
    _reach: int = field(init=False)
    _tail: bytes = b""

    def __post_init__(self) -> None:
        long = self.identifiers.long
        self._stems = _stems(frozenset(one[:_STEM] for one in long if len(one) >= _SHORTEST))
        self._reach = max(map(len, long), default=0) + 1  # and what bounds the word

    def feed(self, piece: Bytes) -> None:
        """Look at the next piece, and at the border to the one before."""
        reach, stems = self._reach, self._stems
        if self.found or not stems.stems:
            return
        border = self._tail + bytes(piece[:reach])
        self.found = stems.any_in(border) and self.identifiers.in_bytes(border)
        for at in () if self.found else stems.places(piece):
            if self.identifiers.in_bytes(bytes(piece[max(at - 1, 0) : at + reach])):
                self.found = True
                return
        self._remember(piece)

    def feed_header(self, piece: bytes) -> None:
        """The same for what is no pixel, where words of two bytes a letter are looked for too.

        Without its zeros each letter has one byte, and all else that is in the piece is there too:
        it is seldom that a word begins in it.
        """
        stems = self._stems
        self.found = self.found or _holds_any(piece, self.disguised)
        if self.found or not stems.stems or not piece:
            return
        letters = piece.replace(b"\0", b"")
        near = self._tail + letters[: self._reach]
        if not (stems.zeros or stems.any_in(near) or any(True for _ in stems.places(letters))):
            self._remember(piece)
            return
        self.feed(piece)
        folded = piece.lower()
        if any(one in folded for one in _wide(self.identifiers.long)):
            self.found = True

    def _remember(self, piece: Bytes) -> None:
        """Keep as much of the end as a word that goes on in the next piece may have there."""
        reach = self._reach
        self._tail = (
            (self._tail + bytes(piece))[-reach:] if len(piece) < reach else bytes(piece[-reach:])
        )


@dataclass(frozen=True)
class _Stems:
    """The beginnings of words, and a table of the hashed triples in them."""

    stems: frozenset[bytes]
    near: dict[bytes, list[tuple[int, bytes]]]  # triple -> (its offset in the stem, the stem)
    table: NDArray[np.bool_]
    lowest: np.uint16  # of the two bytes whose second is the first or the last of a triple
    span: int  # from there to the highest
    zeros: bool  # whether there are any in the stems
    halves: NDArray[np.uint16] = field(default_factory=lambda: np.empty(_BLOCK // 2, np.uint16))
    words: NDArray[np.uint32] = field(default_factory=lambda: np.empty(_BLOCK // _GROUP, np.uint32))
    marks: NDArray[np.bool_] = field(default_factory=lambda: np.empty(_BLOCK // _GROUP, np.bool_))

    def any_in(self, piece: bytes) -> bool:
        return any(map(piece.lower().__contains__, self.stems))

    def places(self, piece: Bytes) -> Iterator[int]:
        """Offsets where a stem begins."""
        for start in range(0, len(piece) - _GROUP + 1, _BLOCK):
            count = min(_BLOCK, len(piece) - start) // _GROUP
            if not self._may_hold(np.frombuffer(piece, "<u2", count * 2, start)):
                continue
            words, marks = self.words[:count], self.marks[:count]
            _hash(np.frombuffer(piece, "<u4", count, start), words)
            self.table.take(words, out=marks, mode="clip")
            for group in np.flatnonzero(marks).tolist():
                yield from self._stems_at(piece, start + group * _GROUP + 1)

    def _may_hold(self, halves: NDArray[np.uint16]) -> bool:
        if halves.max() < self.lowest:  # as in a scanner's twelve bits; nothing is written for it
            return False
        distances = np.subtract(halves, self.lowest, out=self.halves[: len(halves)])
        return int(distances.min()) < self.span

    def _stems_at(self, piece: Bytes, at: int) -> Iterator[int]:
        for offset, stem in self.near.get(bytes(piece[at : at + _TRIPLE]).lower(), ()):
            begin = at - offset
            if begin >= 0 and bytes(piece[begin : begin + len(stem)]).lower() == stem:
                yield begin


def _hash(groups: NDArray[np.uint32], out: NDArray[np.uint32]) -> None:
    np.bitwise_or(groups, _FOLD, out=out)
    np.right_shift(out, np.uint32(8), out=out)
    np.multiply(out, _SPREAD, out=out)
    np.right_shift(out, np.uint32(32 - _BITS), out=out)


@lru_cache(maxsize=32)
def _stems(stems: frozenset[bytes]) -> _Stems:
    """Each triple that can lie behind the first byte of a group, wherever the word begins."""
    near: dict[bytes, list[tuple[int, bytes]]] = {}
    for stem in sorted(stems):
        for offset in range(_GROUP):
            near.setdefault(stem[offset : offset + _TRIPLE], []).append((offset, stem))
    groups = np.frombuffer(b"".join(b"\0" + triple for triple in near), "<u4")
    hashed = np.empty(len(groups), np.uint32)
    _hash(groups, hashed)
    table = np.zeros(1 << _BITS, np.bool_)
    table[hashed] = True
    ends = b"".join(triple[::2] + triple[::2].upper() for triple in near)
    lowest, highest = (min(ends), max(ends)) if ends else (0, 0)
    span, zeros = (highest - lowest + 1) << 8, any(0 in one for one in stems)
    return _Stems(stems, near, table, np.uint16(lowest << 8), span, zeros)


@lru_cache(maxsize=32)
def _begun(words: frozenset[bytes]) -> tuple[_Stems, dict[bytes, tuple[bytes, ...]]]:
    """The beginnings of words, and which words begin so."""
    begun: dict[bytes, list[bytes]] = {}
    for one in sorted(words):
        begun.setdefault(one[:_SHORTEST], []).append(one)
    return _stems(frozenset(begun)), {stem: tuple(those) for stem, those in begun.items()}


def _holds_any(piece: bytes, words: frozenset[bytes]) -> bool:
    """Whether one of the words is there, whatever stands beside it."""
    if not words:
        return False
    stems, begun = _begun(words)
    return any(
        piece[at : at + len(one)].lower() == one
        for at in stems.places(piece)
        for one in begun[piece[at : at + _SHORTEST].lower()]
    )


@lru_cache(maxsize=32)
def in_all_encodings(long: frozenset[bytes], charset: str) -> frozenset[bytes]:
    """The words as another character set would have them; `charset` is that of the bytes."""
    return long | {
        spelt
        for one in long
        if not one.isascii()
        for text in (decode(one, charset), decode(one, charset).upper())
        for codec in _CODECS
        if len(spelt := _spelt(text, codec)) >= _SHORTEST
    }


def _spelt(text: str, codec: str) -> bytes:
    """Empty where the character set lacks one of the letters."""
    try:
        return text.encode(codec).lower()
    except UnicodeEncodeError:
        return b""


def _wide(long: frozenset[bytes]) -> list[bytes]:
    """The words as UTF-16, in both byte orders."""
    texts = [one.decode("utf-8", "ignore") for one in long]
    wide = [text.encode(codec) for text in texts for codec in ("utf-16-le", "utf-16-be")]
    return [one for one in wide if len(one) >= 2 * _SHORTEST]
