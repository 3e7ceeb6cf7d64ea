"""How does a hand look to X-rays? A phantom in millimetres, exposed through Beer-Lambert.

A posterior-anterior view of a right hand, thumb to the left, 192 x 240 mm. Bones are hollow tubes
that widen to their ends (cortex outside, trabeculae inside), soft tissue is a union of rounded
limbs. The fracture is a fine oblique line through the neck of the fifth metacarpal, with half a
millimetre of displacement: there for an eye that looks for it, easily missed by one that doesn't.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.float64]
Point: TypeAlias = tuple[float, float]

WIDTH_MM, HEIGHT_MM = 192.0, 240.0
_MARGIN_MM = 7.0  # above the middle finger
_SOFT, _BONE = 0.022, 0.07  # linear attenuation a millimetre, about 55 kVp
_STOUT = 11.0  # mm of bone beyond which more hardly shows: the beam has hardened


@dataclass(frozen=True)
class Shot:
    """What the technologist sets. Sizes in pixels; the same shot and seed give the same pixels."""

    rows: int = 1500
    columns: int = 1200
    fracture: bool = True
    seed: int = 1

    @property
    def spacing(self) -> float:
        """Millimetres a pixel: the whole field of view fits."""
        return max(WIDTH_MM / self.columns, HEIGHT_MM / self.rows)


@dataclass(frozen=True)
class _Film:
    """Where each pixel lies, in mm, and the bone's texture there."""

    x: Plane
    y: Plane
    grain: Plane

    def around(self, a: Point, b: Point, margin: float) -> tuple[slice, slice]:
        """The part within a margin of two points: a bone need not touch all pixels."""
        across = (min(a[0], b[0]) - margin, max(a[0], b[0]) + margin)
        down = (min(a[1], b[1]) - margin, max(a[1], b[1]) + margin)
        columns, rows = np.searchsorted(self.x[0], across), np.searchsorted(self.y[:, 0], down)
        return slice(rows[0], rows[1]), slice(columns[0], columns[1])


@dataclass(frozen=True)
class _Bone:
    """A long bone from base to head, radii in mm at the base, the middle and the head."""

    base: Point
    head: Point
    radii: tuple[float, float, float]
    cortex: float = 1.5
    broken: bool = False


def _ray(points: tuple[Point, ...], radii: tuple[tuple[float, float, float], ...]) -> list[_Bone]:
    """Phalanges of one finger: pairs of base and head, with the joint gaps between them."""
    pairs = zip(points[::2], points[1::2], strict=True)
    return [_Bone(*pair, radius, 1.15) for pair, radius in zip(pairs, radii, strict=True)]


_FINGER = ((6.2, 3.9, 4.6), (5.0, 3.0, 3.7), (4.2, 2.1, 2.7))
_LITTLE = ((5.3, 3.3, 3.9), (4.2, 2.5, 3.1), (3.5, 1.7, 2.2))
_THUMB = ((6.6, 4.3, 5.2), (5.6, 3.0, 3.6))
BONES: tuple[_Bone, ...] = (
    _Bone((66, 168), (43, 137), (6.6, 4.4, 6.0)),
    _Bone((82, 160), (73, 106), (7.2, 4.1, 6.4)),
    _Bone((95, 159), (93.5, 103), (7.2, 4.2, 6.6)),
    _Bone((106.5, 161), (113, 109), (6.3, 3.7, 6.0)),
    _Bone((116, 164), (131, 118), (6.2, 3.6, 5.7), broken=True),
    *_ray(((39.5, 130), (25, 104), (22.5, 99), (13, 82)), _THUMB),
    *_ray(((71, 97), (63, 62), (62, 57), (57.5, 37), (57, 33), (55, 20)), _FINGER),
    *_ray(((93, 93.5), (91, 53), (90.7, 48), (89.5, 25), (89.3, 21), (88.7, 8.5)), _FINGER),
    *_ray(((115, 99.5), (120.5, 62), (121, 57), (124, 35), (124.5, 31), (126, 19)), _FINGER),
    *_ray(((134.5, 109), (144, 80), (145.5, 76), (151, 60), (152, 56.5), (155.5, 45.5)), _LITTLE),
    _Bone((84, 252), (82, 210), (8.5, 9.0, 15.5), 2.4),
    _Bone((117, 252), (114.5, 209), (6.0, 6.2, 8.4), 2.0),
)
# Carpals: centre, half axes in mm, tilt in degrees.
CARPALS: tuple[tuple[Point, Point, float], ...] = (
    ((74, 186), (7.8, 13.5), -38),  # scaphoid
    ((91, 191.5), (9.8, 9.0), 10),  # lunate
    ((107, 189), (8.8, 7.8), 25),  # triquetrum
    ((110, 184), (4.6, 5.0), 0),  # pisiform, in front of the triquetrum
    ((69, 173), (8.2, 7.4), 0),  # trapezium
    ((81.5, 169.5), (7.2, 7.4), 15),  # trapezoid
    ((94.5, 174), (8.6, 12.6), 5),  # capitate
    ((109, 173), (9.2, 9.8), -20),  # hamate
)
_SESAMOID = ((46.5, 141), (2.2, 2.8), 30.0)
# Soft tissue: limb from, to, half width and half depth in mm.
_LIMBS: tuple[tuple[Point, Point, float, float], ...] = (
    ((66, 168), (40, 133), 14.0, 11), ((40, 133), (14, 83), 10.5, 8),
    ((72, 108), (55, 21), 9.0, 7.5), ((93, 105), (88.7, 11), 9.2, 7.8),
    ((114, 110), (126, 21), 8.8, 7.4), ((132, 120), (155, 48), 7.8, 6.4),
    ((82, 165), (76, 112), 17.0, 13), ((95, 165), (94, 108), 17.0, 13),
    ((107, 165), (113, 114), 16.0, 12), ((114, 168), (130, 122), 13.0, 11),
    ((88, 195), (90, 165), 31.0, 17), ((99, 255), (95, 195), 34.0, 19),
)  # fmt: skip


def expose(shot: Shot) -> NDArray[np.uint16]:
    """Give the detector's image after processing: rows x columns, 12 bits, bone bright."""
    noise = np.random.default_rng(shot.seed)
    y, x = np.mgrid[0 : shot.rows, 0 : shot.columns]
    left = (shot.columns * shot.spacing - WIDTH_MM) / 2
    top = (shot.rows * shot.spacing - HEIGHT_MM) / 2 + _MARGIN_MM
    film = _Film(x * shot.spacing - left, y * shot.spacing - top, _trabeculae(noise, shot))
    soft = _blur(_soft_tissue(film), 1.6 / shot.spacing)
    bone = _blur(_skeleton(film, fractured=shot.fracture), 0.16 / shot.spacing)
    absorbed = _SOFT * soft + _BONE * bone
    quanta = 2600.0 * np.exp(-absorbed)
    counted = quanta + np.sqrt(quanta) * noise.standard_normal(quanta.shape)
    seen = -np.log(np.maximum(counted, 1) / 2600.0)
    seen = _blur(seen, 0.1 / shot.spacing)
    sharpened = seen + 0.7 * (seen - _blur(seen, 2.5 / shot.spacing))
    return _digitise(sharpened, film)


def _skeleton(film: _Film, *, fractured: bool) -> Plane:
    """Millimetres of compact bone that a ray passes."""
    out = np.zeros_like(film.x)
    for bone in BONES:
        _add_bone(out, film, bone, fractured=fractured and bone.broken)
    for shape in (*CARPALS, _SESAMOID):
        _add_carpal(out, film, shape)
    return out


def _add_bone(out: Plane, film: _Film, bone: _Bone, *, fractured: bool) -> None:
    window = film.around(bone.base, bone.head, max(bone.radii) + 2)
    along, across, length = _axes(film.x[window], film.y[window], bone)
    crack = along - 0.76 * length + 0.55 * across + 0.35 * np.sin(2.1 * across)
    if fractured:  # the head slips half a millimetre towards the little finger's side
        across = across - 0.5 * (crack > 0)
    share = np.clip(along / length, 0, 1)
    base, middle, head = bone.radii
    flare = np.where(2 * share < 1, base - middle, head - middle)
    radius = middle + flare * np.abs(2 * share - 1) ** 2.2
    beyond = np.maximum(np.maximum(-along, along - length), 0)
    squared = across**2 + (beyond * 1.6) ** 2
    cortex = 0.35 + (bone.cortex - 0.35) * (1 - np.abs(2 * share - 1) ** 3)
    outer, inner = _chord(radius, squared), _chord(radius - cortex, squared)
    marrow = 0.3 + 0.24 * np.abs(2 * share - 1) + 0.3 * film.grain[window]
    depth = outer - inner * (1 - np.clip(marrow, 0.05, 0.95))
    depth = _STOUT * (1 - np.exp(-depth / _STOUT))
    if fractured:
        depth = depth * (1 - 0.62 * np.exp(-((crack / 0.26) ** 2)))
    out[window] = np.maximum(out[window], depth) + 0.25 * np.minimum(out[window], depth)


def _add_carpal(out: Plane, film: _Film, shape: tuple[Point, Point, float]) -> None:
    centre, (wide, high), tilt = shape
    window = film.around(centre, centre, max(wide, high) + 2)
    turn = np.deg2rad(tilt)
    dx, dy = film.x[window] - centre[0], film.y[window] - centre[1]
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / wide
    v = (-dx * np.sin(turn) + dy * np.cos(turn)) / high
    bumpy = 1 + 0.06 * np.sin(3 * np.arctan2(v, u) + centre[0])
    radius = np.sqrt(u**2 + v**2) / bumpy
    depth = 1.5 * min(wide, high)
    shell = _chord(np.full_like(radius, 1.0), radius**2) - _chord(
        np.full_like(radius, 0.9), radius**2
    )
    spongy = _chord(np.full_like(radius, 0.9), radius**2) * np.clip(
        0.42 + 0.28 * film.grain[window], 0.1, 1
    )
    out[window] += 0.5 * depth * (0.8 * shell + spongy)


def _soft_tissue(film: _Film) -> Plane:
    out = np.zeros_like(film.x)
    for base, head, wide, deep in _LIMBS:
        along, across, length = _axes(film.x, film.y, _Bone(base, head, (wide, wide, wide)))
        beyond = np.maximum(np.maximum(-along, along - length), 0)
        inside = 1 - (across**2 + beyond**2) / wide**2
        np.maximum(out, 2 * deep * np.sqrt(np.maximum(inside, 0)), out=out)
    return out


def _digitise(seen: Plane, film: _Film) -> NDArray[np.uint16]:
    """12 bits; the collimator's blades leave a dark frame with a soft edge."""
    x, y = film.x, film.y
    edge = np.minimum(
        np.minimum(x + 4, WIDTH_MM - 1 - x),
        np.minimum(y + _MARGIN_MM + 2, HEIGHT_MM + 1 - _MARGIN_MM - y),
    )
    open_field = 1 / (1 + np.exp(-np.clip((edge - 7) * 3, -30, 30)))
    grey = 190 + 2350 * np.clip(seen, -0.05, 1.6)
    out: NDArray[np.uint16] = np.clip(60 + (grey - 60) * open_field, 0, 4095).astype(np.uint16)
    return out


def _axes(x: Plane, y: Plane, bone: _Bone) -> tuple[Plane, Plane, float]:
    """Millimetres along and across the line from base to head, and its length."""
    base, head = bone.base, bone.head
    dx, dy = head[0] - base[0], head[1] - base[1]
    length = float(np.hypot(dx, dy)) or 1.0
    px, py = x - base[0], y - base[1]
    return (px * dx + py * dy) / length, (px * -dy + py * dx) / length, length


def _chord(radius: Plane, squared: Plane) -> Plane:
    """How much of a round bar a ray passes at a squared distance from its axis."""
    return 2 * np.sqrt(np.maximum(np.maximum(radius, 0) ** 2 - squared, 0))


def _trabeculae(noise: np.random.Generator, shot: Shot) -> Plane:
    """Fine texture of about half a millimetre, mean 0, deviation about 0.3."""
    white = noise.standard_normal((shot.rows, shot.columns))
    band = _blur(white, 0.17 / shot.spacing) - 0.9 * _blur(white, 0.55 / shot.spacing)
    return 0.3 * band / max(float(band.std()), 1e-9)


def _blur(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur, sigma in pixels, mirrored at the edges against wrap-around."""
    pad = int(4 * sigma) + 1
    wide = np.pad(plane, pad, mode="edge")
    rows, columns = wide.shape
    gain = np.exp(-2 * (np.pi * sigma * np.fft.fftfreq(rows)) ** 2)[:, None]
    gain = gain * np.exp(-2 * (np.pi * sigma * np.fft.rfftfreq(columns)) ** 2)
    out: Plane = np.fft.irfft2(np.fft.rfft2(wide) * gain, s=wide.shape)
    return out[pad:-pad, pad:-pad]
