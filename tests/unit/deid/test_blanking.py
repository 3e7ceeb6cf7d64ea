"""A box is black and nothing beside it has changed, in every coding that can be blanked."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    JPEG2000,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from examples.phantom import as_bytes
from services.deid.domain.boxes import Box, Placed, distinct, outside
from services.deid.gateways.blanks import UnblankableError
from services.deid.gateways.jpeg_lossless import encoded_lossless
from tests.unit.deid.coded import BOX, blanked, bundled, image, noise, pixels_of, with_uids

CUT = (slice(BOX.top, BOX.bottom), slice(BOX.left, BOX.right))
LOSSLESS = (RLELossless, JPEGLSLossless, JPEG2000Lossless)
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def only_the_box_changed(before: np.ndarray, after: np.ndarray, black: object) -> None:
    assert np.array_equal(after[..., *CUT] if after.ndim < 3 else _cut(after), _full(after, black))
    untouched = before.copy()
    _cut(untouched)[...] = black
    assert np.array_equal(after, untouched)


def _cut(pixels: np.ndarray) -> np.ndarray:
    """The box, whether or not there are frames in front and samples behind."""
    colour = pixels.shape[-1] == 3
    return pixels[..., CUT[0], CUT[1], :] if colour else pixels[..., CUT[0], CUT[1]]


def _full(pixels: np.ndarray, black: object) -> np.ndarray:
    return np.full(_cut(pixels).shape, black)


@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS])
@pytest.mark.parametrize(
    ("dtype", "bits", "high", "fill"),
    [("u1", 8, 250, 0), ("u2", 12, 4000, 3), ("u2", 16, 60000, 7), ("i2", 16, 30000, -2000)],
)
def test_grey_of_all_depths(syntax: str, dtype: str, bits: int, high: int, fill: int) -> None:
    raw = image(noise(60, 70, dtype=dtype, high=high), "MONOCHROME2", syntax, bits=bits)

    clean = blanked(raw, Placed(BOX), fill=fill)

    only_the_box_changed(pixels_of(raw), pixels_of(clean), fill)
    assert dcmread(BytesIO(clean)).file_meta.TransferSyntaxUID == syntax


@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS])
def test_colours(syntax: str) -> None:
    raw = image(noise(60, 70, 3), "RGB", syntax)

    only_the_box_changed(pixels_of(raw), pixels_of(blanked(raw, Placed(BOX))), 0)


@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS])
def test_one_frame_of_a_loop_and_no_other(syntax: str) -> None:
    raw = image(noise(4, 60, 70), "MONOCHROME2", syntax)

    before, after = pixels_of(raw), pixels_of(blanked(raw, Placed(BOX, 2)))

    only_the_box_changed(before[2], after[2], 0)
    assert np.array_equal(np.delete(after, 2, axis=0), np.delete(before, 2, axis=0))


def test_planes_of_colour_apart() -> None:
    pixels = noise(60, 70, 3)
    raw = image(pixels, "RGB", ExplicitVRLittleEndian, PlanarConfiguration=1)

    assert (pixels_of(blanked(raw, Placed(BOX)))[CUT] == 0).all()
    before, after = pixels_of(raw), pixels_of(blanked(raw, Placed(BOX)))
    only_the_box_changed(before, after, 0)


def test_grey_is_the_black_of_chrominance() -> None:
    raw = image(noise(60, 70, 3), "YBR_FULL", ExplicitVRLittleEndian)

    after = pixels_of(blanked(raw, Placed(BOX)))

    assert (after[CUT] == (0, 128, 128)).all()


def test_halved_chrominance_goes_by_pairs() -> None:
    raw = bundled("SC_ybr_full_422_uncompressed.dcm")
    odd = Box(21, 24, 35, 40)

    before, after = pixels_of(raw, raw=False), pixels_of(blanked(raw, Placed(odd)), raw=False)

    assert (after[24:40, 20:36] < 3).all()
    before[24:40, 20:36] = after[24:40, 20:36]
    assert np.array_equal(before, after)


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_jpeg_dcmtk.dcm",
        "SC_rgb_dcmtk_+eb+cy+s4.dcm",
        "SC_rgb_dcmtk_+eb+cy+s2.dcm",
        "SC_rgb_dcmtk_+eb+cy+np.dcm",
        "SC_rgb_dcmtk_+eb+cr.dcm",
        "examples_ybr_color.dcm",
    ],
)
def test_a_lossy_jpeg_is_black_in_the_blocks_of_the_box_and_the_same_elsewhere(name: str) -> None:
    raw = bundled(name)

    before = pixels_of(raw, raw=False).astype(int)
    after = pixels_of(blanked(with_uids(raw), Placed(BOX)), raw=False).astype(int)

    luminance = after[..., CUT[0], CUT[1], :] @ (0.299, 0.587, 0.114)
    assert luminance.max() <= 40  # colour seeps in over a block's border, brightness does not
    assert after[..., 26:38, 24:32, :].max() <= 4
    far = np.ones(after.shape[-3:-1], np.bool_)
    far[15:49, 15:49] = False
    assert np.array_equal(after[..., far, :], before[..., far, :])


def test_jpeg_2000_in_colour_keeps_its_colours() -> None:
    raw = bundled("examples_jpeg2k.dcm")

    before, after = pixels_of(raw), pixels_of(blanked(raw, Placed(BOX)))

    only_the_box_changed(before, after, 0)


def test_lossy_jpeg_2000_in_colour_loses_nothing_more_and_its_header_says_how() -> None:
    frames = [written(number) for number in range(3)]
    options: dict[str, Any] = {
        "rows": 60, "columns": 70, "samples_per_pixel": 3, "bits_allocated": 8, "bits_stored": 8,
        "pixel_representation": 0, "photometric_interpretation": "YBR_ICT",
        "number_of_frames": 1, "planar_configuration": 0, "j2k_cr": [6],
    }  # fmt: skip
    coded = [get_encoder(JPEG2000).encode(one, **options) for one in frames]
    dataset = dcmread(BytesIO(image(np.stack(frames), "RGB", ExplicitVRLittleEndian)))
    dataset.PixelData = encapsulate([bytes(one) for one in coded])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEG2000
    dataset.PhotometricInterpretation = "YBR_ICT"
    raw = as_bytes(dataset)

    clean = blanked(raw, Placed(BOX, 1))

    before, after = pixels_of(raw), pixels_of(clean)
    assert (after[1, 24:40, 20:36] == 0).all()
    before[1, 24:40, 20:36] = 0
    assert np.array_equal(before, after)
    assert dcmread(BytesIO(clean)).PhotometricInterpretation == "YBR_RCT"
    assert dcmread(BytesIO(blanked(raw))).PhotometricInterpretation == "YBR_ICT"


def written(number: int) -> np.ndarray:
    y, x = np.mgrid[0:60, 0:70]
    return np.stack([y * 3 + number, x * 3, y + x], axis=2).astype(np.uint8)


@pytest.mark.parametrize("shape", [(5, 7), (61, 67), (3, 1)])
def test_rle_of_odd_sizes(shape: tuple[int, int]) -> None:
    raw = image(noise(*shape, 3), "RGB", ExplicitVRLittleEndian)
    dataset = dcmread(BytesIO(raw))
    dataset.compress(RLELossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    raw = as_bytes(dataset)

    before, after = pixels_of(raw), pixels_of(blanked(raw, Placed(Box(0, 0, 1, 2))))

    assert (after[:2, :1] == 0).all()
    before[:2, :1] = 0
    assert np.array_equal(before, after)


def test_lossless_jpeg_stays_lossless_in_colour() -> None:
    raw = bundled("SC_rgb_jpeg_gdcm.dcm")

    only_the_box_changed(pixels_of(raw), pixels_of(blanked(raw, Placed(BOX))), 0)


@pytest.mark.parametrize(
    ("dtype", "bits", "high"), [("u1", 8, 250), ("u2", 12, 4000), ("u2", 16, 65535)]
)
def test_lossless_jpeg_of_all_depths_is_read_back_exactly(dtype: str, bits: int, high: int) -> None:
    pixels = noise(61, 67, dtype=dtype, high=high)
    pixels[5:9] = 0
    decoder = get_decoder(JPEGLosslessSV1)
    options: dict[str, Any] = {
        "rows": 61, "columns": 67, "samples_per_pixel": 1,
        "number_of_frames": 1, "photometric_interpretation": "MONOCHROME2", "bits_stored": bits,
        "bits_allocated": pixels.dtype.itemsize * 8, "pixel_representation": 0,
        "pixel_keyword": "PixelData",
    }  # fmt: skip

    coded = encoded_lossless(pixels, bits)

    again, _ = decoder.as_array(encapsulate([coded]), index=0, raw=True, **options)
    assert np.array_equal(again, pixels)


def test_a_lossy_file_is_coded_again_without_further_loss() -> None:
    raw = image(noise(60, 70), "MONOCHROME2", JPEGLSNearLossless, jls_error=3)

    only_the_box_changed(pixels_of(raw), pixels_of(blanked(raw, Placed(BOX))), 0)


@pytest.mark.parametrize(
    "name", ["liver_1frame.dcm", "JPGExtended.dcm", "SC_jpeg_no_color_transform.dcm"]
)
def test_what_can_not_be_blanked_is_refused(name: str) -> None:
    with pytest.raises(UnblankableError):
        blanked(with_uids(bundled(name)), Placed(BOX))


def test_lossless_jpeg_has_samples_of_one_or_two_bytes() -> None:
    with pytest.raises(UnblankableError):
        encoded_lossless(noise(8, 8, dtype="u4"), 32)


def test_outside_of_regions_is_all_the_rest() -> None:
    regions = (Box(10, 5, 30, 20), Box(25, 10, 50, 60), Box(-5, 70, 3, 400))
    seen = np.zeros((80, 60), np.int64)

    for one in outside(regions, 80, 60):
        seen[one.top : one.bottom, one.left : one.right] += 1
    for one in regions:
        seen[max(one.top, 0) : one.bottom, max(one.left, 0) : one.right] += 1

    assert seen.min() == 1


def test_a_box_in_another_is_told_once() -> None:
    assert distinct([Box(0, 0, 9, 9), Box(2, 2, 4, 4), Box(0, 0, 9, 9)]) == (Box(0, 0, 9, 9),)
