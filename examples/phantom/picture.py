"""How does a radiologist's screen show this image? As a picture file, for people."""

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut


def render(dataset: Dataset, frame: int = 0) -> Image.Image:
    """One frame in grey, 8 bits: rescale, window, and MONOCHROME1 turned (PS3.4 N.2)."""
    pixels = dataset.pixel_array
    if dataset.get("NumberOfFrames", 1) > 1:
        pixels = pixels[frame]
    values = np.asarray(apply_voi_lut(apply_modality_lut(pixels, dataset), dataset), dtype=float)
    low, high = float(values.min()), float(values.max())
    grey = (values - low) / max(high - low, 1e-9)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 1 - grey
    return Image.fromarray((grey * 255).round().astype(np.uint8))
