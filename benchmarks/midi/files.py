"""How does a hospital write its files, with a patient on every line? And what is asked of each?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from benchmarks.midi import pictures
from benchmarks.midi.key import Answer, Kind
from benchmarks.midi.people import Person, Visit

_SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    ExplicitVRLittleEndian,
)
PER_VISIT = 4
_STORAGE = {
    "CT": UID("1.2.840.10008.5.1.4.1.1.2"),
    "MR": UID("1.2.840.10008.5.1.4.1.1.4"),
    "US": UID("1.2.840.10008.5.1.4.1.1.6.1"),
}


@dataclass
class Written:
    """One file, and its part of the answer key."""

    number: int
    person: Person
    visit: Visit
    place: int  # in the series
    dataset: FileDataset
    answers: list[Answer] = field(default_factory=list)

    def ask(self, kind: Kind, path: str = "", value: str = "") -> None:
        self.answers.append(Answer(kind, self.number, self.person.number, path, value))

    def content(self) -> bytes:
        out = BytesIO()
        pydicom.dcmwrite(out, self.dataset, enforce_file_format=True)
        return out.getvalue()


def files(person: Person, parts: Sequence[Callable[["Written"], None]]) -> Iterator[Written]:
    """A patient's files: a CT and then an MR study, of which one image is an ultrasound."""
    for visit in person.visits:
        for place in range(PER_VISIT):
            number = (person.number * 2 + visit.number) * PER_VISIT + place
            us = visit.number == 1 and place == PER_VISIT - 1
            modality = "US" if us else ("CT", "MR")[visit.number]
            written = Written(number, person, visit, place, _empty(number, modality))
            for part in parts:
                part(written)
            if _syntax(number) == RLELossless:
                written.dataset.compress(RLELossless, generate_instance_uid=False)
            yield written


def _empty(number: int, modality: str) -> FileDataset:
    syntax = _syntax(number)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    meta.MediaStorageSOPClassUID = _STORAGE[modality]
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = _STORAGE[modality]
    dataset.Modality = modality
    return dataset


def _syntax(number: int) -> UID:
    return _SYNTAXES[number % len(_SYNTAXES)]


def pixels(written: Written) -> None:
    """Put the image in; ask for what must and what must not be seen of it."""
    dataset, number = written.dataset, written.number
    if dataset.Modality != "US":
        _put(dataset, pictures.scan(number), bits=12)
        written.ask("pixels_retained")
        return
    text = f"{written.person.family} {written.person.mrn}"
    _put(dataset, pictures.sonogram(number, text), bits=8)
    region = Dataset()
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, pictures.BANNER
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = pictures.WIDE - 1, pictures.HIGH - 1
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    dataset.SequenceOfUltrasoundRegions = [region]
    written.ask("pixels_retained")
    written.ask("pixels_hidden")


def _put(dataset: Dataset, image: Any, *, bits: int) -> None:
    dataset.Rows, dataset.Columns = image.shape[:2]
    colour = image.ndim == 3
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = image.dtype.itemsize * 8
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, 0
    big = dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    dataset.PixelData = (image.byteswap() if big and not colour else image).tobytes()
    dataset["PixelData"].VR = "OB" if colour else "OW"
