"""A multipart body is read to the byte, however it is cut into chunks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.api import multipart
from services.intake.api.multipart import boundary_of, parts
from shared.runtime.errors import Problem

BOUNDARY = "b0undary"
TRICKY = st.lists(
    st.sampled_from([b"\r\n--b0undar", b"\r", b"\n", b"--", b"\r\n--", b"--b0undary", b"x", b"\0"]),
    max_size=12,
).map(b"".join)
# What a sender may put into a part: anything but the delimiter itself (RFC 2046 section 5.1.1).
CONTENT = TRICKY.filter(lambda content: b"\r\n--b0undary" not in content)


def body(contents: list[bytes], head: bytes = b"Content-Type: application/dicom") -> bytes:
    parts = [b"--b0undary\r\n" + head + b"\r\n\r\n" + one + b"\r\n" for one in contents]
    return b"".join(parts) + b"--b0undary--\r\n"


def read(sent: bytes, size: int, most: int = 1 << 20) -> list[tuple[bytes, str, bool, bool]]:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(sent), size):
            yield sent[start : start + size]

    async def collect() -> list[tuple[bytes, str, bool, bool]]:
        with TemporaryDirectory() as folder:
            return [
                (part.path.read_bytes(), part.media_type, part.whole, part.too_large)
                async for part in parts(chunks(), BOUNDARY, Path(folder), most)
            ]

    return asyncio.run(collect())


@settings(max_examples=500, deadline=None)
@given(st.lists(CONTENT, min_size=1, max_size=5), st.integers(1, 64))
def test_each_part_comes_out_as_it_went_in(contents: list[bytes], piece: int) -> None:
    before, multipart.PIECE = multipart.PIECE, piece  # type: ignore[misc] # cut it where it hurts
    try:
        found = read(body(contents), 7)
    finally:
        multipart.PIECE = before  # type: ignore[misc]

    assert found == [(one, "application/dicom", True, False) for one in contents]


@settings(deadline=None)
@given(st.integers(40, 250))
def test_a_body_cut_off_gives_what_was_whole_and_names_the_rest(length: int) -> None:
    whole = body([b"a" * 60, b"b" * 60, b"c" * 60])

    found = read(whole[:length], 11)

    assert [content for content, _, is_whole, _ in found if is_whole] == [
        bytes([97 + place]) * 60 for place in range(sum(1 for one in found if one[2]))
    ]
    assert all(one[2] for one in found[:-1])


def test_a_part_over_the_limit_is_not_kept() -> None:
    found = read(body([b"a" * 10, b"b" * 11, b"c"]), 5, most=10)

    assert [too_large for _, _, _, too_large in found] == [False, True, False]
    assert all(len(content) <= 10 for content, *_ in found)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"content-type: Application/DICOM; transfer-syntax=*", "application/dicom"),
        (b"Content-Location: x", ""),
        (b"Content-Type: text/plain\r\nContent-Length: 1", "text/plain"),
    ],
)
def test_the_media_type_of_a_part_is_read(head: bytes, media_type: str) -> None:
    assert [one[1] for one in read(body([b"x"], head), 4)] == [media_type]


@pytest.mark.parametrize(
    "sent", [b"x", b"--other\r\n\r\n", b"--b0undaryX\r\n", b"--b0undary\r\n: \r\n"]
)
def test_what_is_no_multipart_is_a_problem(sent: bytes) -> None:
    with pytest.raises(Problem) as caught:
        read(sent, 3)

    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/related; type="application/dicom"; boundary=b0undary',
        "multipart/related; boundary=b0undary; type=application/dicom",
        "Multipart/Related; boundary=b0undary",
        'multipart/related; boundary="b0undary"; start="<1>"',
    ],
)
def test_the_boundary_is_found(content_type: str) -> None:
    assert boundary_of(content_type) == BOUNDARY
