"""How likely is each pixel part of a text? A small neural network, loaded once per child.

The network is the text detector of PP-OCRv4 (differentiable binarization), whose weights ship in
the package rapidocr-onnxruntime; nothing else of that package is used. It runs on one core, over
tiles, so that memory does not grow with the picture.
"""

from functools import lru_cache
from importlib.resources import files
from typing import TypeAlias

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Grey: TypeAlias = NDArray[np.uint8]
Likelihood: TypeAlias = NDArray[np.float32]

_PACKAGE, _MODEL = "rapidocr_onnxruntime", "models/ch_PP-OCRv4_det_infer.onnx"
TILE = 640  # pixels: the network then takes about 120 MB
_OVERLAP = 96  # pixels of two neighbouring tiles: the tallest text to be seen whole in one
_FLAT = 8  # of 255: a tile with less contrast shows nothing
_STRIDE = 32  # the network halves a picture five times


class DetectorDownError(RuntimeError):
    """The model can't be loaded or run: nothing may be called free of text."""


def opened(name: str) -> onnxruntime.InferenceSession:
    """Load one of the package's models. Raises DetectorDownError."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # pictures have many sizes
    options.log_severity_level = 4
    try:
        model = files(_PACKAGE).joinpath(name).read_bytes()
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except (ImportError, OSError, RuntimeError) as error:
        raise DetectorDownError(f"{name} can't be loaded: {error}") from None


@lru_cache(maxsize=1)
def _session() -> onnxruntime.InferenceSession:
    return opened(_MODEL)


def likelihood(grey: Grey, scale: float = 1.0) -> Likelihood:
    """For each pixel of a picture in 8 bits, how likely it is text, from 0 to 1.

    `scale` enlarges the picture before looking: the network is blind to letters under 10 pixels.
    """
    rows, columns = grey.shape
    if scale != 1:
        method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        enlarged = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=method)
        grey = np.asarray(enlarged, np.uint8)
    found: Likelihood = np.zeros(grey.shape, np.float32)
    for top, high in _spans(grey.shape[0]):
        for left, wide in _spans(grey.shape[1]):
            window = (slice(top, top + high), slice(left, left + wide))
            tile = grey[window]
            if int(tile.max()) - int(tile.min()) > _FLAT:
                np.maximum(found[window], _seen(tile), out=found[window])
    if scale != 1:
        smaller = cv2.resize(found, (columns, rows), interpolation=cv2.INTER_AREA)
        found = np.asarray(smaller, np.float32)
    return found


def _spans(size: int) -> list[tuple[int, int]]:
    """Start and length of tiles of one size that cover a side, overlapping."""
    if size <= TILE:
        return [(0, size)]
    count = -(-(size - _OVERLAP) // (TILE - _OVERLAP))
    return [(round(n * (size - TILE) / (count - 1)), TILE) for n in range(count)]


def _seen(tile: Grey) -> Likelihood:
    rows, columns = tile.shape
    padded = cv2.copyMakeBorder(
        tile, 0, -rows % _STRIDE, 0, -columns % _STRIDE, cv2.BORDER_REPLICATE
    )
    plane = padded.astype(np.float32) / 127.5 - 1
    session = _session()
    try:
        out = session.run(None, {session.get_inputs()[0].name: np.stack([plane] * 3)[None]})[0]
    except RuntimeError as error:
        raise DetectorDownError(f"the text detector failed: {error}") from None
    found: Likelihood = out[0, 0, :rows, :columns]
    return found
