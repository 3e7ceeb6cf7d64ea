"""deid answers: can this leave the building?

in:  CaseAccepted, CaseSupplemented, CaseCancelled; an operator's decisions
out: DeidentificationPlanned, CaseDeidentified, CaseQuarantined, QuarantineReleased,
     DeidentificationFailed
"""
