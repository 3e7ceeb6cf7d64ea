"""What may stay for the sake of reading? The options of PS3.15 E.3, chosen per use."""

from dataclasses import dataclass
from typing import Literal

Option = Literal[
    "retain_modified_dates",
    "retain_patient_characteristics",
    "retain_device_identity",
]
# PS3.16 CID 7050: what (0012,0064) says of the profile and of each option.
BASIC_CODE = ("113100", "Basic Application Confidentiality Profile")
OPTION_CODES: dict[Option, tuple[str, str]] = {
    "retain_modified_dates": (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    "retain_patient_characteristics": ("113108", "Retain Patient Characteristics Option"),
    "retain_device_identity": ("113109", "Retain Device Identity Option"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Options on top of the Basic Profile. The name and version stand in each certificate."""

    name: str
    options: frozenset[Option]

    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code values and meanings of the profile and its options, in a fixed order."""
        return (BASIC_CODE, *(OPTION_CODES[one] for one in OPTION_CODES if one in self.options))


BASIC = Policy("basic-1", frozenset())
SECOND_OPINION = Policy("second-opinion-1", frozenset(OPTION_CODES))
