"""What does a frame without any text look like? Seven kinds of pictures, as a screen shows them.

Each is drawn from a seed in 8 bits, grey or colour: ultrasound fans, cross-sections, radiographs,
angiograms, captured screens. They are plain, but have what misleads a text detector: edges of
the collimator, depth ticks, grey ramps, ribs, vessels, noise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.phantom.hand import Shot, expose

Picture: TypeAlias = NDArray[np.uint8]
Grey: TypeAlias = NDArray[np.float32]
Dice: TypeAlias = np.random.Generator


@dataclass(frozen=True, slots=True)
class Scene:
    """A clean picture; `modality` and `sop_class` are what its header will say."""

    modality: str
    sop_class: str
    pixels: Picture


def scene(kind: str, dice: Dice) -> Scene:
    """Draw one of KINDS."""
    modality, sop_class, draw = _KINDS[kind]
    return Scene(modality, sop_class, draw(dice))


def _size(dice: Dice, low: int, high: int) -> tuple[int, int]:
    rows = int(dice.integers(low, high))
    return rows, int(rows * dice.uniform(0.8, 1.35))


def _ultrasound(dice: Dice) -> Picture:
    rows, columns = _size(dice, 360, 620)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    centre = columns / 2
    angle, depth = np.arctan2(x - centre, y + rows * 0.1), np.hypot(x - centre, y + rows * 0.1)
    inside = (np.abs(angle) < dice.uniform(0.5, 0.75)) & (depth > rows * 0.2) & (depth < rows)
    noise = dice.standard_normal((rows, columns)).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), 3.0, None, 1.4)  # wider than deep, as beams are
    tissue = 0.35 + 0.25 * _smooth(dice.standard_normal((rows, columns)), 18) * 14
    grey = np.clip(tissue * (1 + 2.2 * grain), 0, 1) * inside * np.exp(-depth / rows * 0.7)
    out = np.repeat((grey * 255).astype(np.uint8)[..., None], 3, axis=2)
    for tick in range(rows // 8, rows, max(rows // 10, 8)):
        out[tick : tick + 2, columns - 14 : columns - 6] = 200
    ramp = np.linspace(255, 0, rows // 3).astype(np.uint8)[:, None, None]
    out[rows // 4 : rows // 4 + len(ramp), 8:20] = ramp
    if dice.random() < 0.4:  # a colour box
        top, left = int(rows * 0.45), int(columns * 0.42)
        flow = _smooth(dice.standard_normal((rows // 6, columns // 7)), 6) * 9
        box = out[top : top + rows // 6, left : left + columns // 7]
        box[..., 0] = np.where(flow > 0.5, np.clip(flow * 160, 0, 255), box[..., 0])
        box[..., 2] = np.where(flow < -0.5, np.clip(-flow * 160, 0, 255), box[..., 2])
    return out


def _section(dice: Dice) -> Picture:
    side = int(dice.integers(256, 520))
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    grey = np.zeros((side, side), np.float32)
    for scale, level in ((0.9, 0.45), (0.84, 0.3), (0.78, 0.5)):
        grey[(x / scale) ** 2 + (y / (scale * 0.72)) ** 2 < 1] = level
    for _ in range(int(dice.integers(6, 14))):
        at, size = dice.uniform(-0.55, 0.55, 2), dice.uniform(0.05, 0.25, 2)
        organ = ((x - at[0]) / size[0]) ** 2 + ((y - at[1] * 0.7) / size[1]) ** 2 < 1
        grey[organ] = dice.uniform(0.05, 0.95)
    return _bytes(_smooth(grey, 1.0) + dice.normal(0, 0.03, grey.shape))


def _radiograph(dice: Dice) -> Picture:
    rows, columns = _size(dice, 420, 900)
    y, x = np.mgrid[0 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    grey = 0.75 - 0.45 * np.exp(-(((np.abs(x) - 0.45) / 0.28) ** 2 + ((y - 0.45) / 0.38) ** 2))
    for rib in range(9):
        line = y - (0.1 + 0.085 * rib) - 0.16 * np.abs(np.abs(x) - 0.45) ** 1.5
        grey += 0.09 * np.exp(-((line / 0.012) ** 2)) * (np.abs(x) > 0.08)
    grey += 0.2 * np.exp(-((x / 0.09) ** 2)) + 0.1 * (np.mod(y * 18, 1) < 0.7) * (np.abs(x) < 0.05)
    grey = _smooth(grey, 1.0) + dice.normal(0, 0.015, grey.shape)
    edge = int(min(rows, columns) * dice.uniform(0, 0.06))
    if edge:
        mask = np.zeros_like(grey)
        mask[edge:-edge, edge:-edge] = 1
        grey = grey * _smooth(mask, 2)
    return _bytes(grey)


def _hand(dice: Dice) -> Picture:
    rows = int(dice.integers(420, 900))
    shot = Shot(rows, int(rows * 0.8), fracture=False, seed=int(dice.integers(1 << 30)))
    return _bytes(expose(shot).astype(np.float32) / 3400)


def _angiogram(dice: Dice) -> Picture:
    side = int(dice.integers(420, 640))
    paper = (
        np.full((side, side), 0.6, np.float32) + _smooth(dice.normal(0, 1, (side, side)), 40) * 9
    )
    ink = np.zeros((side, side), np.uint8)
    for _ in range(int(dice.integers(3, 7))):
        _vessel(ink, dice, dice.uniform(0.2, 0.8, 2) * side, dice.uniform(0, 6.3), 9.0)
    grey = paper - 0.4 * _smooth(ink / 255.0, 1.2) + dice.normal(0, 0.02, paper.shape)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    return _bytes(grey * (np.hypot(x, y) < dice.uniform(0.95, 1.5)))


def _vessel(ink: Picture, dice: Dice, at: NDArray[np.float64], turn: float, width: float) -> None:
    while width > 1.2:
        after = at + 14 * np.array([np.cos(turn), np.sin(turn)])
        cv2.line(ink, _point(at), _point(after), 255, int(width))
        at, turn, width = after, turn + dice.normal(0, 0.35), width * 0.95
        if dice.random() < 0.12:
            _vessel(ink, dice, at, turn + 0.8, width * 0.6)


def _capture(dice: Dice) -> Picture:
    """A screen with an image on it: panels of plain colours, a curve."""
    rows, columns = _size(dice, 400, 620)
    out = np.zeros((rows, columns, 3), np.uint8)
    out[:] = dice.integers(0, 70, 3)
    inner = _section(dice)
    side = min(rows, columns) * 3 // 5
    framed = np.asarray(cv2.resize(inner, (side, side)), np.uint8)[..., None]
    out[rows // 5 : rows // 5 + side, columns // 6 : columns // 6 + side] = framed
    out[: rows // 9] = dice.integers(60, 140, 3)
    curve = np.cumsum(dice.normal(0, 2.5, columns // 2)).astype(int) + rows * 9 // 10
    for n, level in enumerate(np.clip(curve, rows * 5 // 6, rows - 3)):
        out[level : level + 2, columns // 4 + n] = (60, 220, 90)
    return out


def _resonance(dice: Dice) -> Picture:
    picture = _section(dice)
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    shade = 0.6 + 0.4 * np.sin(x / picture.shape[1] * 3 + dice.uniform(0, 3))
    folds = 12 * np.sin(np.hypot(x - 130, y - 120) / dice.uniform(3, 6)) * (picture > 90)
    return np.asarray(np.clip(picture * shade + folds, 0, 255), np.uint8)


def _bytes(grey: NDArray[np.floating]) -> Picture:
    return np.asarray((np.clip(grey, 0, 1) * 255).round(), np.uint8)


def _smooth(plane: NDArray[np.floating], sigma: float) -> Grey:
    return np.asarray(cv2.GaussianBlur(plane.astype(np.float32), (0, 0), sigma), np.float32)


def _point(at: NDArray[np.float64]) -> tuple[int, int]:
    return int(at[0]), int(at[1])


_KINDS: Mapping[str, tuple[str, str, Callable[[Dice], Picture]]] = {
    "ultrasound": ("US", "1.2.840.10008.5.1.4.1.1.6.1", _ultrasound),
    "CT, derived": ("CT", "1.2.840.10008.5.1.4.1.1.2", _section),
    "MR, derived": ("MR", "1.2.840.10008.5.1.4.1.1.4", _resonance),
    "chest radiograph": ("CR", "1.2.840.10008.5.1.4.1.1.1", _radiograph),
    "hand radiograph": ("DX", "1.2.840.10008.5.1.4.1.1.1.1", _hand),
    "angiogram": ("XA", "1.2.840.10008.5.1.4.1.1.12.1", _angiogram),
    "screen capture": ("OT", "1.2.840.10008.5.1.4.1.1.7", _capture),
}
KINDS = tuple(_KINDS)
