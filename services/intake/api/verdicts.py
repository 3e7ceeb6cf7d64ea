"""What is a STOW-RS sender told of each instance? PS3.18 section 10.5.3, in DICOM JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.intake.gateways.instances import Facts
from shared.contracts.base import ObjectRef

# Failure Reason (0008,1197): PS3.18 table 10.5.3-1 and, by its reference, PS3.7 annex C.
OUT_OF_RESOURCES: Final = 0xA700
CANNOT_UNDERSTAND: Final = 0xC000
UNSUPPORTED_SYNTAX: Final = 0xC122
FAILURE: Final = 0x0110
DUPLICATE: Final = 0x0111

ErrorCode = Literal[
    "other_media_type",
    "too_large",
    "cut_off",
    "no_patient_id",
    "wrong_patient",
    "other_study",
    "conflict",
]
REASONS: Final[dict[ErrorCode, tuple[int, str]]] = {
    "other_media_type": (CANNOT_UNDERSTAND, "The part is not application/dicom."),
    "too_large": (OUT_OF_RESOURCES, "The instance is larger than this service takes."),
    "cut_off": (CANNOT_UNDERSTAND, "The body ended within this part."),
    "no_patient_id": (FAILURE, "The instance has no Patient ID (0010,0020)."),
    "wrong_patient": (FAILURE, "The case of this study is another patient's."),
    "other_study": (FAILURE, "The instance is not of the study in the URL."),
    "conflict": (DUPLICATE, "This SOP Instance UID has other content already."),
}
# What the walker and the sandbox find (shared.runtime.dicom.errors).
_UNREADABLE: Final[dict[str, int]] = {
    "unsupported_transfer_syntax": UNSUPPORTED_SYNTAX,
    "too_large": OUT_OF_RESOURCES,
    "too_many_elements": OUT_OF_RESOURCES,
    "nested_too_deep": OUT_OF_RESOURCES,
    "inflates_too_far": OUT_OF_RESOURCES,
    "out_of_memory": OUT_OF_RESOURCES,
    "out_of_time": OUT_OF_RESOURCES,
}
_LONGEST_COMMENT: Final = 64  # LO, PS3.5 table 6.2-1


@dataclass(frozen=True, slots=True)
class Kept:
    """An instance that lies in the vault, or did already."""

    facts: Facts
    content: ObjectRef


@dataclass(frozen=True, slots=True)
class Failed:
    """An instance that was refused, with a number for programs and a sentence for people."""

    reason: int
    sentence: str
    facts: Facts | None = None


Verdict = Kept | Failed


def refused(code: ErrorCode, facts: Facts | None = None) -> Failed:
    reason, sentence = REASONS[code]
    return Failed(reason, sentence, facts)


def unreadable(reason: str, detail: str) -> Failed:
    return Failed(_UNREADABLE.get(reason, CANNOT_UNDERSTAND), f"{reason}: {detail}")


def status(verdicts: Sequence[Verdict]) -> int:
    """Give 200 when all are stored, 202 when some are, 409 when none is (table 10.5.1-1)."""
    kept = sum(isinstance(one, Kept) for one in verdicts)
    if kept == len(verdicts):
        return 200
    return 202 if kept else 409


def response(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Give the Store Instances Response Module; a sequence without items is left out.

    The sentence stands in Error Comment (0000,0902), where other STOW-RS servers put it too.
    """
    failed = [one for one in verdicts if isinstance(one, Failed)]
    sequences = {
        "00081199": [_reference(one.facts) for one in verdicts if isinstance(one, Kept)],
        "00081198": [_reference(one.facts) | _failure(one) for one in failed if one.facts],
        "0008119A": [_failure(one) for one in failed if not one.facts],
    }
    return {tag: {"vr": "SQ", "Value": items} for tag, items in sequences.items() if items}


def _reference(facts: Facts) -> dict[str, object]:
    return {
        "00081150": {"vr": "UI", "Value": [facts.sop_class]},
        "00081155": {"vr": "UI", "Value": [facts.sop_instance]},
    }


def _failure(failed: Failed) -> dict[str, object]:
    return {
        "00000902": {"vr": "LO", "Value": [failed.sentence[:_LONGEST_COMMENT]]},
        "00081197": {"vr": "US", "Value": [failed.reason]},
    }
