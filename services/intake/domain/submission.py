"""What does a submission lead to?"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.intake.domain.consistency import contradiction
from services.intake.domain.events import CaseDescribed
from services.intake.domain.inputs import SubmitCase
from services.intake.domain.state import State, Unknown
from shared.contracts.base import Event
from shared.contracts.intake import CaseSubmitted, DocumentAttached
from shared.decider import Refused


def submit(
    state: State, submitted: SubmitCase, now: datetime, collect: timedelta
) -> Sequence[Event | Refused]:
    """Open the case and file what the submission itself brought; a second one changes nothing."""
    if not isinstance(state, Unknown):
        return []
    request, case_id = submitted.request, submitted.case_id
    refused = contradiction(request)
    if refused:
        return [refused]
    return [
        CaseDescribed(
            case_id=case_id,
            request=request,
            submitted_at=now,
            collect_until=now + collect,
        ),
        CaseSubmitted(
            case_id=case_id,
            partner=request.partner,
            service_level=request.service_level,
            reason_for_review=request.reason_for_review,
            submitted_at=now,
            expected_studies=len(request.studies),
            sealed_identity=request.sealed_identity,
        ),
        *(
            DocumentAttached(case_id=case_id, partner=request.partner, document=document)
            for document in submitted.documents
        ),
    ]
