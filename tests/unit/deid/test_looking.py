"""Text in pixels is found and blanked, or the file waits; what is no text stays."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from examples.phantom import MARIPOSA, Shot, as_bytes, hand_radiograph
from services.deid.domain.boxes import Box, Placed
from services.deid.domain.policy import BASIC
from services.deid.gateways import seen
from services.deid.gateways.instance import Receipt
from services.deid.gateways.looking import text
from services.deid.gateways.looking.curves import Curves
from services.deid.gateways.looking.detector import DetectorDownError
from services.deid.gateways.looking.layouts import layouts, rules
from services.deid.gateways.looking.lines import drawn_line
from services.deid.gateways.looking.strokes import strokes
from shared.runtime.dicom import read_part10
from tests.unit.deid.coded import image, noise, pixels_of
from tests.unit.deid.files import cleaned, task

NAME = "VANTERPOOL MARIPOSA"


def written(
    pixels: np.ndarray, at: tuple[int, int], size: int = 20, words: str = NAME
) -> np.ndarray:
    sheet = Image.new("L", pixels.shape[1::-1])
    ImageDraw.Draw(sheet).text(at, words, 255, ImageFont.load_default(size))
    ink = np.asarray(sheet, np.float64) / 255
    if pixels.ndim == 3:
        ink = ink[..., None]
    return np.asarray(pixels * (1 - ink) + 250 * ink).astype(pixels.dtype)


def calm(rows: int = 240, columns: int = 320) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    waves: np.ndarray = 60 + 30 * np.sin(x / 60) * np.cos(y / 50)
    return waves.astype(np.uint8)


def places(receipt: Receipt, kind: str = "blanked") -> list[Placed]:
    return [one for found, one in receipt.places if found == kind]


def covers(receipt: Receipt, box: Box) -> bool:
    page = np.zeros((400, 400), np.bool_)
    for one in places(receipt):
        page[one.box.top : one.box.bottom, one.box.left : one.box.right] = True
    return bool(page[box.top : box.bottom, box.left : box.right].all())


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_a_name_is_blanked_and_the_rest_stays_bit_identical(tmp_path: Path, syntax: str) -> None:
    raw = image(written(calm(), (30, 100)), "MONOCHROME2", syntax)

    clean, receipt = cleaned(raw, tmp_path)

    before, after = pixels_of(raw), pixels_of(clean)
    changed = np.nonzero(before != after)
    assert receipt.doubts == ()
    assert covers(receipt, Box(32, 106, 220, 118))
    assert after[100:124, 30:250].max() < 120
    assert changed[0].min() > 90
    assert changed[0].max() < 135


def test_dark_text_on_inverted_grey_in_twelve_bits(tmp_path: Path) -> None:
    pixels = (255 - written(calm(), (30, 100))).astype(np.uint16) * 16
    raw = image(pixels, "MONOCHROME1", ExplicitVRLittleEndian, bits=12)

    clean, receipt = cleaned(raw, tmp_path)

    assert covers(receipt, Box(32, 106, 220, 118))
    assert (pixels_of(clean)[106:118, 32:220] == pixels.max()).all()


def test_red_text_on_white(tmp_path: Path) -> None:
    page = np.full((240, 320, 3), 255, np.uint8)
    page[..., 1:] -= written(np.zeros((240, 320), np.uint8), (30, 100))[..., None]

    _, receipt = cleaned(image(page, "RGB", ExplicitVRLittleEndian), tmp_path)

    assert covers(receipt, Box(32, 106, 220, 118))


def test_a_clean_image_passes_untouched(tmp_path: Path) -> None:
    raw = image(calm(), "MONOCHROME2", ExplicitVRLittleEndian)

    clean, receipt = cleaned(raw, tmp_path)

    assert (receipt.doubts, receipt.places) == ((), ())
    assert np.array_equal(pixels_of(raw), pixels_of(clean))


def test_the_side_marker_of_a_radiograph_stays(tmp_path: Path) -> None:
    raw = as_bytes(hand_radiograph(MARIPOSA, Shot(750, 600)))

    clean, receipt = cleaned(raw, tmp_path)

    assert (receipt.doubts, receipt.places) == ((), ())
    assert np.array_equal(pixels_of(raw), pixels_of(clean))


def test_in_a_loop_what_stays_is_found_once_and_blanked_in_all_frames(tmp_path: Path) -> None:
    moving = np.roll(np.clip(noise(240, 320).astype(int) // 2, 0, 120).astype(np.uint8), 1)
    frames = np.stack([written(np.roll(moving, 3 * n, axis=1), (30, 20)) for n in range(12)])
    related = np.clip(frames * 0.4 + np.stack([written(calm(), (30, 20))] * 12) * 0.6, 0, 255)

    raw = image(related.astype(np.uint8), "MONOCHROME2", ExplicitVRLittleEndian)
    clean, receipt = cleaned(raw, tmp_path)

    assert {one.frame for one in places(receipt)} == {None}
    assert covers(receipt, Box(32, 26, 220, 38))
    assert len(np.unique(pixels_of(clean)[:, 26:38, 32:220])) == 1


def test_pages_are_looked_at_one_by_one(tmp_path: Path) -> None:
    pages = np.stack([calm(), written(calm(), (30, 100)), calm()])

    clean, receipt = cleaned(image(pages, "MONOCHROME2", ExplicitVRLittleEndian), tmp_path)

    assert {one.frame for one in places(receipt)} == {1}
    assert np.array_equal(pixels_of(clean)[[0, 2]], pages[[0, 2]])


def ultrasound(pixels: np.ndarray, *regions: tuple[int, int, int, int]) -> bytes:
    dataset = dcmread(BytesIO(image(pixels, "MONOCHROME2", ExplicitVRLittleEndian)))
    dataset.Modality, dataset.SOPClassUID = "US", "1.2.840.10008.5.1.4.1.1.6.1"
    items = []
    for left, top, right, bottom in regions:
        item = Dataset()
        item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
        item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
        items.append(item)
    if items:
        dataset.SequenceOfUltrasoundRegions = Sequence(items)
    return as_bytes(dataset)


def test_an_ultrasound_is_blanked_outside_its_regions_and_inside_where_text_is(
    tmp_path: Path,
) -> None:
    raw = ultrasound(written(calm(), (60, 150)), (40, 30, 299, 219))

    clean, receipt = cleaned(raw, tmp_path)

    before, after = pixels_of(raw), pixels_of(clean)
    outside = np.ones(after.shape, np.bool_)
    outside[30:220, 40:300] = False
    assert (after[outside] == before.min()).all()
    assert (after[156:168, 62:240] == before.min()).all()
    assert np.array_equal(after[40:130, 40:300], before[40:130, 40:300])
    assert receipt.doubts == ()


@pytest.mark.parametrize("region", [(200, 30, 100, 219), (0, 0, 4_000_000_000, 4_000_000_000)])
def test_a_region_that_lies_blanks_no_less_than_the_detector_finds(
    tmp_path: Path, region: tuple[int, int, int, int]
) -> None:
    _, receipt = cleaned(ultrasound(written(calm(), (60, 150)), region), tmp_path)

    assert covers(receipt, Box(62, 156, 240, 168))


def test_an_ultrasound_without_regions_loses_the_bar_on_top(tmp_path: Path) -> None:
    clean, _ = cleaned(ultrasound(calm()), tmp_path)

    assert len(np.unique(pixels_of(clean)[:14])) == 1


def test_each_layout_is_named_and_lies_on_the_frame() -> None:
    assert len({one.name for one in layouts()}) == len(layouts()) > 0
    for one in layouts():
        assert all(left < right and top < bottom for left, top, right, bottom in one.blank)


@pytest.mark.parametrize(("maker", "bar"), [("Philips Medical", 38), ("Another Maker", 0)])
def test_a_known_device_loses_its_bar_and_another_does_not(maker: str, bar: int) -> None:
    dataset = dcmread(BytesIO(ultrasound(np.zeros((768, 1024), np.uint8), (0, 60, 1023, 767))))
    dataset.Manufacturer, dataset.ManufacturerModelName = maker, "EPIQ 7C"

    found = rules(read_part10(as_bytes(dataset)), 768, 1024)

    assert found == ((Box(0, 0, 1024, bar),) if bar else ())


def test_a_line_half_in_what_is_known_is_found_whole(tmp_path: Path) -> None:
    raw = ultrasound(written(calm(), (40, 20)), (0, 30, 319, 239))

    _, receipt = cleaned(raw, tmp_path)

    assert covers(receipt, Box(42, 26, 230, 38))


def test_a_line_that_goes_on_unread_makes_a_person_look() -> None:
    page = written(np.zeros((120, 480), np.uint8), (20, 50), 20, "MARIPOSA")
    thin = strokes(written(page, (120, 50), 20, "VANTERPOOL QUETZAL ODALYS"))
    whole = written(page, (120, 50), 20, "VANTERPOOL QUETZAL ODALYS")
    found = text._Found(whole, thin, Curves.of(thin))
    core = np.zeros((120, 480), np.bool_)
    core[56:66, 22:70] = True
    found.lines.append(drawn_line(core, (0, 0), 1.0, thin))

    found.doubt_ends(thin)

    assert found.doubtful
    assert all(one.top < 66 and one.bottom > 56 for one in found.doubtful)


def test_lines_do_not_grow_sideways_over_anatomy() -> None:
    page = written(np.zeros((300, 300), np.uint8), (60, 140), 20)
    page[::9, :] = 255  # strokes everywhere, but not along the line

    high = {box.bottom - box.top for box in text.text_in(page).sure}

    assert not high or max(high) < 60


def test_a_page_of_text_waits(tmp_path: Path) -> None:
    page = np.zeros((240, 320), np.uint8)
    for line in range(4, 230, 22):
        page = written(page, (4, line), 17, "VANTERPOOL MARIPOSA 14.03.1967 F")

    _, receipt = cleaned(image(page, "MONOCHROME2", ExplicitVRLittleEndian), tmp_path)

    assert [one.code for one in receipt.doubts] == ["full_of_text"]


def test_a_file_that_can_not_be_decoded_waits_and_no_look_can_settle_it(tmp_path: Path) -> None:
    dataset = dcmread(BytesIO(image(calm(), "MONOCHROME2", RLELossless)))
    dataset.PixelData = dataset.PixelData[:40] + b"\x01" * (len(dataset.PixelData) - 40)

    _, receipt = cleaned(as_bytes(dataset), tmp_path)

    assert [(one.code, one.releasable) for one in receipt.doubts] in (
        [("pixels_undecodable", False), ("stream_not_understood", False)],
        [("unreadable", False)],
    )


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def likelihood(*_: object) -> None:
        raise DetectorDownError("no model")

    monkeypatch.setattr(text, "likelihood", likelihood)


def test_a_detector_that_is_not_installed_lets_nothing_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_LOOKING", "services.deid.gateways.looking.gone")

    _, receipt = cleaned(image(calm(), "MONOCHROME2", ExplicitVRLittleEndian), tmp_path)

    assert [one.code for one in receipt.doubts] == ["detector_down"]


@pytest.mark.usefixtures("broken")
def test_a_detector_that_is_down_lets_nothing_pass(tmp_path: Path) -> None:
    _, receipt = cleaned(image(calm(), "MONOCHROME2", ExplicitVRLittleEndian), tmp_path)

    assert [one.code for one in receipt.doubts] == ["detector_down"]


def test_without_the_option_nothing_is_looked_at_and_it_waits(tmp_path: Path) -> None:
    raw = image(written(calm(), (30, 100)), "MONOCHROME2", ExplicitVRLittleEndian)

    _, receipt = cleaned(raw, tmp_path, task(BASIC))

    assert [one.code for one in receipt.doubts] == ["screen_capture"]
    assert receipt.places == ()
