"""Letters of five pixels, askew, upright and narrow, are found; curves and noise are not."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from services.deid.domain.boxes import Box
from services.deid.gateways.looking import text

AT = (60, 90)  # row, column of a line


def plotted(words: str, turn: float, *, face: int, scale: float) -> np.ndarray:
    """Bright letters as devices plot them, turned, on the noise of a dark frame."""
    sheet = np.zeros((24, 240), np.uint8)
    cv2.putText(sheet, words, (6, 14), face, scale, 255, 1, cv2.LINE_AA)
    turned = Image.fromarray(sheet).rotate(turn, Image.Resampling.BICUBIC, expand=True)
    ink = np.asarray(turned.crop(turned.getbbox()))
    page = np.random.default_rng(2).normal(12, 3, (240, 320)).clip(0, 255).astype(np.uint8)
    window = page[AT[0] : AT[0] + ink.shape[0], AT[1] : AT[1] + ink.shape[1]]
    np.maximum(window, ink, out=window)
    return page


def covered(page: np.ndarray, boxes: tuple[Box, ...]) -> float:
    """The part of the bright pixels that lies in boxes."""
    ink, inside = page > 110, np.zeros(page.shape, np.bool_)
    for box in boxes:
        inside[box.top : box.bottom, box.left : box.right] = True
    return float(inside[ink].mean())


@pytest.mark.parametrize("turn", [17.6, -14.0, 0.0, 90.0])
@pytest.mark.parametrize("words", ["07.08.1944", "MRN-561409161"])
def test_small_letters_are_hidden_however_they_lie(words: str, turn: float) -> None:
    page = plotted(words, turn, face=cv2.FONT_HERSHEY_SIMPLEX, scale=0.25)

    assert covered(page, text.text_in(page).sure) > 0.95


def test_letters_that_run_together_are_hidden_or_doubted() -> None:
    face = cv2.FONT_HERSHEY_PLAIN
    scale = cv2.getFontScaleFromHeight(face, 6, 1)
    narrow = plotted("Saint Jude Northfield Hospital", 90.0, face=face, scale=scale)

    found = text.text_in(narrow)

    assert covered(narrow, (*found.sure, *found.doubtful)) > 0.95


def test_a_curve_is_no_text() -> None:
    page = np.full((240, 320), 20, np.uint8)
    x = np.arange(20, 300)
    for at, level in zip(x, 120 + 30 * np.sin(x / 25) + 4 * np.sin(x / 3), strict=True):
        page[int(level) : int(level) + 2, at] = 200

    assert text.text_in(page) == text.Text()


def test_letters_over_a_vessel_are_hidden() -> None:
    page = np.full((240, 320), 150, np.uint8)
    cv2.polylines(page, [np.array([[40, 90], [130, 122], [190, 122], [280, 150]])], False, 90, 6)
    before = page.copy()
    sheet = Image.new("L", (320, 240))
    ImageDraw.Draw(sheet).text(
        (100, 112), "Kelrasdottirh, L.", 255, ImageFont.load_default_imagefont()
    )
    page[np.asarray(sheet) > 128] = 250

    inside = np.zeros(page.shape, np.bool_)
    for box in text.text_in(page).sure:
        inside[box.top : box.bottom, box.left : box.right] = True

    assert inside[page != before].mean() > 0.95
