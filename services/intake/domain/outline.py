"""What of an event does its own partner see? Facts they know or need; no address, no seal."""

from collections.abc import Mapping
from typing import Final

from shared.contracts import intake
from shared.contracts.base import Event

FIELDS: Final[Mapping[type[Event], set[str]]] = {
    intake.CaseSubmitted: {
        "service_level",
        "reason_for_review",
        "submitted_at",
        "expected_studies",
    },
    intake.StudyAttached: {"modality", "instance_count"},
    intake.DocumentAttached: set(),
    intake.InformationRequested: {"items"},
    intake.InformationProvided: set(),
    intake.InformationOverdue: {"items", "reminder"},
    intake.CaseAccepted: {"accepted_at", "service_level", "reason_for_review", "procedure_at"},
    intake.CaseSupplemented: set(),
    intake.CaseRejected: {"reasons"},
    intake.CaseCancelled: {"reason"},
    intake.ServiceLevelChanged: {"service_level"},
}


def outline(event: Event) -> dict[str, object]:
    """Give the fields of FIELDS as JSON values; an event not listed shows its type only."""
    return event.model_dump(mode="json", include=FIELDS.get(type(event), set()))
