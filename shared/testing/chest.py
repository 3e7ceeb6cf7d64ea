"""What do the storm and the benchmarks send? A chest CT without a first report, and its opinion.

Nobody has to look at anything by hand, so that as many cases as one likes travel by themselves.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from examples.phantom import BARTHOLOMEW, as_bytes, scanner_image

OPINION: Mapping[str, Any] = {
    "technique": "CT of the chest.",
    "comparison": "None.",
    "narrative": "No focal lesion.",
    "impression": "No acute finding.",
    "claims": [
        {
            "id": "s1",
            "finding": "consolidation",
            "anatomic_site": "lungs",
            "laterality": "B",
            "certainty": "excluded",
        }
    ],
}


def submission(
    patient: Mapping[str, Any], clinician: Mapping[str, str], study: Mapping[str, str]
) -> dict[str, Any]:
    """The data of a case.submit event about this `study`: its UID and accession."""
    return {
        "patient": {"birth_date": "1961-04-05", "sex": "F", **patient},
        "clinician": dict(clinician),
        "service_level": "routine",
        "reason_for_review": "inconclusive_first_read",
        "clinical_question": "Is there a consolidation?",
        "body_region": "CHEST",
        "modality": "CT",
        "jurisdiction": "US-VT",
        "language": "en",
        "studies": [{**study, "modality": "CT", "number_of_instances": 1}],
        "first_report": {"status": "missing"},
    }


@cache
def tiny_image() -> bytes:
    """A real scanner's CT with sixteen pixels left of it, and all of its header."""
    dataset = scanner_image(patient=BARTHOLOMEW)
    dataset.Rows = dataset.Columns = 4
    dataset.PixelData = dataset.PixelData[: 4 * 4 * 2]
    return as_bytes(dataset)
