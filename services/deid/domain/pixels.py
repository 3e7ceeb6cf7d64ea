"""Could there be text in these pixels? A short list of what passes; all else is looked at.

Reconstructed cross-sections carry no text when the scanner itself made them. Whatever a person, a
screen, a film or a camera had a hand in may carry the patient's name, flagged or not: Burned In
Annotation (0028,0301) is optional and often wrong, so NO proves nothing.
"""

from dataclasses import dataclass
from typing import Literal

Code = Literal[
    "burned_in_text_possible",
    "burned_in_text_flagged",
    "screen_capture",
    "derived_image",
    "colour_image",
    "overlay_in_pixels",
    "recognisable_face_flagged",
    "not_an_image",
    "pixels_missing",
    "identifier_survived",
    "unreadable",
]
# What an operator may let through after a look; the others have nothing to look at.
RELEASABLE = frozenset((
    "burned_in_text_possible", "burned_in_text_flagged", "screen_capture", "derived_image",
    "colour_image", "recognisable_face_flagged",
))  # fmt: skip
# Modality -> SOP classes that pass when ORIGINAL\PRIMARY: CT, Enhanced CT; MR, Enhanced MR; PET,
# Enhanced PET; NM.
_SCANNERS = {
    "CT": ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"),
    "MR": ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"),
    "PT": ("1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.130"),
    "NM": ("1.2.840.10008.5.1.4.1.1.20",),
}
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_GREY = frozenset(("MONOCHROME1", "MONOCHROME2"))


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an instance is held. `detail` names rules and tags, never values of the patient."""

    code: Code
    detail: str

    @property
    def releasable(self) -> bool:
        return self.code in RELEASABLE


@dataclass(frozen=True, slots=True)
class Pixels:
    """What the header says of the pixels."""

    sop_class: str
    modality: str
    image_type: tuple[str, ...]
    photometric: str
    burned_in: str
    recognisable: str
    has_rows: bool
    has_pixels: bool
    overlay_in_pixels: bool


def doubts(pixels: Pixels) -> tuple[Doubt, ...]:
    """Every reason to hold an instance; none means that it passes."""
    if not pixels.has_rows and not pixels.has_pixels:
        return (Doubt("not_an_image", "a report, document or other object without pixels"),)
    if not pixels.has_pixels:
        return (Doubt("pixels_missing", "Rows (0028,0010) without Pixel Data (7FE0,0010)"),)
    return tuple(doubt for doubt in (_origin(pixels), *_flags(pixels)) if doubt)


def _origin(pixels: Pixels) -> Doubt | None:
    """Who made the image: only a scanner's own cross-section is beyond doubt."""
    if pixels.sop_class.startswith(_SECONDARY_CAPTURE):
        return Doubt("screen_capture", "SOP Class is Secondary Capture")
    if pixels.sop_class not in _SCANNERS.get(pixels.modality, ()):
        return Doubt(
            "burned_in_text_possible",
            "Modality (0008,0060) and SOP Class (0008,0016) are not on the list of those whose "
            "pixels carry no text",
        )
    if pixels.image_type[:2] != ("ORIGINAL", "PRIMARY"):
        return Doubt("derived_image", "Image Type (0008,0008) is not ORIGINAL\\PRIMARY")
    if any("SCREEN" in value or "DOSE" in value for value in pixels.image_type):
        return Doubt("screen_capture", "Image Type (0008,0008) names a screen or a dose sheet")
    if pixels.photometric not in _GREY:
        return Doubt("colour_image", "Photometric Interpretation (0028,0004) is not grey")
    return None


def _flags(pixels: Pixels) -> tuple[Doubt | None, ...]:
    """What the header itself warns of."""
    flagged = pixels.burned_in not in {"", "NO"}
    face = pixels.recognisable not in {"", "NO"}
    return (
        Doubt("burned_in_text_flagged", "Burned In Annotation (0028,0301)") if flagged else None,
        Doubt("recognisable_face_flagged", "Recognizable Visual Features (0028,0302)")
        if face
        else None,
        Doubt("overlay_in_pixels", "an overlay (60xx,0102) lies in unused bits of the pixels")
        if pixels.overlay_in_pixels
        else None,
    )
