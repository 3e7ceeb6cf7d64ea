"""The phantom: the same by seed, a fracture only where asked for, and PHI that can be found."""

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from examples.phantom import (
    BARTHOLOMEW,
    MARIPOSA,
    Patient,
    Shot,
    as_bytes,
    expose,
    hand_radiograph,
    render,
    scanner_image,
)
from shared.runtime.dicom import inspect

SMALL = Shot(rows=375, columns=300)


def test_the_same_shot_gives_the_same_bytes() -> None:
    first = as_bytes(hand_radiograph(shot=SMALL))
    again = as_bytes(hand_radiograph(shot=SMALL))

    assert first == again


def test_the_fracture_changes_the_fifth_metacarpal_and_nothing_else() -> None:
    whole = expose(Shot(rows=750, columns=600, fracture=False)).astype(int)
    broken = expose(Shot(rows=750, columns=600, fracture=True)).astype(int)

    rows, columns = np.nonzero(np.abs(whole - broken) > 200)

    assert rows.size > 20
    assert rows.min() > 370
    assert rows.max() < 450
    assert columns.min() > 370
    assert columns.max() < 440


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_picture_shows_bright_bone_on_dark_ground(photometric: str) -> None:
    dataset = hand_radiograph(shot=SMALL, photometric=photometric)  # type: ignore[arg-type]

    picture = np.asarray(render(dataset))

    assert picture.shape == (375, 300)
    assert picture[200, 10] < 40
    assert picture[340, 130] > 180


def test_the_file_reads_back_and_passes_the_walker() -> None:
    content = as_bytes(hand_radiograph(shot=SMALL))

    header = inspect(content)
    again = dcmread(DicomBytesIO(content))

    assert header.text(0x00100010) == MARIPOSA.name
    assert again.pixel_array.max() <= 4095


def test_each_identifier_in_dicom_notation_lies_in_the_file() -> None:
    for content in (
        as_bytes(hand_radiograph(shot=SMALL)).lower(),
        as_bytes(scanner_image("CT_small.dcm")).lower(),
        as_bytes(scanner_image("MR_small.dcm")).lower(),
    ):
        absent = [i for i in MARIPOSA.identifiers() if i.lower().encode() not in content]

        assert set(absent) <= {
            "Vanterpool, Mariposa",
            "1967-03-14",
            "14.03.1967",
            "03/14/1967",
            "18025550147",
        }


def test_invented_patients_differ_and_come_again() -> None:
    patients = [Patient.invented(seed) for seed in range(200)]

    assert len({p.mrn for p in patients}) == 200
    assert len({p.study_uid for p in (*patients, MARIPOSA, BARTHOLOMEW)}) == 202
    assert Patient.invented(7) == patients[7]
