"""notify answers: who must know, how, and do they know?

in:  CaseSubmitted, CaseAccepted (the sealed identity) · ReportFinalized, ReportAddended ·
     every other event of the case, for the partner's timeline
out: DeliveryPlanned | Delivered | DeliveryFailed | DeliveryAbandoned | ResultAcknowledged
"""
