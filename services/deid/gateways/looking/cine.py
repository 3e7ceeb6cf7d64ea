"""What stays while the tissue moves? A loop is looked at once, not frame by frame.

Text stands still: in the darkest value of each pixel over all frames a bright text is alone on
black, in the brightest a dark one. A few frames are looked at besides, for text that comes or
goes. Frames that are no loop, like pages, are each looked at, or held when they are too many.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from services.deid.gateways.blanks import Frame

EACH = 8  # frames: up to so many are looked at one by one
_SAMPLES = 4
_ALIKE = 0.5  # correlation of two frames that follow each other in a loop


@dataclass
class Loop:
    """Frames as they pass by: the darkest and brightest of each pixel, and a few whole."""

    count: int = 0
    darkest: Frame | None = None
    brightest: Frame | None = None
    kept: dict[int, Frame] = field(default_factory=dict)
    related: bool = True
    _last: Frame | None = None

    @classmethod
    def of(cls, frames: Iterable[Frame], total: int) -> "Loop":
        """`total`: how many there are, by the header."""
        loop = cls()
        whole = set(range(total)) if total <= EACH else _spread(total)
        for number, frame in enumerate(frames):
            loop.take(frame, keep=number in whole)
        return loop

    def take(self, frame: Frame, *, keep: bool) -> None:
        if keep:
            self.kept[self.count] = frame.copy()
        if self.darkest is None or self.brightest is None:
            self.darkest, self.brightest = frame.copy(), frame.copy()
        else:
            np.minimum(self.darkest, frame, out=self.darkest)
            np.maximum(self.brightest, frame, out=self.brightest)
        coarse = frame[::8, ::8].astype(np.float32)
        if self._last is not None and not _alike(self._last, coarse):
            self.related = False
        self._last = coarse
        self.count += 1


def _spread(total: int) -> set[int]:
    return {round(n * (total - 1) / (_SAMPLES - 1)) for n in range(_SAMPLES)}


def _alike(one: Frame, other: Frame) -> bool:
    if one.std() == 0 or other.std() == 0:
        return bool(one.mean() == other.mean())
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) >= _ALIKE
