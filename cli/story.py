"""Which two cases does the demo tell? What the hospital sends, and what the second reader thinks.

One first report missed a fracture; the other was right. Words and images are invented; the header
of the second image is a real scanner's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.phantom import (
    BARTHOLOMEW,
    MARIPOSA,
    Patient,
    Shot,
    as_bytes,
    hand_radiograph,
    scanner_image,
)


@dataclass(frozen=True)
class Scene:
    """One case as the partner submits it and as the reader answers it."""

    title: str
    patient: Patient
    image: bytes
    submission: Mapping[str, Any]
    opinion: Mapping[str, Any]
    first_claims: Sequence[Mapping[str, Any]]
    pairs: Sequence[Mapping[str, Any]]
    expected_verdict: str


CASES = Path(__file__).parents[1] / "examples" / "cases"


def missed_fracture(shot: Shot | None = None) -> Scene:
    """A hand radiograph whose first report missed the fracture of the fifth metacarpal."""
    exposure = shot or Shot(rows=1500, columns=1200, fracture=True, seed=1)
    image = hand_radiograph(MARIPOSA, exposure, burned_in=True)
    return Scene(
        title="A hand radiograph; the first report says: normal",
        patient=MARIPOSA,
        image=as_bytes(image),
        submission=_submission("hand-fracture-missed"),
        opinion={
            "technique": "Right hand, one projection. Diagnostic quality.",
            "comparison": "None.",
            "narrative": "Oblique lucent line through the shaft of the fifth metacarpal with a "
            "cortical step. No radiopaque foreign body.",
            "impression": "Fracture of the shaft of the fifth metacarpal, minimally displaced.",
            "adequacy": "adequate",
            "claims": [
                _claim("s1", "fracture", "fifth metacarpal shaft", "R", "definite")
                | {"significance": "actionable"}
                | {"recommendation": "Immobilisation and hand surgery referral."},
                _claim("s2", "soft tissue abnormality", "hand", "R", "excluded"),
            ],
        },
        first_claims=[
            _claim("f1", "fracture", "fifth metacarpal shaft", "R", "excluded"),
            _claim("f2", "soft tissue abnormality", "hand", "R", "excluded"),
        ],
        pairs=[
            {
                "first": "f1",
                "second": "s1",
                "clinically_important": True,
                "discrepancy": "detection",
            },
            {"first": "f2", "second": "s2", "clinically_important": False},
        ],
        expected_verdict="refuted",
    )


def confirmed_ct() -> Scene:
    """A real scanner's CT whose first report is confirmed."""
    return Scene(
        title="A chest CT; the first reader was not sure of a normal vertebra",
        patient=BARTHOLOMEW,
        image=as_bytes(scanner_image("CT_small.dcm", BARTHOLOMEW)),
        submission=_submission("chest-ct-confirmed"),
        opinion={
            "technique": "CT, one reconstructed slice.",
            "comparison": "None.",
            "narrative": "Vertebral body of normal height without a lesion. Lungs clear.",
            "impression": "No fracture and no lesion on the slice provided.",
            "adequacy": "limited",
            "claims": [
                _claim("s1", "lesion", "vertebral body", "U", "excluded"),
                _claim("s2", "consolidation", "lungs", "B", "excluded"),
            ],
        },
        first_claims=[
            _claim("f1", "lesion", "vertebral body", "U", "excluded"),
            _claim("f2", "consolidation", "lungs", "B", "excluded"),
        ],
        pairs=[
            {"first": "f1", "second": "s1", "clinically_important": False},
            {"first": "f2", "second": "s2", "clinically_important": False},
        ],
        expected_verdict="confirmed",
    )


def _submission(name: str) -> dict[str, Any]:
    event = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return dict(event["data"])


def _claim(name: str, finding: str, site: str, side: str, certainty: str) -> dict[str, Any]:
    return {
        "id": name,
        "finding": finding,
        "anatomic_site": site,
        "laterality": side,
        "certainty": certainty,
        "text": f"{finding}, {site}: {certainty}",
    }
