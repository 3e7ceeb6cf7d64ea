"""What may stay for the sake of reading? The options of PS3.15 E.3, chosen per partner."""

import hashlib
from dataclasses import dataclass
from typing import Literal

Option = Literal[
    "clean_pixel_data",
    "clean_recognizable_visual_features",
    "clean_graphics",
    "clean_structured_content",
    "clean_descriptors",
    "retain_modified_dates",
    "retain_patient_characteristics",
    "retain_device_identity",
    "retain_safe_private",
]
# When keys are rotated, a known patient keeps the key it began with, or only the case under way.
Rotation = Literal["patient", "case"]
# PS3.16 CID 7050: what (0012,0064) says of the profile and of each option.
BASIC_CODE = ("113100", "Basic Application Confidentiality Profile")
OPTION_CODES: dict[Option, tuple[str, str]] = {
    "clean_pixel_data": ("113101", "Clean Pixel Data Option"),
    "clean_recognizable_visual_features": ("113102", "Clean Recognizable Visual Features Option"),
    "clean_graphics": ("113103", "Clean Graphics Option"),
    "clean_structured_content": ("113104", "Clean Structured Content Option"),
    "clean_descriptors": ("113105", "Clean Descriptors Option"),
    "retain_modified_dates": (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    "retain_patient_characteristics": ("113108", "Retain Patient Characteristics Option"),
    "retain_device_identity": ("113109", "Retain Device Identity Option"),
    "retain_safe_private": ("113111", "Retain Safe Private Option"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Options on top of the Basic Profile.

    `name` is `<name>-<version>`; it stands in each clean file and, with the digest, in each
    certificate.
    """

    name: str
    options: frozenset[Option]
    rotation: Rotation = "patient"

    def codes(self, undone: frozenset[Option] = frozenset()) -> tuple[tuple[str, str], ...]:
        """Code values and meanings of the profile and its options, in a fixed order."""
        done = self.options - undone
        return (BASIC_CODE, *(OPTION_CODES[one] for one in OPTION_CODES if one in done))

    @property
    def digest(self) -> str:
        """SHA-256 of what the policy says, so that an edit under an old version shows."""
        said = (self.name, *sorted(self.options), self.rotation)
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


BASIC = Policy("basic-1", frozenset())
SECOND_OPINION = Policy("second-opinion-2", frozenset(OPTION_CODES))
