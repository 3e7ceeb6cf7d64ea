"""Frames in every coding: what a test needs to see that a box is black and the rest untouched."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from examples.phantom import as_bytes, scanner_image
from services.deid.domain.boxes import Box, Placed
from services.deid.domain.text.known import Known
from services.deid.gateways.blanks import Blanks
from services.deid.gateways.cleaner import Cleaner
from services.deid.gateways.instance import order_of
from shared.runtime.dicom import read_part10
from tests.unit.deid.files import task

BOX = Box(20, 24, 36, 40)


def bundled(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


def with_uids(content: bytes) -> bytes:
    """The same file with the UIDs that name an instance, which some samples lack."""
    dataset = dcmread(BytesIO(content), force=True)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        if keyword not in dataset:
            setattr(dataset, keyword, "2.999.7.4")
    return as_bytes(dataset)


def image(pixels: NDArray[Any], photometric: str, syntax: str, **more: Any) -> bytes:
    """A secondary capture of these pixels: frames x rows x columns (x samples), or one frame."""
    dataset = scanner_image()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.Modality = "OT"
    grey = photometric in {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"}
    frames = pixels if pixels.ndim == (3 if grey else 4) else pixels[None]
    dataset.Rows, dataset.Columns = frames.shape[1], frames.shape[2]
    dataset.SamplesPerPixel = 1 if grey else frames.shape[3]
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored = more.pop("bits", dataset.BitsAllocated)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if not grey:
        dataset.PlanarConfiguration = 0
    if len(frames) > 1:
        dataset.NumberOfFrames = len(frames)
    loss = {"jls_error": more.pop("jls_error")} if "jls_error" in more else {}
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    raw = frames.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW"
    if syntax not in {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2"}:
        dataset.compress(UID(syntax), generate_instance_uid=False, **loss)
    else:
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    return as_bytes(dataset)


def blanked(raw: bytes, *placed: Placed, fill: int = 0) -> bytes:
    """The clean file, with these boxes black."""
    file = read_part10(raw)
    cleaner = Cleaner(file, order_of(file, task(), Known()), Blanks(placed, fill))
    pixels = b"".join(bytes(piece) for piece in cleaner.pixels())
    return cleaner.before + pixels + cleaner.after


def pixels_of(content: bytes, *, raw: bool = True) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(pixel_array(dcmread(BytesIO(content)), raw=raw))


def noise(*shape: int, dtype: str = "u1", high: int = 250) -> NDArray[Any]:
    dice = np.random.default_rng(4)
    low = -high if dtype.startswith("i") else 3
    return dice.integers(low, high, shape).astype(dtype)
