"""What is burned in, where, how large, how plain? Words of an invented patient, and their ink."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.burned.scenes import Dice, Picture
from examples.phantom import Patient

SIZES = (8, 40)  # pixels an em
FONTS = ("sans", "plotter", "bitmap")
BITMAP = 11  # pixels: the one size of PIL's bitmap font
TURNS = (0, 0, 0, 0, 0, 0, 90, 270, 180)  # degrees: most text lies level
PLACES = 40  # tries to find a free place
LEAST_CONTRAST = 0.35  # of the whole range of grey, over the mean of what lies behind
_HERSHEY = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN)
_INK = 96  # of 255: a glyph's pixel, not its soft edge
_SEEN = 20  # of 255: what differs less from what lies behind, as black ink on black, shows nothing


@dataclass(frozen=True, slots=True)
class Word:
    """One burned-in line: where its ink is, and how it was written."""

    text: str
    ink: NDArray[np.bool_]
    size: int
    turn: float
    font: str
    contrast: float


def burn(clean: Picture, dice: Dice) -> tuple[Picture, list[Word]]:
    """Write one to five lines about a patient into a copy of the picture."""
    picture, words = clean.copy(), list[Word]()
    taken = np.zeros(clean.shape[:2], np.bool_)
    lines = _lines(dice)
    for text in lines[: int(dice.integers(1, 6))]:
        word = _written(picture, taken, text, dice)
        if word is not None:
            words.append(word)
    return picture, words


def _lines(dice: Dice) -> list[str]:
    patient = Patient.invented(int(dice.integers(1 << 30)))
    name = patient.name.replace("^", " ").strip()
    lines = [
        name, patient.mrn, f"{patient.birth_date:%d.%m.%Y}", f"{patient.study_date:%Y-%m-%d}",
        patient.institution, f"ID: {patient.mrn}", f"{patient.family}, {patient.given[0]}.",
        f"Dr. {patient.referring}", patient.phone, f"{patient.family.upper()} {patient.sex}",
        f"DOB {patient.birth_date:%m/%d/%y}", patient.accession,
    ]  # fmt: skip
    dice.shuffle(lines)
    return lines


def _written(picture: Picture, taken: NDArray[np.bool_], text: str, dice: Dice) -> Word | None:
    """Find a place where the text is free and plain enough to be read, and write it there."""
    size = int(dice.integers(SIZES[0], SIZES[1] + 1))
    font = FONTS[int(dice.integers(len(FONTS)))]
    turn = float(TURNS[int(dice.integers(len(TURNS)))])
    if font == "bitmap":
        size = BITMAP
    if turn == 0 and dice.random() < 0.25:
        turn = float(dice.uniform(-20, 20))
    stamp = _turned(_stamp(text, size, font, dice), turn)
    rows, columns = taken.shape
    high, wide = stamp.shape
    if high + 4 >= rows or wide + 4 >= columns:
        return None
    for _ in range(PLACES):
        top, left = _place(rows - high - 2, columns - wide - 2, dice)
        window = (slice(top, top + high), slice(left, left + wide))
        if not taken[window].any():
            behind = picture[window].astype(np.int16)
            contrast = _ink_in(picture[window], stamp, dice)
            if contrast < LEAST_CONTRAST:
                continue
            taken[max(top - 3, 0) : top + high + 3, max(left - 3, 0) : left + wide + 3] = True
            ink = np.zeros_like(taken)
            seen = np.abs(picture[window] - behind).reshape(*stamp.shape, -1).max(axis=2)
            ink[window] = (stamp > _INK) & (seen >= _SEEN)
            return Word(text, ink, size, turn, font, contrast)
    return None


def _place(rows: int, columns: int, dice: Dice) -> tuple[int, int]:
    """Two of three lines stand near an edge, as devices write them."""
    top, left = int(dice.integers(1, rows + 1)), int(dice.integers(1, columns + 1))
    if dice.random() < 0.66:
        near = int(dice.integers(1, 9))
        return (top, min(near, columns)) if dice.random() < 0.3 else (min(near, rows), left)
    return top, left


def _ink_in(window: Picture, stamp: Picture, dice: Dice) -> float:
    """Blend the stamp in; give its contrast, or 0 and leave the window when it would not show."""
    behind = window.astype(np.float32).reshape(*stamp.shape, -1)
    level = float(behind.mean())
    bright = level < 128 if dice.random() < 0.85 else level < 90
    reach = 255 - level if bright else level
    tone = level + (1 if bright else -1) * reach * dice.uniform(0.6, 1.0)
    alpha = (stamp.astype(np.float32) / 255)[..., None]
    contrast = abs(tone - level) / 255
    if contrast < LEAST_CONTRAST or float(behind.std()) / 255 > contrast / 2.5:
        return 0.0
    colour = np.full(behind.shape[2], tone, np.float32)
    if behind.shape[2] == 3 and dice.random() < 0.3:
        colour *= (1.0, 1.0, 0.4)  # yellow, as many devices write
    window[:] = (
        (behind * (1 - alpha) + colour * alpha).round().astype(np.uint8).reshape(window.shape)
    )
    return contrast


def _stamp(text: str, size: int, font: str, dice: Dice) -> Picture:
    """The text in white on black, cut close."""
    if font == "plotter":
        return _plotted(text, size, dice)
    face = ImageFont.load_default_imagefont() if font == "bitmap" else ImageFont.load_default(size)
    wide = int(face.getlength(text)) + 8
    sheet = Image.new("L", (wide, size * 2 + 8))
    ImageDraw.Draw(sheet).text((4, 4), text.encode("ascii", "replace").decode(), 255, face)
    return _cut(np.asarray(sheet))


def _plotted(text: str, size: int, dice: Dice) -> Picture:
    face = _HERSHEY[int(dice.integers(len(_HERSHEY)))]
    plain = text.encode("ascii", "replace").decode()
    scale = cv2.getFontScaleFromHeight(face, max(round(size * 0.72), 6), 1)
    thick = max(1, round(size / 16))
    (wide, high), below = cv2.getTextSize(plain, face, scale, thick)
    sheet = np.zeros((high + below + 12, wide + 12), np.uint8)
    cv2.putText(sheet, plain, (6, high + 6), face, scale, 255, thick, cv2.LINE_AA)
    return _cut(sheet)


def _turned(stamp: Picture, turn: float) -> Picture:
    if turn == 0:
        return stamp
    return _cut(
        np.asarray(Image.fromarray(stamp).rotate(turn, Image.Resampling.BICUBIC, expand=True))
    )


def _cut(sheet: Picture) -> Picture:
    rows, columns = np.nonzero(sheet.max(axis=1))[0], np.nonzero(sheet.max(axis=0))[0]
    return np.ascontiguousarray(sheet[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
