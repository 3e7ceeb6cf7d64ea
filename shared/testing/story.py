"""Which one case do the walkthrough and the acceptance test both tell, and what is published?

A hand radiograph whose first report missed a fracture. The walkthrough tells it to the five
deciders in memory; the acceptance test to five processes over HTTP. Both must publish TOLD.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.contracts import deid, intake, matching, notify, reporting
from shared.contracts.base import Event

EXAMPLE = Path(__file__).parents[2] / "examples" / "cases" / "hand-fracture-missed.json"
# What the hospital sends, exactly as in the example for partners.
SUBMISSION: Mapping[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))["data"]
PARTNER = "st-brigid"
OPERATOR = "operator"
READER = "dr-osei"

OPINION: Mapping[str, Any] = {
    "technique": "Right hand, one view.",
    "comparison": "None.",
    "narrative": "A fine oblique line through the shaft of the fifth metacarpal.",
    "impression": "Fracture of the fifth metacarpal, not displaced.",
    "claims": [
        {
            "id": "second-1",
            "finding": "fracture",
            "anatomic_site": "fifth metacarpal",
            "laterality": "R",
            "certainty": "definite",
            "significance": "actionable",
            "recommendation": "Immobilise.",
        }
    ],
}
COMPARISON: Mapping[str, Any] = {
    "first_claims": [
        {
            "id": "first-1",
            "finding": "fracture",
            "anatomic_site": "fifth metacarpal",
            "laterality": "R",
            "certainty": "excluded",
        }
    ],
    "pairs": [
        {
            "first": "first-1",
            "second": "second-1",
            "clinically_important": True,
            "discrepancy": "detection",
        }
    ],
}


@dataclass(frozen=True)
class Told:
    """An event as the story cares for it: its name and its key fields."""

    name: str
    fields: Mapping[str, Any]


# Which fields must agree, wherever the story is told. Ids, hashes and times differ from run to run.
KEY_FIELDS: Mapping[type[Event], tuple[str, ...]] = {
    intake.CaseSubmitted: ("partner", "service_level", "reason_for_review", "expected_studies"),
    intake.StudyAttached: ("partner", "modality", "instance_count"),
    intake.CaseAccepted: (
        "partner",
        "service_level",
        "modalities",
        "body_regions",
        "subspecialty",
        "laterality",
        "age_band",
        "sex",
        "jurisdiction",
        "first_read",
    ),
    deid.QuarantineReleased: ("partner", "decision", "by"),
    deid.CaseDeidentified: ("partner", "instances_cleaned", "instances_rejected", "supplement"),
    matching.CaseOpened: ("partner", "role"),
    matching.AssignmentOffered: ("reader", "role"),
    matching.AssignmentAccepted: ("partner", "reader", "role"),
    matching.AssignmentClosed: ("reason",),
    matching.StageCompleted: ("stage",),
    reporting.ReadingStarted: ("reader",),
    reporting.OpinionLocked: ("reader", "claims"),
    reporting.FirstReportRevealed: ("reader", "available"),
    reporting.ClaimsCompared: ("outcomes",),
    reporting.ReportFinalized: ("partner", "verdict", "discrepancy", "signer", "blind"),
    notify.DeliveryPlanned: ("partner", "audience", "channel"),
    notify.Delivered: ("partner", "audience", "channel", "attempts"),
    notify.ResultAcknowledged: ("partner", "by"),
}


def told(events: Iterable[Event]) -> list[Told]:
    """Reduce events to what the story cares for."""
    return [
        Told(
            type(event).__name__,
            event.model_dump(mode="json", include=set(KEY_FIELDS.get(type(event), ()))),
        )
        for event in events
    ]


def _stage(stage: str) -> Told:
    return Told("StageCompleted", {"stage": stage})


def _released() -> Told:
    fields = {"partner": PARTNER, "decision": "release", "by": OPERATOR}
    return Told("QuarantineReleased", fields)


def _on(event: str, audience: str, channel: str, **more: Any) -> Told:
    return Told(event, {"partner": PARTNER, "audience": audience, "channel": channel, **more})


# What each service publishes, in its order.
TOLD: Mapping[str, tuple[Told, ...]] = {
    "intake": (
        Told(
            "CaseSubmitted",
            {
                "partner": PARTNER,
                "service_level": "urgent",
                "reason_for_review": "not_read_by_subspecialist",
                "expected_studies": 1,
            },
        ),
        Told("DocumentAttached", {}),
        Told("DocumentAttached", {}),
        Told("DocumentAttached", {}),
        Told("StudyAttached", {"partner": PARTNER, "modality": "DX", "instance_count": 1}),
        Told(
            "CaseAccepted",
            {
                "partner": PARTNER,
                "service_level": "urgent",
                "modalities": ["DX"],
                "body_regions": ["HAND"],
                "subspecialty": "musculoskeletal",
                "laterality": "R",
                "age_band": "50-59",
                "sex": "F",
                "jurisdiction": "US-VT",
                "first_read": {
                    "status": "present",
                    "reader": "dr-marchetti",
                    "group": "northfield-radiology",
                },
            },
        ),
    ),
    "deid": (
        Told("DeidentificationPlanned", {}),
        Told("CaseQuarantined", {}),
        _released(),
        _released(),
        Told("DeidentificationPlanned", {}),
        Told(
            "CaseDeidentified",
            {
                "partner": PARTNER,
                "instances_cleaned": 1,
                "instances_rejected": 0,
                "supplement": 0,
            },
        ),
    ),
    "matching": (
        Told("ClockStarted", {}),
        Told("CaseOpened", {"partner": PARTNER, "role": "second_reader"}),
        _stage("deid"),
        Told("AssignmentOffered", {"reader": READER, "role": "second_reader"}),
        Told(
            "AssignmentAccepted",
            {"partner": PARTNER, "reader": READER, "role": "second_reader"},
        ),
        _stage("match"),
        Told("AssignmentClosed", {"reason": "read"}),
        _stage("read"),
        _stage("deliver"),
        Told("SlaMet", {}),
    ),
    "reporting": (
        Told("ReadingStarted", {"reader": READER}),
        Told("OpinionLocked", {"reader": READER, "claims": 1}),
        Told("FirstReportRevealed", {"reader": READER, "available": True}),
        Told(
            "ClaimsCompared",
            {
                "outcomes": [
                    {"claim": "first-1", "verdict": "refuted", "clinically_important": True},
                    {"claim": "second-1", "verdict": "refuted", "clinically_important": True},
                ]
            },
        ),
        Told(
            "ReportFinalized",
            {
                "partner": PARTNER,
                "verdict": "refuted",
                "discrepancy": {
                    "five_point": 4,
                    "five_point_scale": "radiology-2010",
                    "radpeer": "2b",
                    "radpeer_scale": "radpeer-2016",
                },
                "signer": READER,
                "blind": True,
            },
        ),
    ),
    "notify": (
        _on("DeliveryPlanned", "partner_system", "webhook"),
        _on("DeliveryPlanned", "clinician", "mail"),
        _on("Delivered", "partner_system", "webhook", attempts=1),
        _on("Delivered", "clinician", "mail", attempts=1),
        Told("ResultAcknowledged", {"partner": PARTNER, "by": PARTNER}),
    ),
}
