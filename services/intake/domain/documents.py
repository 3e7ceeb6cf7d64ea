"""What does an arriving document, or the word that there is none, lead to?"""

from collections.abc import Sequence

from services.intake.domain.events import FirstReadStated
from services.intake.domain.inputs import DocumentReceived
from services.intake.domain.owner import refusal
from services.intake.domain.state import Accepted, Known
from shared.contracts.base import Event
from shared.contracts.intake import CaseSupplemented, DocumentAttached, FirstRead, RawDocument
from shared.decider import Refused


def receive_document(state: Known, received: DocumentReceived) -> Sequence[Event | Refused]:
    refused = refusal(state, received.partner)
    if refused:
        return [refused]
    if received.document is None:
        return _stated(state, received)
    if received.document in state.file.documents:
        return []
    return [
        *_first_read(state, received, received.document),
        *_attached(state, received, received.document),
    ]


def _attached(state: Known, received: DocumentReceived, document: RawDocument) -> Sequence[Event]:
    case_id, partner = received.case_id, state.file.request.partner
    attached = DocumentAttached(case_id=case_id, partner=partner, document=document)
    if not isinstance(state, Accepted):
        return [attached]
    return [attached, CaseSupplemented(case_id=case_id, partner=partner, documents=(document,))]


def _first_read(state: Known, received: DocumentReceived, document: RawDocument) -> Sequence[Event]:
    """Note that a first report is present now, and whose it is as far as anybody said."""
    if document.kind != "first_report":
        return []
    before, told = state.file.request.first_read, received.first_read
    now = FirstRead(
        status="present",
        reader=(told and told.reader) or before.reader,
        group=(told and told.group) or before.group,
    )
    return [FirstReadStated(case_id=received.case_id, first_read=now)] if now != before else []


def _stated(state: Known, received: DocumentReceived) -> Sequence[Event | Refused]:
    if received.first_read is None or received.first_read == state.file.request.first_read:
        return []
    if isinstance(state, Accepted):
        return [
            Refused("already_accepted", "The case was accepted with what was known of its report.")
        ]
    return [FirstReadStated(case_id=received.case_id, first_read=received.first_read)]
