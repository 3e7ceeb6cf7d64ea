"""What do we know after each event? One fold per kind of event."""

from collections.abc import Callable, Mapping
from typing import Any

from services.reporting.domain.beside import changed
from services.reporting.domain.events import (
    AddendumAsked,
    CaseIntroduced,
    ComparisonSaved,
    DraftSaved,
    ImagesReleased,
    PartsLearnt,
    ReaderAssigned,
    ReaderUnassigned,
    ReadingWithdrawn,
    SoftwareAssigned,
    SoftwareOpinionKept,
    SoftwareUnassigned,
)
from services.reporting.domain.facts import Assignment
from services.reporting.domain.regional import (
    all_set_aside,
    assignments,
    is_whole,
    parted,
    settled,
    without,
)
from services.reporting.domain.state import (
    AddendumRecord,
    AddendumWish,
    Amended,
    Assigned,
    Comparing,
    Final,
    Held,
    Locked,
    Material,
    Reading,
    Regional,
    SealedOpinion,
    SetAside,
    Signature,
    Signed,
    Software,
    Split,
    State,
    Unknown,
    Withdrawn,
    desks_of,
)
from shared.contracts.base import Event
from shared.contracts.reporting import (
    AdjudicationRequested,
    FirstReportRevealed,
    OpinionLocked,
    ReadingStarted,
    ReportAddended,
    ReportFinalized,
)

ASKED = "adjudication"


def evolve(state: State, event: Event) -> State:
    """Fold what was decided. An event that can't follow the state leaves it as it is."""
    if isinstance(state, Split) and isinstance(event, _AT_A_DESK):
        return _at_desk(state, event)
    fold = _FOLDS.get(type(event))
    return state if fold is None else fold(state, event)


def _at_desk(state: Split, event: ReadingStarted | DraftSaved | OpinionLocked) -> State:
    """Fold what a reader of a part did into their part."""
    desks: list[Assigned | Reading] = []
    for desk in state.desks:
        if desk.assignment.reader != event.reader:
            desks.append(desk)
            continue
        whole = desk.model_copy(update={"material": state.material})
        after = _FOLDS[type(event)](whole, event)
        if isinstance(after, Locked):
            return _part_locked(state, after)
        if isinstance(after, Assigned | Reading):
            desks.append(after.model_copy(update={"material": desk.material}))
    return state.model_copy(update={"desks": tuple(desks)})


def _part_locked(state: Split, after: Locked) -> State:
    part = Regional(
        assignment=after.assignment,
        started_at=after.started_at,
        revision=after.revision,
        sealed=after.sealed,
    )
    material = state.material
    material = material.model_copy(update={"regional": (*material.regional, part)})
    name = after.assignment.assignment
    desks = tuple(one for one in state.desks if one.assignment.assignment != name)
    return settled(Split(material=material, desks=desks), part)


def _on_parts(state: State, event: PartsLearnt) -> State:
    known = _with_material(state, parts=event.parts)
    reads = isinstance(known, Locked | Comparing) and bool(known.material.regional)
    return parted(known) if reads and not is_whole(known.material) else known


def _with_material(state: State, **changes: Any) -> State:
    material = state.material.model_copy(update=changes)
    return state.model_copy(update={"material": material})


def _on_introduced(state: State, event: CaseIntroduced) -> State:
    return _with_material(state, facts=event.facts)


def _on_images(state: State, event: ImagesReleased) -> State:
    return _with_material(state, images=event.images)


def _on_software(state: State, event: SoftwareAssigned) -> State:
    software = (*state.material.software, Software(assignment=event.assignment))
    return _with_material(state, software=software)


def _on_software_ended(state: State, event: SoftwareUnassigned) -> State:
    software = changed(state.material, event.assignment, ended=event.reason)
    return _with_material(state, software=software)


def _on_software_opinion(state: State, event: SoftwareOpinionKept) -> State:
    software = changed(state.material, event.assignment, given=event.given)
    return _with_material(state, software=software)


def _on_assigned(state: State, event: ReaderAssigned) -> State:
    if event.assignment.regions:
        return _part_assigned(state, event.assignment)
    material = _set_aside(state, "superseded")
    return Assigned(material=material, assignment=event.assignment)


def _part_assigned(state: State, assignment: Assignment) -> State:
    """Give a part a reader, in the place of whoever had it, or of who had all of the case."""
    parts = state.material.parts
    if isinstance(state, Held) and not state.material.regional:
        state = Split(material=_set_aside(state, "superseded"))
    state = _with_material(state, parts=parts)
    for name in _of_regions(state, assignment.regions):
        state = without(state, name, "superseded")
    state = parted(state)
    desk = Assigned(material=Material(), assignment=assignment)
    return state.model_copy(update={"desks": (*state.desks, desk)})


def _of_regions(state: State, regions: tuple[str, ...]) -> list[str]:
    each = [one.assignment for one in (*desks_of(state), *state.material.regional)]
    return [one.assignment for one in each if one.regions == regions]


def _on_unassigned(state: State, event: ReaderUnassigned) -> State:
    if event.assignment in assignments(state):
        return without(state, event.assignment, event.reason)
    return Unknown(material=_set_aside(state, event.reason))


def _on_adjudicated(state: State, _event: AdjudicationRequested) -> State:
    return Unknown(material=_set_aside(state, ASKED))


def _on_withdrawn(state: State, event: ReadingWithdrawn) -> State:
    return Withdrawn(material=_set_aside(state, event.reason), reason=event.reason)


def _set_aside(state: State, reason: str) -> Material:
    if isinstance(state, Split) or state.material.regional:
        return all_set_aside(state, reason)
    if isinstance(state, Unknown | Withdrawn):
        return state.material
    kept = SetAside(
        assignment=state.assignment,
        reason=reason,
        draft=state.draft if isinstance(state, Reading) else None,
        sealed=None if isinstance(state, Assigned | Reading) else state.sealed,
        revealed=isinstance(state, Comparing) and state.available,
    )
    material = state.material
    return material.model_copy(update={"set_aside": (*material.set_aside, kept)})


def _on_started(state: State, event: ReadingStarted) -> State:
    if not isinstance(state, Assigned):
        return state
    return Reading(material=state.material, assignment=state.assignment, started_at=event.at)


def _on_draft(state: State, event: DraftSaved) -> State:
    return state.model_copy(update={"draft": event.opinion, "revision": event.revision})


def _on_locked(state: State, event: OpinionLocked) -> State:
    if not isinstance(state, Reading):
        return state
    images = state.material.images
    sealed = SealedOpinion(
        opinion=state.draft,
        sha256=event.sha256,
        locked_at=event.at,
        studies=images.studies if images else (),
    )
    return Locked(**_common(state), revision=state.revision, sealed=sealed)


def _on_revealed(state: State, event: FirstReportRevealed) -> State:
    if not isinstance(state, Locked | Comparing):
        return state
    return Comparing(
        **_common(state),
        revision=state.revision,
        sealed=state.sealed,
        revealed_at=event.at,
        available=event.available,
    )


def _on_compared(state: State, event: ComparisonSaved) -> State:
    return state.model_copy(update={"comparison": event.comparison, "revision": event.revision})


def _on_finalized(state: State, event: ReportFinalized) -> State:
    if not isinstance(state, Comparing):
        return state
    signature = Signature(
        report=event.report,
        verdict=event.verdict,
        discrepancy=event.discrepancy,
        signed_at=event.signed_at,
        blind=event.blind,
    )
    return Final(**_common(state), **_compared(state), signature=signature)


def _on_asked(state: State, event: AddendumAsked) -> State:
    wish = AddendumWish(request=event.request, text=event.text, claims=event.claims)
    return state.model_copy(update={"wish": wish})


def _on_addended(state: State, event: ReportAddended) -> State:
    if not isinstance(state, Signed) or state.wish is None:
        return state
    addendum = AddendumRecord(
        number=event.addendum,
        document=event.report,
        signed_at=event.signed_at,
        wish=state.wish,
    )
    return Amended(
        **_common(state),
        **_compared(state),
        signature=state.signature,
        addenda=(*state.addenda, addendum),
    )


def _common(state: Reading | Locked | Comparing | Signed) -> dict[str, Any]:
    return {
        "material": state.material,
        "assignment": state.assignment,
        "started_at": state.started_at,
    }


def _compared(state: Comparing | Signed) -> dict[str, Any]:
    return {
        "revision": state.revision,
        "sealed": state.sealed,
        "revealed_at": state.revealed_at,
        "available": state.available,
        "comparison": state.comparison,
    }


_AT_A_DESK = (ReadingStarted, DraftSaved, OpinionLocked)
_FOLDS: Mapping[type[Event], Callable[[State, Any], State]] = {
    CaseIntroduced: _on_introduced,
    PartsLearnt: _on_parts,
    SoftwareAssigned: _on_software,
    SoftwareUnassigned: _on_software_ended,
    SoftwareOpinionKept: _on_software_opinion,
    ImagesReleased: _on_images,
    ReaderAssigned: _on_assigned,
    ReaderUnassigned: _on_unassigned,
    ReadingWithdrawn: _on_withdrawn,
    AdjudicationRequested: _on_adjudicated,
    ReadingStarted: _on_started,
    DraftSaved: _on_draft,
    OpinionLocked: _on_locked,
    FirstReportRevealed: _on_revealed,
    ComparisonSaved: _on_compared,
    ReportFinalized: _on_finalized,
    AddendumAsked: _on_asked,
    ReportAddended: _on_addended,
}
