"""How does a case's dossier change by what was decided?"""

from services.deid.domain.events import ItemDecided, SourcesArrived, WorkRecorded
from services.deid.domain.state import Decision, Dossier, ScrubbedText, Text, text_of
from shared.contracts.base import ObjectRef


def with_sources(dossier: Dossier, event: SourcesArrived) -> Dossier:
    """A study named again takes its old place, so that the first stays the first."""
    arrived = {study.study: study for study in event.studies}
    known = {study.study for study in dossier.studies}
    studies = (
        *(arrived.get(study.study, study) for study in dossier.studies),
        *(study for study in arrived.values() if study.study not in known),
    )
    texts = (text_of(event.case_id, document) for document in event.documents)
    changed = dossier.model_copy(
        update={
            "studies": studies,
            "texts": (*dossier.texts, *texts),
            "clean": tuple(one for one in dossier.clean if one.study not in arrived),
        }
    )
    return _with_pending(changed, (*arrived, *(one.study for one in dossier.held)))


def with_work(dossier: Dossier, event: WorkRecorded) -> Dossier:
    """Clean studies in the order they came in; what is held waits for a person.

    An item that is held again in spite of its release was not what the operator saw: the decision
    is void, and a person looks again.
    """
    again = {one.item for one in event.held}
    fresh = {study.study: study for study in (*dossier.clean, *event.clean)}
    order = [study.study for study in dossier.studies if study.study in fresh]
    return dossier.model_copy(
        update={
            "clean": tuple(fresh[study] for study in order),
            "held": event.held,
            "decisions": tuple(one for one in dossier.decisions if one.item not in again),
            "pending": tuple(dict.fromkeys(one.study for one in event.held)),
            "texts": tuple(_scrubbed(text, event.texts) for text in dossier.texts),
            "pseudonym": event.pseudonym,
        }
    )


def with_decision(dossier: Dossier, event: ItemDecided) -> Dossier:
    """A later decision about a text replaces the earlier one; instances are decided once."""
    decision = event.decision
    if any(text.item == decision.item for text in dossier.texts):
        texts = (_decided(text, decision, event.content) for text in dossier.texts)
        return dossier.model_copy(update={"texts": tuple(texts)})
    return dossier.model_copy(update={"decisions": (*dossier.decisions, decision)})


def _scrubbed(text: Text, results: tuple[ScrubbedText, ...]) -> Text:
    """A person who decided meanwhile has the last word."""
    result = next((one for one in results if one.item == text.item), None)
    if result is None or text.decision is not None:
        return text
    return text.model_copy(update={"scrubbed": result, "content": result.content})


def _decided(text: Text, decision: Decision, content: ObjectRef | None) -> Text:
    if text.item != decision.item:
        return text
    return text.model_copy(update={"decision": decision, "content": content})


def _with_pending(dossier: Dossier, more: tuple[str, ...]) -> Dossier:
    pending = tuple(dict.fromkeys((*dossier.pending, *more)))
    return dossier.model_copy(update={"pending": pending})
