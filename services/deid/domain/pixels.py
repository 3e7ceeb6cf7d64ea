"""Could there be text in these pixels? What passes, what is looked at, what a person must see.

Reconstructed cross-sections carry no text when the scanner itself made them. Whatever a person, a
screen, a film or a camera had a hand in may carry the patient's name, flagged or not: Burned In
Annotation (0028,0301) is optional and often wrong, so NO proves nothing.
"""

from dataclasses import dataclass
from typing import Literal

from services.deid.domain.anatomy import Region
from services.deid.domain.policy import Policy

Code = Literal[
    "burned_in_text_possible",
    "burned_in_text_flagged",
    "text_uncertain",
    "full_of_text",
    "detector_down",
    "screen_capture",
    "derived_image",
    "colour_image",
    "overlay_in_pixels",
    "recognisable_face_flagged",
    "recognisable_face_possible",
    "pixels_undecodable",
    "text_not_removable",
    "stream_not_understood",
    "not_an_image",
    "pixels_missing",
    "identifier_survived",
    "unreadable",
]
# What an operator may let through after a look; the others have nothing to look at.
RELEASABLE = frozenset((
    "burned_in_text_possible", "burned_in_text_flagged", "text_uncertain", "full_of_text",
    "detector_down", "screen_capture", "derived_image", "colour_image",
    "recognisable_face_flagged", "recognisable_face_possible",
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
_CRANIOFACIAL = "1.2.840.10008.5.1.4.1.1.13.1.2"
# What is rendered from: CT, Enhanced and Legacy Converted CT; MR, Enhanced, Enhanced Colour, Legacy
# Converted MR; X-Ray 3D Angiographic and Craniofacial.
_VOLUMES = frozenset((
    *_SCANNERS["CT"], "1.2.840.10008.5.1.4.1.1.2.2", *_SCANNERS["MR"],
    "1.2.840.10008.5.1.4.1.1.4.3", "1.2.840.10008.5.1.4.1.1.4.4", "1.2.840.10008.5.1.4.1.1.13.1.1",
    _CRANIOFACIAL,
))  # fmt: skip
_RENDERED = frozenset(("CT", "MR"))
_THICK_MM = 6.0  # slices thicker than this give no likeness
_SCOUT_MM = 3.0  # a scout of MR is a few slices; thinner ones are a volume by which scanners align


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
    """What the header says of the pixels. `region`: where in the body; `slice_mm`: if said.

    `cleaned`: we had it before, and a face would have waited for an operator then.
    """

    sop_class: str
    modality: str
    image_type: tuple[str, ...]
    photometric: str
    burned_in: str
    recognisable: str
    has_rows: bool
    has_pixels: bool
    overlay_in_pixels: bool
    region: Region = "unknown"
    slice_mm: float | None = None
    cleaned: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`look`: the pixels have to be looked at before they go. `doubts`: why a person must look."""

    look: bool
    doubts: tuple[Doubt, ...] = ()


def judged(pixels: Pixels, policy: Policy) -> Verdict:
    """By the header alone. Without the option *clean pixel data* nothing is looked at: it waits."""
    if not pixels.has_rows and not pixels.has_pixels:
        return _held("not_an_image", "a report, document or other object without pixels")
    if not pixels.has_pixels:
        return _held("pixels_missing", "Rows (0028,0010) without Pixel Data (7FE0,0010)")
    origin, flags = _origin(pixels), _flags(pixels, policy)
    flagged = any(one.code == "burned_in_text_flagged" for one in flags)
    if "clean_pixel_data" in policy.options:
        return Verdict(origin is not None or flagged, flags)
    return Verdict(look=False, doubts=(*((origin,) if origin else ()), *flags))


def _held(code: Code, detail: str) -> Verdict:
    return Verdict(look=False, doubts=(Doubt(code, detail),))


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


def _flags(pixels: Pixels, policy: Policy) -> tuple[Doubt, ...]:
    """What the header itself warns of."""
    found: list[Doubt] = []
    if pixels.burned_in not in {"", "NO"}:
        found.append(Doubt("burned_in_text_flagged", "Burned In Annotation (0028,0301)"))
    if pixels.recognisable not in {"", "NO"}:
        detail = "Recognizable Visual Features (0028,0302)"
        found.append(Doubt("recognisable_face_flagged", detail))
    elif "clean_recognizable_visual_features" in policy.options and (face := _face(pixels)):
        found.append(Doubt("recognisable_face_possible", face))
    if pixels.overlay_in_pixels:
        detail = "an overlay (60xx,0102) lies in unused bits of the pixels"
        found.append(Doubt("overlay_in_pixels", detail))
    return tuple(found)


def _face(pixels: Pixels) -> str | None:
    """Why thin slices of a CT or MR could show who it is; None when they can't.

    Recognizable Visual Features (0028,0302) NO proves nothing: as Burned In Annotation, it is a
    default of scanners. Only what we have cleaned ourselves has been looked at.
    """
    volume = pixels.sop_class in _VOLUMES
    if pixels.cleaned or not (volume or pixels.modality in _RENDERED) or _flat(pixels):
        return None
    if pixels.region == "head" or pixels.sop_class == _CRANIOFACIAL:
        return "thin slices of a head can be rendered to a face"
    if pixels.region == "unknown" and volume:
        return "thin slices, and nothing says of which region: a head could be rendered to a face"
    return None


def _flat(pixels: Pixels) -> bool:
    """A scout, or slices too thick for a likeness. A scout of CT is a projection."""
    if "LOCALIZER" in pixels.image_type[2:]:
        return pixels.modality == "CT" or pixels.slice_mm is None or pixels.slice_mm > _SCOUT_MM
    return pixels.slice_mm is not None and pixels.slice_mm > _THICK_MM
