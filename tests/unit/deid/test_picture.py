"""What an operator sees: the frame as a screen shows it, or a refusal, never a crash."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from examples.phantom import Shot, as_bytes, hand_radiograph
from services.deid.domain.boxes import Box
from services.deid.gateways.picture import frames_of, picture
from shared.runtime.dicom import UnreadableError


def shown(content: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_rle.dcm",
        "SC_rgb_dcmtk_+eb+cy+s4.dcm",
        "SC_rgb_gdcm_KY.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
    ],
)
def test_colours_are_right_in_every_coding(name: str) -> None:
    pixels = shown(picture(Path(str(get_testdata_file(name))), 0)).astype(int)

    red, blue = pixels[3, 3], pixels[pixels.shape[0] * 45 // 100, 3]
    assert red[0] > 200
    assert red[2] < 60
    assert blue[2] > 200
    assert blue[0] < 130


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("full", [False, True])
def test_bone_is_bright_whatever_the_photometric(
    tmp_path: Path, photometric: str, *, full: bool
) -> None:
    path = tmp_path / "hand.dcm"
    dataset = hand_radiograph(shot=Shot(375, 300), photometric=photometric)  # type: ignore[arg-type]
    path.write_bytes(as_bytes(dataset))

    pixels = shown(picture(path, 0, full=full))

    assert pixels[340, 130].mean() > pixels[200, 10].mean() + 80


def test_a_large_image_is_made_smaller(tmp_path: Path) -> None:
    path = tmp_path / "hand.dcm"
    path.write_bytes(as_bytes(hand_radiograph(shot=Shot(2500, 1000))))

    assert max(shown(picture(path, 0)).shape) == 2048


@pytest.mark.parametrize("name", ["test-SR.dcm", "image_dfl.dcm"])
def test_what_can_not_be_shown_is_refused(name: str) -> None:
    with pytest.raises(UnreadableError):
        picture(Path(str(get_testdata_file(name))), 0)


def test_frames_are_counted() -> None:
    frames = frames_of(Path(str(get_testdata_file("rtdose.dcm"))))

    assert (frames.frames, frames.rows, frames.columns) == (15, 10, 10)


def test_what_was_found_is_outlined(tmp_path: Path) -> None:
    path = tmp_path / "hand.dcm"
    path.write_bytes(as_bytes(hand_radiograph(shot=Shot(75, 60))))

    pixels = shown(picture(path, 0, [("blanked", Box(10, 20, 40, 30))]))

    assert (pixels[20, 10:40] == (0, 255, 0)).all()
    assert (pixels[29, 39] == (0, 255, 0)).all()
