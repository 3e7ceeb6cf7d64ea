"""JPEG frames of 12 bits are looked at: a clean one goes, one with text waits, a lie is refused."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGExtended12Bit

from examples.phantom import as_bytes
from services.deid.domain.boxes import Box
from services.deid.gateways.looking import looked
from services.deid.gateways.looking.planes import decoded
from services.deid.gateways.looking.text import Text
from services.deid.gateways.picture import picture
from shared.runtime.dicom import UnreadableError
from tests.unit.deid.coded import bundled, with_uids
from tests.unit.deid.files import cleaned

SAMPLE = with_uids(bundled("JPEG-lossy.dcm"))
KNOWN = {(420, 140): 244, (230, 120): 95}  # by another decoder (libjpeg of thorfdbg)


def frame() -> bytes:
    return next(generate_frames(dcmread(BytesIO(SAMPLE)).PixelData, number_of_frames=1))


def with_frame(stream: bytes) -> bytes:
    dataset = dcmread(BytesIO(SAMPLE))
    dataset.PixelData = encapsulate([stream])
    return as_bytes(dataset)


def test_the_values_are_those_of_another_decoder(tmp_path: Path) -> None:
    (tmp_path / "raw.dcm").write_bytes(SAMPLE)

    (found,) = decoded(tmp_path / "raw.dcm")

    assert found.shape == (1024, 256)
    assert {at: int(found[at]) for at in KNOWN} == KNOWN


def test_a_clean_frame_goes_as_it_is(tmp_path: Path) -> None:
    clean, receipt = cleaned(SAMPLE, tmp_path)

    after = dcmread(BytesIO(clean))
    assert (receipt.doubts, receipt.places) == ((), ())
    assert after.file_meta.TransferSyntaxUID == JPEGExtended12Bit
    left = next(generate_frames(after.PixelData, number_of_frames=1))
    assert (left[:-1], left[-1:]) == (frame()[:-1], b"\0")  # a byte of padding


def test_a_frame_with_text_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looked, "text_in", lambda _: Text((Box(10, 10, 90, 30),)))

    _, receipt = cleaned(SAMPLE, tmp_path)

    assert [one.code for one in receipt.doubts] == ["text_not_removable"]


def test_an_operator_sees_it(tmp_path: Path) -> None:
    (tmp_path / "raw.dcm").write_bytes(SAMPLE)

    shown = np.asarray(Image.open(BytesIO(picture(tmp_path / "raw.dcm", 0, full=True))))

    assert shown.shape == (1024, 256)
    assert shown.max() == 255


@pytest.mark.parametrize(("at", "value"), [(4, 8), (6, 7), (8, 7), (9, 3)])
def test_a_stream_that_is_not_what_the_header_says_is_not_decoded(
    tmp_path: Path, at: int, value: int
) -> None:
    """Bits, rows, columns, components: at their places in the frame header."""
    stream = bytearray(frame())
    stream[stream.index(b"\xff\xc1") + at] = value
    (tmp_path / "raw.dcm").write_bytes(with_frame(bytes(stream)))

    with pytest.raises(UnreadableError):
        list(decoded(tmp_path / "raw.dcm"))
