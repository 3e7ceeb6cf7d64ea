"""matching answers: who reads it, and by when?

in:  CaseSubmitted, CaseRejected, CaseAccepted, CaseSupplemented, CaseCancelled,
     ServiceLevelChanged, InformationRequested, InformationProvided (intake) · CaseDeidentified,
     CaseQuarantined, QuarantineReleased, DeidentificationFailed (deid) · ReadingStarted,
     AdjudicationRequested, ReportFinalized (reporting) · DeliveryPlanned, Delivered (notify)
out: CaseOpened, AssignmentOffered, OfferDeclined, OfferExpired, OfferWithdrawn,
     AssignmentAccepted, AssignmentReleased, AssignmentRevoked, AssignmentClosed,
     NoEligibleReader, PoolBroadened · ClockStarted, ClockPaused, ClockResumed, StageCompleted,
     SlaAtRisk, SlaBreached, SlaMet, EscalationRaised
"""
