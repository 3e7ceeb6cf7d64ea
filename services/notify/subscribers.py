"""Whose events does notify listen to? Everybody's: all belong on the partner's timeline."""

from collections.abc import Mapping, Sequence

from shared.contracts import deid, intake, matching, reporting
from shared.contracts.base import Event

LISTENS: Mapping[str, Sequence[type[Event]]] = {
    "intake": (
        intake.CaseSubmitted,
        intake.StudyAttached,
        intake.DocumentAttached,
        intake.InformationRequested,
        intake.InformationProvided,
        intake.InformationOverdue,
        intake.CaseAccepted,
        intake.CaseSupplemented,
        intake.CaseRejected,
        intake.CaseCancelled,
        intake.ServiceLevelChanged,
    ),
    "deid": (
        deid.DeidentificationPlanned,
        deid.CaseDeidentified,
        deid.CaseQuarantined,
        deid.QuarantineReleased,
        deid.DeidentificationFailed,
    ),
    "matching": (
        matching.CaseOpened,
        matching.CaseSplit,
        matching.AssignmentOffered,
        matching.OfferDeclined,
        matching.OfferExpired,
        matching.OfferWithdrawn,
        matching.AssignmentAccepted,
        matching.AssignmentReleased,
        matching.AssignmentRevoked,
        matching.NoEligibleReader,
        matching.PoolBroadened,
        matching.AssignmentClosed,
        matching.ClockStarted,
        matching.ClockPaused,
        matching.ClockResumed,
        matching.StageCompleted,
        matching.SlaAtRisk,
        matching.SlaBreached,
        matching.SlaMet,
        matching.EscalationRaised,
    ),
    "reporting": (
        reporting.ReadingStarted,
        reporting.OpinionLocked,
        reporting.AiOpinionRecorded,
        reporting.FirstReportRevealed,
        reporting.ClaimsCompared,
        reporting.AdjudicationRequested,
        reporting.ReportFinalized,
        reporting.ReportAddended,
    ),
}
