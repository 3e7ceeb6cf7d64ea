"""Studies and documents came: what has to be cleaned now?"""

from collections.abc import Sequence
from datetime import datetime

from services.deid.domain.events import SourcesArrived, WorkPlanned
from services.deid.domain.fold import with_sources
from services.deid.domain.state import (
    Cancelled,
    Deidentified,
    Dossier,
    Planned,
    Released,
    State,
    Unknown,
)
from shared.contracts.base import CaseId, Event
from shared.contracts.deid import DeidentificationPlanned
from shared.contracts.intake import CaseAccepted, CaseSupplemented, RawDocument


def on_sources(
    state: State, event: CaseAccepted | CaseSupplemented, _now: datetime
) -> Sequence[Event]:
    """Take what is new; a study that is repeated unchanged asks for nothing."""
    if isinstance(state, Cancelled):
        return []
    before = Dossier(partner=event.partner) if isinstance(state, Unknown) else state.dossier
    arrived = SourcesArrived(
        case_id=event.case_id,
        partner=event.partner,
        studies=tuple(study for study in event.studies if study not in before.studies),
        documents=tuple(_new_documents(before, event)),
    )
    first = isinstance(state, Unknown)
    if not (first or arrived.studies or arrived.documents):
        return []
    after = with_sources(before, arrived)
    if first or arrived.studies or isinstance(state, Planned | Released | Deidentified):
        return [arrived, *planned(event.case_id, after)]
    return [arrived]  # a document goes along with the next round


def planned(case_id: CaseId, dossier: Dossier) -> Sequence[Event]:
    """Ask for a round of work over the studies that are not clean and the texts that are withheld.

    A late image may know what an earlier look at a text lacked.
    """
    studies = tuple(study for study in dossier.studies if study.study in dossier.pending)
    plan = WorkPlanned(
        case_id=case_id,
        partner=dossier.partner,
        round=dossier.round + 1,
        studies=studies,
        patient=dossier.studies[0] if dossier.studies else None,
        pseudonym=dossier.pseudonym,
        decisions=dossier.decisions,
        texts=tuple(text for text in dossier.texts if text.waiting),
        sources=dossier.studies,
    )
    told = DeidentificationPlanned(
        case_id=case_id,
        partner=dossier.partner,
        studies=tuple(study.study for study in studies),
    )
    return [told, plan]


def glance(case_id: CaseId, dossier: Dossier) -> WorkPlanned:
    """A plan that cleans nothing: whose case this is, for somebody who reads its texts."""
    return WorkPlanned(
        case_id=case_id,
        partner=dossier.partner,
        round=dossier.round,
        studies=(),
        patient=dossier.studies[0] if dossier.studies else None,
        pseudonym=dossier.pseudonym,
        decisions=(),
        sources=dossier.studies,
    )


def _new_documents(
    before: Dossier, event: CaseAccepted | CaseSupplemented
) -> Sequence[RawDocument]:
    known = {text.raw.address for text in before.texts}
    return [one for one in event.documents if one.content.address not in known]
