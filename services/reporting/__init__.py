"""reporting answers: what does the second reader say, and is it different?

In:  CaseAccepted, CaseCancelled (intake) · CaseDeidentified (deid) · AssignmentAccepted, Released,
     Revoked, Closed, CaseSplit (matching) · what a reader asks over HTTP (api/)
Out: ReadingStarted · OpinionLocked · AiOpinionRecorded · FirstReportRevealed · ClaimsCompared ·
     AdjudicationRequested · ReportFinalized · ReportAddended
"""
