"""How does a frame arrive? As a DICOM file in one of many codings, its values as it is shown."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from benchmarks.burned.scenes import Picture, Scene
from examples.phantom import as_bytes, scanner_image

LOSSY = "JPEG baseline"
_QUALITY = 92  # of a JPEG
_DEEP = 16  # 8 bits become 12


def codings(picture: Picture) -> tuple[str, ...]:
    """The names of what a picture may be coded in."""
    return tuple(_GREY if picture.ndim == 2 else _COLOUR)


def coded(scene: Scene, picture: Picture, coding: str) -> bytes:
    """A Part 10 file of the picture, which is the scene or the scene with words on it."""
    dataset = scanner_image()
    dataset.Modality, dataset.SOPClassUID = scene.modality, scene.sop_class
    dataset.file_meta.MediaStorageSOPClassUID = UID(scene.sop_class)
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    for keyword in ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.Rows, dataset.Columns = picture.shape[:2]
    dataset.PixelRepresentation = 0
    {**_GREY, **_COLOUR}[coding](dataset, picture)
    return as_bytes(dataset)


def _stored(
    dataset: Dataset, pixels: NDArray[Any], photometric: str, *, bits: int = 8, planar: bool = False
) -> None:
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    if dataset.SamplesPerPixel > 1:
        dataset.PlanarConfiguration = int(planar)
        pixels = pixels.transpose(2, 0, 1) if planar else pixels
    raw = np.ascontiguousarray(pixels).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def _compress(dataset: Dataset, syntax: UID) -> None:
    # By name: another plugin ends the process on an RLE frame of odd size.
    plugin = "pyjpegls" if syntax == JPEGLSLossless else "pylibjpeg"
    dataset.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)


def _plain(photometric: str, syntax: UID | None = None) -> Callable[[Dataset, Picture], None]:
    def write(dataset: Dataset, picture: Picture) -> None:
        _stored(dataset, picture, photometric)
        if syntax is not None:
            _compress(dataset, syntax)

    return write


def _deep(photometric: str, syntax: UID | None = None) -> Callable[[Dataset, Picture], None]:
    """Twelve bits; MONOCHROME1 shows its lowest value white."""

    def write(dataset: Dataset, picture: Picture) -> None:
        pixels = picture.astype(np.uint16) * _DEEP
        if photometric == "MONOCHROME1":
            pixels = 4095 - pixels
        _stored(dataset, pixels, photometric, bits=12)
        if syntax is not None:
            _compress(dataset, syntax)

    return write


def _planes(dataset: Dataset, picture: Picture) -> None:
    _stored(dataset, picture, "RGB", planar=True)


def _luminance(dataset: Dataset, picture: Picture) -> None:
    _stored(dataset, convert_color_space(picture, "RGB", "YBR_FULL"), "YBR_FULL")


def _palette(dataset: Dataset, picture: Picture) -> None:
    """Grey by a palette whose darkest entry is not its first."""
    _stored(dataset, 255 - picture, "PALETTE COLOR")
    entries = (np.arange(255, -1, -1, dtype=np.uint16) * 257).tobytes()
    for number in range(3):
        dataset.add_new(0x00281101 + number, "US", [256, 0, 16])
        dataset.add_new(0x00281201 + number, "OW", entries)


def _jpeg(dataset: Dataset, picture: Picture) -> None:
    grey = picture.ndim == 2
    _stored(dataset, picture, "MONOCHROME2" if grey else "YBR_FULL_422")
    out = BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=_QUALITY)
    dataset.PixelData = encapsulate([out.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit


_GREY: Mapping[str, Callable[[Dataset, Picture], None]] = {
    "8 bits": _plain("MONOCHROME2"),
    "12 bits": _deep("MONOCHROME2"),
    "12 bits, inverted": _deep("MONOCHROME1"),
    "palette": _palette,
    "RLE": _deep("MONOCHROME2", RLELossless),
    "JPEG-LS": _deep("MONOCHROME2", JPEGLSLossless),
    "JPEG 2000": _plain("MONOCHROME2", JPEG2000Lossless),
    LOSSY: _jpeg,
}
_COLOUR: Mapping[str, Callable[[Dataset, Picture], None]] = {
    "RGB": _plain("RGB"),
    "RGB in planes": _planes,
    "YBR_FULL": _luminance,
    "RLE, RGB": _plain("RGB", RLELossless),
    "JPEG 2000, RGB": _plain("RGB", JPEG2000Lossless),
    LOSSY: _jpeg,
}
