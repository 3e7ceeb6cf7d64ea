"""Which part of a frame is meant? Rectangles in pixels, their union, their bounds."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

# blanked: text, or a place where there is nothing but text; doubtful: for a person to judge;
# drawn: by a person.
Kind = Literal["blanked", "doubtful", "drawn"]


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """Columns `left` to `right`, rows `top` to `bottom`, counted from 0, the ends not included."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        return max(self.right - self.left, 0) * max(self.bottom - self.top, 0)

    def within(self, rows: int, columns: int) -> "Box | None":
        """The part of it that lies on a frame; None when nothing does."""
        cut = Box(
            max(self.left, 0), max(self.top, 0), min(self.right, columns), min(self.bottom, rows)
        )
        return cut if cut.right > cut.left and cut.bottom > cut.top else None

    def holds(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """A box in one frame, counted from 0, or in all of them."""

    box: Box
    frame: int | None = None

    def on(self, frame: int) -> bool:
        return self.frame is None or self.frame == frame


def outside(regions: Iterable[Box], rows: int, columns: int) -> tuple[Box, ...]:
    """The rest of a frame around regions, as boxes that do not overlap."""
    inside = [cut for one in regions if (cut := one.within(rows, columns))]
    edges = sorted({0, rows, *(one.top for one in inside), *(one.bottom for one in inside)})
    found: list[Box] = []
    for top, bottom in pairwise(edges):
        at = 0
        band = sorted(one for one in inside if one.top <= top and one.bottom >= bottom)
        for one in band:
            if one.left > at:
                found.append(Box(at, top, one.left, bottom))
            at = max(at, one.right)
        if at < columns:
            found.append(Box(at, top, columns, bottom))
    return tuple(found)


def distinct(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Without those that another one holds, in a fixed order."""
    kept: list[Box] = []
    for box in sorted(set(boxes), key=lambda one: (-one.area, one)):
        if not any(other.holds(box) for other in kept):
            kept.append(box)
    return tuple(sorted(kept))
