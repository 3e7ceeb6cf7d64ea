"""What may a partner read of an event on the timeline of its own case?

Default deny: of an event only the fields named here are shown. No sealed identity, no address of
an object, nobody's score, and no name of a reader before the report is signed.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from shared.contracts import deid, intake, matching, notify, reporting
from shared.contracts.base import Event

SHOWN: Mapping[type[Event], tuple[str, ...]] = {
    intake.CaseSubmitted: ("service_level", "reason_for_review", "expected_studies"),
    intake.StudyAttached: ("study", "modality", "instance_count"),
    intake.InformationRequested: ("items",),
    intake.InformationOverdue: ("items", "reminder"),
    intake.CaseAccepted: ("accepted_at", "service_level", "modalities", "body_regions"),
    intake.CaseRejected: ("reasons",),
    intake.CaseCancelled: ("by", "reason"),
    intake.ServiceLevelChanged: ("service_level", "by"),
    deid.CaseDeidentified: ("instances_cleaned", "instances_rejected", "supplement"),
    deid.QuarantineReleased: ("decision",),
    matching.CaseSplit: ("parts", "why"),
    matching.AssignmentAccepted: ("role", "due_at", "regions"),
    matching.ClockStarted: ("started_at", "due_at", "budgets"),
    matching.ClockPaused: ("reason", "party", "at"),
    matching.ClockResumed: ("at", "due_at"),
    matching.StageCompleted: ("stage", "adjudication", "took", "budget", "at"),
    matching.SlaAtRisk: ("stage", "adjudication", "due_at", "forecast_at"),
    matching.SlaBreached: ("stage", "adjudication", "party", "due_at"),
    matching.SlaMet: ("took", "due_at"),
    matching.EscalationRaised: ("rung", "role", "stage", "adjudication"),
    reporting.ReadingStarted: ("at",),
    reporting.OpinionLocked: ("at", "claims", "sha256"),
    reporting.AiOpinionRecorded: ("at", "claims", "software", "software_version"),
    reporting.FirstReportRevealed: ("at", "available"),
    reporting.AdjudicationRequested: ("why", "at"),
    reporting.ReportFinalized: ("verdict", "discrepancy", "signer", "signed_at", "blind"),
    reporting.ReportAddended: ("addendum", "parent_sha256", "signer", "signed_at"),
    notify.DeliveryPlanned: ("delivery", "audience", "channel", "report_sha256"),
    notify.Delivered: ("delivery", "audience", "channel", "at", "attempts"),
    notify.DeliveryFailed: ("delivery", "attempt", "cause", "retry_at"),
    notify.DeliveryAbandoned: ("delivery", "attempts", "cause"),
    notify.ResultAcknowledged: ("by", "at"),
}


def facts(event: Event) -> dict[str, JsonValue]:
    return event.model_dump(mode="json", include=set(SHOWN.get(type(event), ())))
