"""What may a clean image say was done to its pixels? PS3.15 E.3.1 and E.3.2.

Where the options *clean pixel data* and *clean recognizable visual features* were applied, their
codes stand in (0012,0064), and Burned In Annotation (0028,0301) and Recognizable Visual Features
(0028,0302) say NO. Applied is an option when a rule says that there is nothing to take out, or when
the look at the pixels left no doubt. What a person lets go all the same says YES, without the code:
a doubtful file leaves in no other way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.deid.domain.pixels import Doubt, Pixels, judged
from services.deid.domain.policy import OPTION_CODES, Option, Policy

BURNED_IN, RECOGNISABLE = 0x00280301, 0x00280302
_TEXT: Option = "clean_pixel_data"
_FACES: Option = "clean_recognizable_visual_features"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Modalities whose images are nobody's likeness, unless slices of a head are rendered to one.
_FACELESS = frozenset(("BMD", "CR", "CT", "DX", "IO", "MG", "MR", "NM", "PX", "RF", "US", "XA"))
_RENDERED = frozenset(("CT", "MR"))


@dataclass(frozen=True, slots=True)
class Stated:
    """`undone`: options of the policy that this file was not cleaned by. `values` by tag."""

    undone: frozenset[Option] = frozenset((_TEXT, _FACES))
    values: tuple[tuple[int, str], ...] = ()


NO_IMAGE = Stated()


def stated(
    pixels: Pixels, policy: Policy, doubts: Sequence[Doubt], before: frozenset[str] | None
) -> Stated:
    """By what the cleaner knows. `before`: the codes of a file that we cleaned before."""
    if not pixels.has_pixels:
        return NO_IMAGE
    said = {
        BURNED_IN: _text(pixels, doubts, before) if _TEXT in policy.options else "",
        RECOGNISABLE: _faces(pixels, policy, doubts, before) if _FACES in policy.options else "",
    }
    undone = {
        option for option, tag in ((_TEXT, BURNED_IN), (_FACES, RECOGNISABLE)) if said[tag] != "NO"
    }
    return Stated(frozenset(undone), tuple((tag, value) for tag, value in said.items() if value))


def standing(doubts: Sequence[Doubt], pixels: Pixels) -> tuple[Doubt, ...]:
    """Of a file that we cleaned before, the doubts that no operator settled.

    With YES leaves only what one let go. Its pixels are looked at again all the same.
    """
    text, face = pixels.burned_in == "YES", pixels.recognisable == "YES"
    return tuple(
        one
        for one in doubts
        if not (text and one.code == "burned_in_text_flagged") and not (face and _of_a_face(one))
    )


def _text(pixels: Pixels, doubts: Sequence[Doubt], before: frozenset[str] | None) -> str:
    settled = before is not None and pixels.burned_in == "YES"
    return "YES" if settled or not all(map(_of_a_face, doubts)) else "NO"


def _faces(
    pixels: Pixels, policy: Policy, doubts: Sequence[Doubt], before: frozenset[str] | None
) -> str:
    """NO, YES, or "" where nothing was done: the file then says what it said."""
    settled = before is not None and pixels.recognisable == "YES"
    if settled or any(map(_of_a_face, doubts)):
        return "YES"
    if before is not None:  # where it is from may no longer stand in its header
        return "NO" if OPTION_CODES[_FACES][0] in before else ""
    return "NO" if _shows_no_face(pixels, policy) else ""


def _shows_no_face(pixels: Pixels, policy: Policy) -> bool:
    """By our rules, and not by the word of who sent it."""
    if pixels.modality not in _FACELESS or pixels.sop_class.startswith(_SECONDARY_CAPTURE):
        return False
    if pixels.modality in _RENDERED and pixels.region == "unknown":
        return False
    if not pixels.recognisable:
        return True
    return not any(map(_of_a_face, judged(replace(pixels, recognisable=""), policy).doubts))


def _of_a_face(doubt: Doubt) -> bool:
    return doubt.code in {"recognisable_face_flagged", "recognisable_face_possible"}
