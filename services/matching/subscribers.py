"""Whose events does matching listen to?"""

from collections.abc import Mapping

from shared.contracts import deid, intake, notify, reporting
from shared.contracts.base import Event

LISTENS: Mapping[str, tuple[type[Event], ...]] = {
    "intake": (
        intake.CaseSubmitted,
        intake.CaseRejected,
        intake.CaseAccepted,
        intake.CaseSupplemented,
        intake.CaseCancelled,
        intake.InformationRequested,
        intake.InformationProvided,
        intake.ServiceLevelChanged,
    ),
    "deid": (
        deid.CaseDeidentified,
        deid.CaseQuarantined,
        deid.QuarantineReleased,
        deid.DeidentificationFailed,
    ),
    "reporting": (
        reporting.ReadingStarted,
        reporting.OpinionLocked,
        reporting.AiOpinionRecorded,
        reporting.AdjudicationRequested,
        reporting.ReportFinalized,
    ),
    "notify": (notify.DeliveryPlanned, notify.Delivered),
}
