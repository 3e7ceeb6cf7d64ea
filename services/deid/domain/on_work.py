"""A round of work is done: may the case go on, or does it wait for a person?"""

from collections.abc import Sequence
from datetime import datetime

from services.deid.domain.events import WorkRecorded
from services.deid.domain.finish import deidentified, quarantined
from services.deid.domain.fold import with_work
from services.deid.domain.inputs import CleaningFailed, StudiesCleaned
from services.deid.domain.state import Dossier, Planned, Released, State
from shared.contracts.base import CaseId, Event
from shared.contracts.deid import DeidentificationFailed


def on_cleaned(state: State, result: StudiesCleaned, _now: datetime) -> Sequence[Event]:
    """Doubt holds the case; an older round's result is superseded by the one under way."""
    dossier = _of_round(state, result.round)
    if dossier is None:
        return []
    recorded = WorkRecorded(
        case_id=result.case_id,
        round=result.round,
        pseudonym=result.pseudonym,
        clean=result.clean,
        held=result.held,
        texts=result.texts,
    )
    return [recorded, _settled(result.case_id, with_work(dossier, recorded))]


def on_failed(state: State, result: CleaningFailed, _now: datetime) -> Sequence[Event]:
    dossier = _of_round(state, result.round)
    if dossier is None:
        return []
    return [_failed(result.case_id, dossier, result.reason)]


def _settled(case_id: CaseId, dossier: Dossier) -> Event:
    if dossier.undecided():
        return quarantined(case_id, dossier)
    left = sum(study.instance_count for study in dossier.clean)
    if not left and any(study.instance_count for study in dossier.studies):
        return _failed(case_id, dossier, "every_instance_rejected")
    return deidentified(case_id, dossier)


def _failed(case_id: CaseId, dossier: Dossier, reason: str) -> DeidentificationFailed:
    return DeidentificationFailed(case_id=case_id, partner=dossier.partner, reason=reason)


def _of_round(state: State, number: int) -> Dossier | None:
    if isinstance(state, Planned | Released) and state.dossier.round == number:
        return state.dossier
    return None
