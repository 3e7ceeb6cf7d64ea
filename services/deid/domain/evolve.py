"""What do we know after each event? One fold per kind of event."""

from collections.abc import Callable, Mapping
from typing import Any

from services.deid.domain.events import (
    ItemDecided,
    SourcesArrived,
    WorkCancelled,
    WorkPlanned,
    WorkRecorded,
)
from services.deid.domain.fold import with_decision, with_sources, with_work
from services.deid.domain.state import (
    Cancelled,
    Deidentified,
    Dossier,
    Failed,
    Known,
    Planned,
    Quarantined,
    Released,
    State,
    Unknown,
)
from shared.contracts.base import Event
from shared.contracts.deid import CaseDeidentified, CaseQuarantined, DeidentificationFailed


def evolve(state: State, event: Event) -> State:
    """Fold what was decided. An event that can't follow the state leaves it as it is."""
    fold = _FOLDS.get(type(event))
    return state if fold is None or isinstance(state, Cancelled) else fold(state, event)


def _on_sources(state: Unknown | Known, event: SourcesArrived) -> State:
    if isinstance(state, Unknown):
        dossier = Dossier(partner=event.partner)
        return Planned(dossier=with_sources(dossier, event))
    return _with(state, with_sources(state.dossier, event))


def _on_planned(state: Known, event: WorkPlanned) -> State:
    dossier = state.dossier.model_copy(update={"round": event.round})
    if isinstance(state, Quarantined) and not dossier.undecided():
        return Released(dossier=dossier)
    return Planned(dossier=dossier)


def _on_recorded(state: Known, event: WorkRecorded) -> State:
    return _with(state, with_work(state.dossier, event))


def _on_decided(state: Known, event: ItemDecided) -> State:
    return _with(state, with_decision(state.dossier, event))


def _on_quarantined(state: Known, _event: CaseQuarantined) -> State:
    return Quarantined(dossier=state.dossier)


def _on_deidentified(state: Known, _event: CaseDeidentified) -> State:
    published = state.dossier.published + 1
    return Deidentified(dossier=state.dossier.model_copy(update={"published": published}))


def _on_failed(state: Known, event: DeidentificationFailed) -> State:
    return Failed(dossier=state.dossier, reason=event.reason)


def _with(state: Known, dossier: Dossier) -> State:
    return state.model_copy(update={"dossier": dossier})


def _on_cancelled(_state: State, _event: WorkCancelled) -> State:
    return Cancelled()


_FOLDS: Mapping[type[Event], Callable[[Any, Any], State]] = {
    SourcesArrived: _on_sources,
    WorkPlanned: _on_planned,
    WorkRecorded: _on_recorded,
    ItemDecided: _on_decided,
    CaseQuarantined: _on_quarantined,
    CaseDeidentified: _on_deidentified,
    DeidentificationFailed: _on_failed,
    WorkCancelled: _on_cancelled,
}
