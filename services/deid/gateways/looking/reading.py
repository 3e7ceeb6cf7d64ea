"""Can this strip be read as letters? A second network's opinion on what the first one marked.

What it reads is never looked up, kept or told: only how many letters there were, and how sure it
was. Its weights (PP-OCRv4, text recognition) ship in the same package as the detector's.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import onnxruntime

from services.deid.gateways.looking.detector import DetectorDownError, Grey, opened

_MODEL = "models/ch_PP-OCRv4_rec_infer.onnx"
_HIGH, _WIDEST, _NARROWEST = 48, 640, 32  # pixels, as the network wants a strip
_LEVEL = 1.5  # times as wide as high: then a strip lies along its longer side
# Times as wide as it is: the network sees one letter in eight pixels, so it is blind to narrow
# ones; and drawn apart, vessels and edges look like letters to it no more.
_APART = 2.0
_PLAIN = 0.9  # this sure of two letters, nobody asks whether the strip stands on its head


@dataclass(frozen=True, slots=True)
class Reading:
    """Letters that were seen in a strip, and the mean certainty of them, from 0 to 1."""

    letters: int = 0
    certainty: float = 0.0

    @property
    def weight(self) -> float:
        """More than one letter counts fully, a lone one half."""
        return self.certainty * min(self.letters, 2)


@lru_cache(maxsize=1)
def _session() -> onnxruntime.InferenceSession:
    return opened(_MODEL)


def read(strip: Grey) -> Reading:
    """The best reading over the ways the strip may lie."""
    rows, columns = strip.shape
    turns: tuple[int, ...] = (0, 1, 2, 3)
    if columns >= _LEVEL * rows:
        turns = (0, 2)
    elif rows >= _LEVEL * columns:
        turns = (1, 3)
    return _best(strip, turns, 1.0)


def read_apart(strip: Grey) -> Reading:
    """The better reading of letters that lie level or on their heads, drawn apart."""
    return _best(strip, (0, 2), _APART)


def _best(strip: Grey, turns: tuple[int, ...], apart: float) -> Reading:
    best = Reading()
    for turn in turns:
        found = _read(np.ascontiguousarray(np.rot90(strip, turn)), apart)
        best = max(best, found, key=lambda one: one.weight)
        if best.weight >= 2 * _PLAIN:
            break
    return best


def _read(strip: Grey, apart: float) -> Reading:
    rows, columns = strip.shape
    wide = min(max(round(apart * _HIGH * columns / rows), _NARROWEST), _WIDEST)
    plane = cv2.resize(strip, (wide, _HIGH), interpolation=cv2.INTER_CUBIC) / np.float32(127.5) - 1
    session = _session()
    try:
        out = session.run(None, {session.get_inputs()[0].name: np.stack([plane] * 3)[None]})[0][0]
    except RuntimeError as error:
        raise DetectorDownError(f"the text recogniser failed: {error}") from None
    best, sure = out.argmax(axis=1), out.max(axis=1)
    letter = (best != 0) & np.append(True, best[1:] != best[:-1])  # 0: between letters (CTC)
    if not letter.any():
        return Reading()
    return Reading(int(letter.sum()), float(sure[letter].mean()))
