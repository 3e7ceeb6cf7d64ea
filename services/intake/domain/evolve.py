"""What do we know after an event?"""

from typing import TypeVar

from services.intake.domain.events import (
    CaseAmended,
    CaseDescribed,
    FirstReadStated,
    ReminderPlanned,
    StudyFellQuiet,
    StudyMisfiled,
    StudyStored,
)
from services.intake.domain.state import (
    Accepted,
    ArrivedStudy,
    AwaitingInformation,
    Cancelled,
    Collecting,
    File,
    Known,
    Misfiled,
    Rejected,
    State,
    Unknown,
)
from shared.contracts.base import Event, Frozen
from shared.contracts.intake import (
    CaseAccepted,
    CaseCancelled,
    CaseRejected,
    DocumentAttached,
    InformationOverdue,
    InformationRequested,
    RawDocument,
    ServiceLevelChanged,
)

Value = TypeVar("Value", bound=Frozen)


def evolve(state: State, event: Event) -> State:
    """Fold one event. Announcements that add nothing to what we know leave the state as it is."""
    if isinstance(state, Unknown):
        return _begun(event) if isinstance(event, CaseDescribed) else state
    moved = _moved(state, event)
    return moved if moved is not state else changed(state, file=filed(state.file, event))


def changed(value: Value, **fields: object) -> Value:
    """Copy a value with some fields new."""
    return value.model_copy(update=fields)


def _begun(described: CaseDescribed) -> State:
    file = File(request=described.request, submitted_at=described.submitted_at)
    return Collecting(file=file, collect_until=described.collect_until)


def _moved(state: Known, event: Event) -> Known:  # noqa: PLR0911 - a table
    """Go from one kind of state to another, or count on within it."""
    match event:
        case CaseAccepted():
            return Accepted(file=state.file, accepted_at=event.accepted_at)
        case CaseRejected():
            return Rejected(file=state.file, reasons=event.reasons)
        case CaseCancelled():
            return Cancelled(file=state.file)
        case InformationRequested():
            return AwaitingInformation(file=state.file)
        case InformationOverdue() if isinstance(state, AwaitingInformation):
            return changed(state, reminders=event.reminder)
        case ReminderPlanned() if isinstance(state, AwaitingInformation):
            return changed(state, remind_at=event.remind_at)
        case _:
            return state


def filed(file: File, event: Event) -> File:
    """Put into the file what the event adds to it."""
    match event:
        case StudyStored():
            return changed(file, studies=_with_stored(file.studies, event))
        case StudyFellQuiet():
            quiet = (changed(s, quiet=s.quiet or s.study == event.study) for s in file.studies)
            return changed(file, studies=tuple(quiet))
        case StudyMisfiled():
            stray = Misfiled(study=event.study, accession=event.accession, manifest=event.manifest)
            return changed(file, misfiled=(*file.misfiled, stray))
        case DocumentAttached():
            return changed(file, documents=_sorted((*file.documents, event.document)))
        case FirstReadStated() | CaseAmended() | ServiceLevelChanged():
            return changed(file, request=changed(file.request, **_mended(file, event)))
        case _:
            return file


def _mended(
    file: File, event: FirstReadStated | CaseAmended | ServiceLevelChanged
) -> dict[str, object]:
    if isinstance(event, FirstReadStated):
        return {"first_read": event.first_read}
    if isinstance(event, ServiceLevelChanged):
        return {"service_level": event.service_level}
    request = file.request
    return {
        "studies": (*request.studies, *event.studies),
        "reason_for_review": event.reason_for_review or request.reason_for_review,
        "procedure_at": event.procedure_at or request.procedure_at,
    }


def _with_stored(
    studies: tuple[ArrivedStudy, ...], stored: StudyStored
) -> tuple[ArrivedStudy, ...]:
    """Add a transmission to its study; the studies stay sorted."""
    fresh = ArrivedStudy(study=stored.study, quiet_at=stored.quiet_at)
    before = next((one for one in studies if one.study == stored.study), fresh)
    after = changed(
        before,
        accession=before.accession or stored.accession,
        modalities=_with(before.modalities, stored.modality),
        body_regions=_with(before.body_regions, stored.body_region),
        lateralities=_with(before.lateralities, stored.laterality),
        instances=before.instances + stored.instances,
        images=before.images or stored.images,
        manifests=tuple(
            sorted((*before.manifests, stored.manifest), key=lambda manifest: manifest.address)
        ),
        quiet_at=max(before.quiet_at, stored.quiet_at),
        quiet=False,
    )
    others = [one for one in studies if one.study != stored.study]
    return tuple(sorted((*others, after), key=lambda one: one.study))


def _with(known: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(sorted({*known, one}))


def _sorted(documents: tuple[RawDocument, ...]) -> tuple[RawDocument, ...]:
    return tuple(sorted(documents, key=lambda one: (one.kind, one.content.address)))
