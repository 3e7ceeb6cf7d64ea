"""A blanked file that is cleaned again stays as it is: black is no text, and no coding drifts."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from examples.phantom import as_bytes
from tests.unit.deid.coded import image
from tests.unit.deid.files import cleaned
from tests.unit.deid.test_looking import calm, ultrasound, written


def baseline() -> bytes:
    """Lossy: what is coded twice would differ."""
    pixels = written(calm(), (30, 100))
    dataset = dcmread(BytesIO(image(pixels, "MONOCHROME2", ExplicitVRLittleEndian)))
    with BytesIO() as out:
        Image.fromarray(pixels).save(out, "JPEG", quality=92)
        dataset.PixelData = encapsulate([out.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return as_bytes(dataset)


@pytest.mark.parametrize(
    "coding", [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless, "baseline"]
)
def test_a_blanked_file_is_the_same_when_it_is_cleaned_again(tmp_path: Path, coding: str) -> None:
    raw = (
        baseline()
        if coding == "baseline"
        else image(written(calm(), (30, 100)), "MONOCHROME2", coding)
    )

    once, first = cleaned(raw, tmp_path)
    twice, second = cleaned(once, tmp_path)

    assert [kind for kind, _ in first.places] == ["blanked"]
    assert (first.doubts, second.doubts) == ((), ())
    assert twice == once


def test_an_ultrasound_blanked_outside_its_regions_is_too(tmp_path: Path) -> None:
    raw = ultrasound(written(written(calm(), (40, 10)), (120, 120)), (40, 50, 300, 220))

    once, first = cleaned(raw, tmp_path)
    twice, second = cleaned(once, tmp_path)

    assert len(first.places) > 1
    assert (first.doubts, second.doubts) == ((), ())
    assert twice == once
