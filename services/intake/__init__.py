"""intake answers: is this case complete, and good enough to be read?

In: a partner's CloudEvents (submit, amend, attach, change, cancel) and images (STOW-RS); nobody's
events. Out: CaseSubmitted, StudyAttached, DocumentAttached, InformationRequested, -Provided and
-Overdue, CaseAccepted, CaseSupplemented, CaseRejected, CaseCancelled, ServiceLevelChanged.
Identity ends here: what goes on is sealed, digested, or an address in the vault.
"""
