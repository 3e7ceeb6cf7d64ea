"""Published attacks on those who read DICOM: each is held, in two seconds and half a gigabyte.

The deflate bomb, empty items, depth, lengths and truncations are in test_walk.py and
test_hostile.py; ZIP bombs and paths out of a ZIP (CVE-2026-50003) in the tests of the command line;
HTTP's own (Content-Length, bodies that grow) in those of the edges.
"""

import re
import struct
import time
from pathlib import Path

import pytest

from services.deid.domain.boxes import Box, Placed
from services.deid.gateways.blanks import UnblankableError
from services.deid.gateways.instance import clean_instance
from shared.runtime.sandbox import Sandbox
from shared.testing.part10 import CT_STORAGE, EXPLICIT, JPEG, RLE, Writer
from tests.unit.deid.coded import blanked
from tests.unit.deid.files import cleaned, task

SECONDS, MEMORY = 2.0, 512 << 20
CAPTURE, DIRECTORY = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.1.3.10"
JPEG_LS, JPEG_2000 = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
HUGE = 0xFFFF
_PALETTE = (0x00281201, 0x00281202, 0x00281203)


def captured(syntax: str, *elements: tuple[int, str, bytes | str | int]) -> bytes:
    """A secondary capture, whose pixels are looked at, with these elements."""
    writer = Writer(syntax)
    given: tuple[tuple[int, str, bytes | str | int], ...] = (
        (0x00080016, "UI", CAPTURE),
        (0x00280101, "US", 16),
        (0x00280102, "US", 15),
        (0x00280103, "US", 0),
        *elements,
    )
    return writer.file((tag, writer.element(tag, vr, value)) for tag, vr, value in given)


def palette(entries: int, first: int, data: bytes) -> bytes:
    descriptor = struct.pack("<3H", entries, first, 16)
    return captured(
        EXPLICIT,
        (0x00280004, "CS", "PALETTE COLOR"),
        *((tag - 0x100, "US", descriptor) for tag in _PALETTE),
        *((tag, "OW", data) for tag in _PALETTE),
    )


def directory() -> bytes:
    """A DICOMDIR whose record points out of its disc (CVE-2026-32711)."""
    writer = Writer()
    record = writer.element(0x00041430, "CS", "IMAGE") + writer.element(
        0x00041500, "CS", "..\\..\\..\\ETC\\PASSWD"
    )
    elements = {
        0x00041220: writer.sequence(0x00041220, record),
        0x00080016: writer.element(0x00080016, "UI", DIRECTORY),
    }
    return writer.file(elements.items()).replace(CT_STORAGE.encode(), DIRECTORY.encode(), 1)


def large(syntax: str) -> bytes:
    return captured(syntax, (0x00280010, "US", HUGE), (0x00280011, "US", HUGE))


ATTACKS = {
    "a palette that claims 65,536 entries": palette(0, 0, b"\1\0"),
    "a palette that begins behind its end": palette(2, HUGE, b"\1\0\2\0"),
    "a palette of nothing": palette(1, 0, b""),
    "65,535 x 65,535 pixels in RLE of 66 bytes": large(RLE),
    "65,535 x 65,535 pixels in JPEG of 40 bytes": large(JPEG),
    "65,535 x 65,535 pixels in JPEG-LS of 40 bytes": large(JPEG).replace(
        JPEG.encode() + b"\0", JPEG_LS.encode() + b"\0"
    ),
    "65,535 x 65,535 pixels in JPEG 2000 of 40 bytes": large(JPEG).replace(
        JPEG.encode() + b"\0", JPEG_2000.encode() + b"\0"
    ),
    "a million million frames of no row": captured(
        EXPLICIT, (0x00280010, "US", 0), (0x00280008, "IS", "999999999999")
    ),
    "a million million frames in JPEG": captured(JPEG, (0x00280008, "IS", "999999999999")),
    "a directory that points out of its disc": directory(),
}


HARMLESS = frozenset(("a palette that begins behind its end",))  # each pixel has its first colour


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("attacks")


@pytest.mark.timeout(120)
async def test_each_is_held_soon_and_costs_little(folder: Path) -> None:
    source, target = folder / "attack.dcm", folder / "clean.dcm"
    async with Sandbox(workers=1, memory=MEMORY, seconds=60) as sandbox:
        source.write_bytes(captured(EXPLICIT))
        honest, _, _ = await sandbox.run(_cost, source, target)  # the networks are loaded
        assert honest == []
        for name, content in ATTACKS.items():
            source.write_bytes(content)
            codes, seconds, mebibytes = await sandbox.run(_cost, source, target)

            assert codes or name in HARMLESS, name
            assert seconds < SECONDS, name
            assert mebibytes < MEMORY >> 20, name


def test_frames_without_pixels_are_not_counted_one_by_one() -> None:
    nothing = ATTACKS["a million million frames of no row"]

    with pytest.raises(UnblankableError):
        blanked(nothing, Placed(Box(0, 0, 4, 4)))


def _cost(source: Path, target: Path) -> tuple[list[str], float, int]:
    """Why a file is held, CPU seconds, and the most MiB that the child ever had."""
    started = time.process_time()
    receipt = clean_instance(source, target, task())
    spent = time.process_time() - started
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return [one.code for one in receipt.doubts], spent, int(peak) >> 10


@pytest.mark.parametrize(
    "program",
    [b"MZ" + b"\x90" * 62, b"\x7fELF" + b"\2" * 60, b"#!/bin/sh\n"],
    ids=["PE", "ELF", "shell"],
)
def test_a_program_in_the_preamble_does_not_leave(program: bytes, tmp_path: Path) -> None:
    """CVE-2019-11687: one file that is an image and a program."""
    content, receipt = cleaned(Writer().file((), preamble=program), tmp_path)

    assert receipt.doubts == ()
    assert content[:132] == bytes(128) + b"DICM"
    assert program not in content
