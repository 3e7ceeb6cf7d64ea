"""An operator looked: what may go, what stays, and is anything left to look at?"""

from collections.abc import Sequence
from datetime import datetime

from services.deid.domain.events import ItemDecided
from services.deid.domain.finish import deidentified
from services.deid.domain.fold import with_decision
from services.deid.domain.inputs import DecideItems, PlanAgain
from services.deid.domain.on_sources import planned
from services.deid.domain.state import (
    Cancelled,
    Decision,
    Deidentified,
    Dossier,
    Failed,
    Known,
    Quarantined,
    State,
    Text,
    Unknown,
)
from shared.contracts.base import Event
from shared.contracts.deid import QuarantineReleased
from shared.decider import Refused

NOT_FOUND = Refused("not_found", "There is no such case in quarantine.")


def on_decision(state: State, asked: DecideItems, now: datetime) -> Sequence[Event | Refused]:
    """Record each decision; go on when none is missing. The same decision again changes nothing."""
    if isinstance(state, Unknown | Cancelled):
        return [NOT_FOUND]
    dossier = state.dossier
    refused = _refusal(state, asked)
    if refused is not None:
        return [refused]
    new = [item for item in dict.fromkeys(asked.items) if not _is_decided(dossier, asked, item)]
    decided = [_decided(asked, item, now) for item in new]
    for event in decided:
        dossier = with_decision(dossier, event)
    told = [_told(dossier, event) for event in decided]
    return [*decided, *told, *_onward(state, asked, dossier)] if decided else []


def on_plan_again(state: State, asked: PlanAgain, _now: datetime) -> Sequence[Event | Refused]:
    """A failed or held case is cleaned anew, with the decisions that stand."""
    if isinstance(state, Unknown | Cancelled):
        return [NOT_FOUND]
    if not isinstance(state, Failed | Quarantined):
        return [Refused("nothing_to_retry", "Only a failed or held case can be tried again.")]
    if isinstance(state, Failed) and state.reason == "every_instance_rejected":
        return [
            Refused("nothing_left", "Every instance was rejected; the partner must send others.")
        ]
    return planned(asked.case_id, state.dossier)


def _onward(state: State, asked: DecideItems, dossier: Dossier) -> Sequence[Event]:
    """Held instances are cleaned when the last is decided; a text is told of at once."""
    texts = {text.item for text in dossier.texts}
    if isinstance(state, Quarantined) and not dossier.undecided():
        return planned(asked.case_id, dossier) if not texts.issuperset(asked.items) else []
    if isinstance(state, Deidentified) and texts.intersection(asked.items):
        return [deidentified(asked.case_id, dossier)]
    return []


def _refusal(state: Known, asked: DecideItems) -> Refused | None:
    """What stands in the way, for all items at once: half a decision would surprise."""
    dossier = state.dossier
    held = {one.item: one for one in dossier.held}
    alone = len(asked.items) == 1 and asked.items[0] in held and asked.decision == "release"
    if asked.boxes and not alone:
        return Refused("boxes_unwanted", "Boxes go with the release of one image.", "/boxes")
    texts = {text.item: text for text in dossier.texts}
    for n, item in enumerate(asked.items):
        where = f"/items/{n}"
        if item in texts:
            refused = _text_refusal(texts[item], asked)
        elif item not in held:
            refused = Refused("no_such_item", "No item of this name is held here.", where)
        elif not isinstance(state, Quarantined) and item not in dossier.decided():
            refused = Refused("being_cleaned", "The case is being cleaned; look again shortly.")
        elif asked.decision == "release" and not held[item].releasable:
            refused = Refused("only_rejectable", "A look can't settle this item's findings.", where)
        else:
            refused = _second_thought(dossier, asked, item)
        if refused is not None:
            return refused
    return None


def _text_refusal(text: Text, asked: DecideItems) -> Refused | None:
    if len(asked.items) > 1 and asked.decision == "release":
        return Refused("one_text_at_a_time", "Release one document at a time.", "/items")
    if asked.decision == "release" and asked.content is None:
        return Refused("text_missing", "A released document needs its text.", "/text")
    if text.content is not None and asked.decision == "reject":
        return Refused("already_released", "Readers may have seen the text; it can't be withdrawn.")
    return None


def _second_thought(dossier: Dossier, asked: DecideItems, item: str) -> Refused | None:
    earlier = dossier.decided().get(item)
    if earlier is None or earlier.decision == asked.decision:
        return None
    return Refused("already_decided", "Somebody has decided otherwise about an item.")


def _is_decided(dossier: Dossier, asked: DecideItems, item: str) -> bool:
    text = next((text for text in dossier.texts if text.item == item), None)
    if text is None:
        return item in dossier.decided()
    same = text.decision is not None and text.decision.decision == asked.decision
    return same and text.content == asked.content


def _decided(asked: DecideItems, item: str, now: datetime) -> ItemDecided:
    decision = Decision(
        item=item,
        decision=asked.decision,
        by=asked.by,
        reason=asked.reason,
        at=now,
        boxes=asked.boxes,
    )
    return ItemDecided(case_id=asked.case_id, decision=decision, content=asked.content)


def _told(dossier: Dossier, event: ItemDecided) -> QuarantineReleased:
    return QuarantineReleased(
        case_id=event.case_id,
        partner=dossier.partner,
        item=event.decision.item,
        decision=event.decision.decision,
        by=event.decision.by,
        reason=event.decision.reason,
    )
