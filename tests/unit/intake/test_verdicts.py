"""The answer to STOW-RS, by PS3.18."""

from typing import Any

import pytest

from services.intake.api.verdicts import (
    CANNOT_UNDERSTAND,
    DUPLICATE,
    OUT_OF_RESOURCES,
    REASONS,
    UNSUPPORTED_SYNTAX,
    Failed,
    Kept,
    Verdict,
    refused,
    response,
    status,
    unreadable,
)
from services.intake.gateways.instances import Facts
from services.intake.store.arrivals import Study
from tests.unit.intake.story import PATIENT, digest, ref

FACTS = Facts(
    study_uid="1.2.3",
    sop_class="1.2.840.10008.5.1.4.1.1.2",
    sop_instance="1.2.3.4",
    sop=digest("sop"),
    study=Study(digest("study"), PATIENT, None, "CT", "CHEST", "U", images=True),
)
KEPT = Kept(FACTS, ref("x"))
NAMES: dict[str, Any] = {
    "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
    "00081155": {"vr": "UI", "Value": ["1.2.3.4"]},
}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([KEPT], 200),
        ([KEPT, KEPT], 200),
        ([KEPT, refused("conflict", FACTS)], 202),
        ([refused("cut_off")], 409),
    ],
)
def test_the_status_says_all_some_or_none(verdicts: list[Verdict], expected: int) -> None:
    assert status(verdicts) == expected


def test_each_instance_stands_in_the_sequence_of_its_fate() -> None:
    module = response([KEPT, refused("conflict", FACTS), refused("cut_off")])

    assert module == {
        "00081199": {"vr": "SQ", "Value": [NAMES]},
        "00081198": {
            "vr": "SQ",
            "Value": [
                {
                    **NAMES,
                    "00081197": {"vr": "US", "Value": [DUPLICATE]},
                    "00000902": {
                        "vr": "LO",
                        "Value": ["This SOP Instance UID has other content already."],
                    },
                }
            ],
        },
        "0008119A": {
            "vr": "SQ",
            "Value": [
                {
                    "00081197": {"vr": "US", "Value": [CANNOT_UNDERSTAND]},
                    "00000902": {"vr": "LO", "Value": ["The body ended within this part."]},
                }
            ],
        },
    }


def test_an_empty_sequence_is_left_out() -> None:
    assert set(response([KEPT])) == {"00081199"}


@pytest.mark.parametrize(
    ("reason", "number"),
    [
        ("not_dicom", CANNOT_UNDERSTAND),
        ("truncated", CANNOT_UNDERSTAND),
        ("crashed", CANNOT_UNDERSTAND),
        ("inflates_too_far", OUT_OF_RESOURCES),
        ("out_of_time", OUT_OF_RESOURCES),
        ("unsupported_transfer_syntax", UNSUPPORTED_SYNTAX),
    ],
)
def test_what_the_walker_found_has_its_number(reason: str, number: int) -> None:
    assert unreadable(reason, "why") == Failed(number, f"{reason}: why")


def test_every_sentence_fits_into_its_value() -> None:
    for _, sentence in REASONS.values():
        assert len(sentence) <= 64
