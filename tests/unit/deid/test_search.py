"""The search of all bytes: a word is found wherever it lies, and nothing else is."""

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.deid.domain.identifiers import Identifiers
from services.deid.gateways.search import Search, in_all_encodings

LONG = frozenset(
    (b"hartigan", b"mrn771", b"2.999.7.1.20260817.12", b"st brigid port haven", b"123456")
)
KNOWN = Identifiers(LONG, frozenset())


def found(*pieces: bytes) -> bool:
    search = Search(KNOWN)
    for piece in pieces:
        search.feed(memoryview(piece))
    return search.found


@given(st.sampled_from(sorted(LONG)), st.binary(max_size=40), st.binary(max_size=40), st.data())
def test_a_word_is_found_at_any_offset_and_over_any_border(
    word: bytes, before: bytes, behind: bytes, data: st.DataObject
) -> None:
    spelt = data.draw(st.sampled_from([word, word.upper(), word.title()]))
    content = before + b" " + spelt + b"=" + behind
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=3)))
    pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]

    assert found(*pieces)


@pytest.mark.parametrize("block", [1 << 18, (1 << 18) + 1, (1 << 19) - 3])
def test_no_word_hides_between_blocks(block: int) -> None:
    noise = Random(block).randbytes(block + 400)
    for at in range(block - 10, block + 3):
        assert found(noise[:at] + b" MRN771 " + noise[at:])


@given(st.binary(max_size=4000))
def test_it_says_what_a_plain_search_says(content: bytes) -> None:
    assert found(content) == KNOWN.in_bytes(content)


@given(st.integers(0, 255), st.integers(0, 300), st.sampled_from(sorted(LONG)), st.booleans())
def test_a_word_between_pixels_of_two_bytes_is_found(
    high: int, at: int, word: bytes, upper: bool
) -> None:
    pixels = bytes([7, high]) * 200

    assert found(pixels[:at] + b" " + (word.upper() if upper else word) + b" " + pixels[at:])


def test_a_word_of_no_ascii_is_found() -> None:
    search = Search(Identifiers(frozenset(("łukaszewicz".encode(),)), frozenset()))
    search.feed(bytes(4096) + b" " + "łukaszewicz".encode() + bytes(99))

    assert search.found


@pytest.mark.parametrize(
    "content", [b"xhartigan", b"1234567", b"hartiga", b"", b"mrn77", b"\0" * 99]
)
def test_a_part_of_another_word_is_none(content: bytes) -> None:
    assert not found(content)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_letter_are_seen_in_a_header(codec: str) -> None:
    search = Search(KNOWN)

    search.feed_header(b"\x10\x00LO\x10\x00" + "Hartigan".encode(codec) + b"\x20\x00")

    assert search.found


def test_a_name_is_searched_for_in_other_character_sets_too() -> None:
    name = "müller-łoś"
    spelt = in_all_encodings(frozenset((name.encode("iso8859-2"),)), "ISO_IR 101")

    assert name.encode() in spelt
    assert name.upper().encode().lower() in spelt
    assert name.encode("gb18030", "ignore") in spelt


@given(
    st.lists(st.sampled_from((b" HARTIGAN ", b"mrn", b"771", b" 123", b"456\0", b"\0\0L", b"x")))
)
@example([b"mrn", b"771", b"mrn", b"x", b"x", b"x"])  # a word ends, or begins, where it is cut
@example([*[b"mrn"] * 5, b"771", b" 123", b"mrn"])
def test_a_header_says_what_a_plain_search_says(parts: list[bytes]) -> None:
    """Of all of it, and of each piece as if nothing stood beside it: doubt holds."""
    content = b"".join(parts)
    for cut in (0, len(content) // 2, len(content)):
        search = Search(KNOWN)
        search.feed_header(content[:cut])
        search.feed_header(content[cut:])

        assert search.found == any(map(KNOWN.in_bytes, (content, content[:cut], content[cut:])))


def test_a_word_that_begins_in_a_header_and_ends_in_pixels_is_found() -> None:
    search = Search(KNOWN)
    search.feed_header(b"\0" * 200 + b" HART")
    search.feed(b"IGAN " + bytes(4096))

    assert search.found


def test_a_word_that_has_a_zero_in_it_is_found_in_a_header() -> None:
    search = Search(Identifiers(frozenset((b"hart\0igan",)), frozenset()))
    search.feed_header(b"\x10\x00LO\x0a\x00 HART\0IGAN ")

    assert search.found
