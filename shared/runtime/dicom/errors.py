"""Why can a file not be taken as DICOM?"""

from typing import Literal

Reason = Literal[
    "not_dicom",
    "truncated",
    "malformed",
    "duplicate_attribute",
    "missing_attribute",
    "unsupported_transfer_syntax",
    "nested_too_deep",
    "too_many_elements",
    "too_large",
    "inflates_too_far",
    "pixels_missing",
    "pixels_too_short",
    "out_of_memory",
    "out_of_time",
    "crashed",
]


class UnreadableError(Exception):
    """The file is refused: `reason` is for programs, `detail` for people; no value is quoted."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"
