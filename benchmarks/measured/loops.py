"""What does it cost to blank an uncompressed loop? Beside writing its bytes, and by arrays."""

import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from statistics import median

from pydicom import dcmread

from examples.phantom import scanner_image
from services.deid.domain.boxes import Box, Placed
from services.deid.gateways.blanks import Blanks
from services.deid.gateways.instance import mapped
from services.deid.gateways.pixels import pixel_pieces
from shared.runtime.dicom import read_part10
from shared.runtime.dicom.tree import PIXEL_DATA

ROWS, COLUMNS = 600, 800
FRAME = ROWS * COLUMNS * 3
BOXES = (Box(0, 0, COLUMNS, 36), Box(20, 520, 300, 548), Box(620, 80, 790, 180))
_CHILD = """
import json, sys
from dataclasses import replace
from pathlib import Path
from benchmarks.measured.engine import task
from benchmarks.measured.loops import BOXES
from services.deid.domain.boxes import Placed
from services.deid.gateways.instance import clean_instance
source, target = map(Path, sys.argv[1:])
order = replace(task(), drawn={source.name: tuple(Placed(box) for box in BOXES)})
receipt = clean_instance(source, target, order)
status = Path("/proc/self/status").read_text()  # getrusage would count the parent's memory too
most = int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps([[one.code for one in receipt.doubts], len(receipt.places), most / 1024]))
"""


def written(path: Path, frames: int, *, sparse: bool = False) -> None:
    """An ultrasound loop in RGB; `sparse` ones are black, and cost no disk."""
    dataset = scanner_image()
    dataset.Modality, dataset.SOPClassUID = "US", "1.2.840.10008.5.1.4.1.1.3.1"
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = ROWS, COLUMNS, frames
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.PhotometricInterpretation = "RGB"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = bytes(4)
    dataset["PixelData"].VR = "OW"
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    header = out.getvalue()[: out.getvalue().rindex(b"\xe0\x7f\x10\x00OW")]
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, frames * FRAME)
    with path.open("wb") as file:
        file.write(header + head)
        for number in range(0 if sparse else frames):
            file.write(bytes(range(256)) * (FRAME // 256) + bytes([number % 256]) * (FRAME % 256))
        file.truncate(len(header) + len(head) + frames * FRAME)


def costs(folder: Path, frames: int, rounds: int) -> tuple[float, float, float]:
    """Milliseconds of CPU a frame: written as they are, blanked and written, by pydicom's arrays.

    The first two alternate, and give the median of their rounds.
    """
    source, target = folder / "loop.dcm", folder / "loop.clean.dcm"
    written(source, frames)
    blanks = Blanks(tuple(Placed(box) for box in BOXES))
    plain, blanked = [], []
    for _ in range(rounds):
        plain.append(_spent(lambda: _write(source, target, Blanks()), frames))
        blanked.append(_spent(lambda: _write(source, target, blanks), frames))
    arrays = _spent(lambda: _by_arrays(source, target), frames)
    for one in (source, target):
        one.unlink()
    return median(plain), median(blanked), arrays


def memory(folder: Path, frames: int) -> float:
    """The most MiB resident in a process that decodes, blanks and verifies the whole loop."""
    source, target = folder / "long.dcm", folder / "long.clean.dcm"
    written(source, frames, sparse=True)
    done = subprocess.run(  # noqa: S603 - our own argv, no shell
        [sys.executable, "-c", _CHILD, str(source), str(target)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    doubts, places, most = json.loads(done.stdout)
    assert places >= len(BOXES), (doubts, places)
    assert target.stat().st_size > frames * FRAME
    for one in (source, target):
        one.unlink()
    return float(most)


def _spent(work: Callable[[], None], frames: int) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) / frames * 1000


def _write(source: Path, target: Path, blanks: Blanks) -> None:
    with mapped(source) as raw, target.open("wb", buffering=0) as file:
        part10 = read_part10(raw)
        pixels = part10.data_set.get(PIXEL_DATA)
        assert pixels is not None
        for piece in pixel_pieces(part10, pixels, blanks):
            file.write(piece)


def _by_arrays(source: Path, target: Path) -> None:
    """As a script does it: all frames in memory, blanked, and the file written."""
    dataset = dcmread(source)
    pixels = dataset.pixel_array.copy()
    for box in BOXES:
        pixels[:, box.top : box.bottom, box.left : box.right] = 0
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(target)
