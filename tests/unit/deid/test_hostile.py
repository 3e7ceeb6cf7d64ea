"""Files as an attacker or a broken line sends them: refused, soon and small, never passed."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from services.deid.domain.pixels import judged
from services.deid.domain.policy import SECOND_OPINION
from services.deid.gateways.children import cleaned
from services.deid.gateways.pixels import facts
from shared.runtime.dicom import UnreadableError, read_part10
from shared.runtime.sandbox import Sandbox
from tests.fuzz.target import attempt
from tests.unit.deid.files import BIG, DEFLATED, EXPLICIT, IMPLICIT, JPEG, Writer, task
from tests.unit.dicom.test_walk import ATTACKS

HOSTILE = Path(__file__).parent / "hostile"
SECONDS, MEMORY = 2.0, 512 << 20
PATIENT = {
    "plain": (),
    "with overlay": ((0x60003000, "OW"), (0x60000102, "US")),
}
TEN = {
    f"{name}, {kind}": Writer(syntax).file(
        (tag, Writer(syntax).element(tag, vr, b"\1\0" * 8)) for tag, vr in elements
    )
    for kind, elements in PATIENT.items()
    for name, syntax in (
        ("explicit", EXPLICIT),
        ("implicit", IMPLICIT),
        ("big-endian", BIG),
        ("deflated", DEFLATED),
        ("JPEG", JPEG),
    )
}
_PADDING = 200  # bytes
REAL = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm",
    "MR_small_implicit.dcm", "image_dfl.dcm", "SC_rgb_jpeg_gdcm.dcm", "693_J2KI.dcm",
    "examples_palette.dcm",
)  # fmt: skip


def passes(content: bytes) -> bool:
    """Whether an instance would go to a reader without anybody's look."""
    try:
        file = read_part10(content)
    except UnreadableError:
        return False
    return not judged(facts(file), SECOND_OPINION).doubts and attempt(content)


@pytest.mark.parametrize("name", TEN)
def test_a_file_cut_at_any_offset_never_passes(name: str) -> None:
    whole = TEN[name]

    passed = [cut for cut in range(len(whole)) if passes(whole[:cut])]

    assert passed == []
    assert attempt(whole)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "step", [9973, pytest.param(1, marks=pytest.mark.slow)], ids=["sampled", "each offset"]
)
async def test_a_scanners_file_cut_at_any_offset_is_held_soon_and_costs_little(
    step: int, tmp_path: Path
) -> None:
    """Not in the last bytes: Data Set Trailing Padding, and a deflated stream's end, may go."""
    async with Sandbox(workers=1, memory=MEMORY, seconds=3000) as sandbox:
        for name in REAL:
            whole = Path(str(get_testdata_file(name)))
            passed, worst, kibibytes = await sandbox.run(_cuts, whole, tmp_path, step)

            assert passed == [], name
            assert worst < SECONDS, name
            assert kibibytes < MEMORY >> 10, name


def _cuts(whole: Path, folder: Path, step: int) -> tuple[list[int], float, int]:
    """The cuts that would go to a reader, the most CPU seconds of one, and the most KiB."""
    from services.deid.gateways.instance import clean_instance  # noqa: PLC0415 - in the child

    size, passed, worst = whole.stat().st_size, list[int](), 0.0
    source, target = folder / "cut.dcm", folder / "clean.dcm"
    shutil.copyfile(whole, source)
    for cut in reversed(range(0, size - _PADDING, step)):
        os.truncate(source, cut)  # writing the piece anew would wait for the disk each time
        started = time.process_time()
        receipt = clean_instance(source, target, task())
        worst = max(worst, time.process_time() - started)
        if not receipt.doubts:
            passed.append(cut)
    return passed, worst, _peak()


def _peak() -> int:
    """Of this program alone: the kernel's ru_maxrss begins with that of whoever started it."""
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak)


@pytest.mark.timeout(600)
async def test_each_attack_ends_in_quarantine_and_the_child_lives_on(tmp_path: Path) -> None:
    source, target = tmp_path / "attack.dcm", tmp_path / "clean.dcm"
    async with Sandbox(workers=1, memory=MEMORY, seconds=60) as sandbox:
        for name, (content, _) in ATTACKS.items():
            source.write_bytes(content)
            (receipt,) = await cleaned(sandbox, [(source, target)], task())
            assert [one.code for one in receipt.doubts] == ["unreadable"], name
            assert not target.exists(), name
        source.write_bytes(TEN["explicit, plain"])
        (honest,) = await cleaned(sandbox, [(source, target)], task())
    assert honest.doubts == ()
    assert target.exists()


@pytest.mark.timeout(600)
async def test_an_attack_costs_little_time_and_memory(tmp_path: Path) -> None:
    async with Sandbox(workers=1, memory=4 << 30, seconds=60) as sandbox:  # no limit helps here
        for name in ("deflate bomb", "8 MB of empty items", "500 deep"):
            source = tmp_path / "attack.dcm"
            source.write_bytes(ATTACKS[name][0])
            seconds, kibibytes = await sandbox.run(_cost, source, tmp_path / "clean.dcm")

            assert seconds < SECONDS, name
            assert kibibytes < MEMORY >> 10, name


def _cost(source: Path, target: Path) -> tuple[float, int]:
    """CPU seconds and the most memory in KiB that a child takes for a file."""
    from services.deid.gateways.instance import clean_instance  # noqa: PLC0415 - in the child

    started = time.process_time()
    receipt = clean_instance(source, target, task())
    assert [one.code for one in receipt.doubts] == ["unreadable"]
    spent = time.process_time() - started
    return spent, _peak()


@pytest.mark.timeout(600)
async def test_what_a_killed_child_was_working_on_is_held_and_its_neighbours_are_not(
    tmp_path: Path,
) -> None:
    honest, bomb = tmp_path / "honest.dcm", tmp_path / "bomb.dcm"
    honest.write_bytes(TEN["explicit, plain"])
    bomb.write_bytes(ATTACKS["deflate bomb"][0])
    pairs = [(one, one.with_suffix(".clean")) for one in (honest, bomb, honest)]
    async with Sandbox(workers=1, memory=96 << 20, seconds=60) as sandbox:  # less than a bomb takes
        receipts = await cleaned(sandbox, pairs, task())

    assert [bool(one.doubts) for one in receipts] == [False, True, False]


async def test_a_decoder_that_aborts_takes_its_child_along_and_nothing_else(
    tmp_path: Path,
) -> None:
    honest, deadly = tmp_path / "honest.dcm", tmp_path / "deadly.dcm"
    honest.write_bytes(TEN["explicit, plain"])
    deadly.write_bytes((HOSTILE / "jpeg-that-aborts-its-decoder.dcm").read_bytes())
    pairs = [(one, one.with_suffix(".clean")) for one in (deadly, honest)]

    async with Sandbox(workers=1, memory=MEMORY) as sandbox:
        receipts = await cleaned(sandbox, pairs, task())

    assert [bool(one.doubts) for one in receipts] == [True, False]
    assert not deadly.with_suffix(".clean").exists()
