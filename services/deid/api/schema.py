"""What does an operator see and send? The shapes of deid's edge."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.deid.domain.boxes import Kind
from services.deid.domain.certificate import Certificate
from services.deid.domain.state import Decision, HeldInstance, Place, Reason, Text, Verdict
from services.deid.domain.text.kinds import Scrubbed
from services.deid.store import WaitingCase
from shared.contracts.base import CaseId, OpaqueId

MOST_BOXES = 1000  # on all frames of one image
LONGEST_TEXT = 200_000  # characters: a report of a hundred pages
Name = OpaqueId


class CaseLine(BaseModel):
    """A case in the list; `waiting` counts undecided items."""

    case_id: CaseId
    partner: str
    state: str
    waiting: int

    @classmethod
    def of(cls, case: WaitingCase) -> "CaseLine":
        return cls(
            case_id=case.case_id, partner=case.partner, state=case.kind, waiting=case.waiting
        )


class CaseList(BaseModel):
    """`next` is the cursor of the next page, null on the last."""

    cases: list[CaseLine]
    next: str | None


class FindingLine(BaseModel):
    """Why an item is held."""

    code: str
    detail: str


class DecisionLine(BaseModel):
    """Who decided, what, why and when."""

    decision: Verdict
    by: str
    reason: str
    at: AwareDatetime

    @classmethod
    def of(cls, decision: Decision | None) -> "DecisionLine | None":
        if decision is None:
            return None
        return cls(**decision.model_dump(exclude={"item", "boxes"}))


class ItemLine(BaseModel):
    """A held instance or a document. A text that was clean by itself waits for nobody."""

    item: str
    subject: Literal["instance", "document"]
    kind: str
    study: str | None
    findings: list[FindingLine]
    releasable: bool
    waiting: bool = True
    decision: DecisionLine | None
    links: dict[str, str]


class CaseItems(BaseModel):
    """Everything of a case that a person decides about."""

    case_id: CaseId
    partner: str
    state: str
    reason: str | None = None
    items: list[ItemLine]


class BoxLine(BaseModel):
    """A box in pixels from the upper left corner, the ends not included.

    `frame` counts from 1; without it the box lies on all frames.
    """

    model_config = ConfigDict(extra="forbid")

    left: int = Field(ge=0)
    top: int = Field(ge=0)
    right: int = Field(ge=1)
    bottom: int = Field(ge=1)
    frame: int | None = Field(default=None, ge=1)


class SeenBox(BoxLine):
    """What was found: `blanked` is, or will be; `doubtful` is for a person to judge."""

    kind: Kind

    @classmethod
    def of(cls, place: Place) -> "SeenBox":
        frame = None if place.frame is None else place.frame + 1
        return cls(**place.model_dump(exclude={"frame"}), frame=frame)


class InstanceLook(BaseModel):
    """What there is to look at; `pictures` are links to PNGs, one a frame."""

    item: str
    modality: str
    frames: int
    rows: int
    columns: int
    pictures: list[str]
    boxes: list[SeenBox] = []


class MarkLine(BaseModel):
    """Characters `start` to `end` of the text: what was found there, and what replaces it.

    `replacement` is null where the scrubber only doubts.
    """

    start: int
    end: int
    what: str = ""
    replacement: str | None = None


class TextLook(BaseModel):
    """A document as it came, with marks, and as the scrubber proposes to release it.

    `proposed` is null when the scrubber could not read it.
    """

    item: str
    kind: str
    text: str
    marks: list[MarkLine]
    proposed: str | None = None


class Decide(BaseModel):
    """A decision about items.

    `text` is the document as it may be read, edited where needed; without it a document is
    released as the scrubber proposes. `confirmed` releases an edited text in spite of marks.
    """

    model_config = ConfigDict(extra="forbid")

    items: list[Name] = Field(min_length=1, max_length=10_000)
    decision: Verdict
    reason: Reason
    text: str | None = Field(default=None, min_length=1, max_length=LONGEST_TEXT)
    confirmed: bool = False
    boxes: list[BoxLine] = Field(default=[], max_length=MOST_BOXES)


class Decided(BaseModel):
    """How the case stands now."""

    case_id: CaseId
    state: str
    waiting: int


class Certificates(BaseModel):
    """The proofs of a case's clean studies."""

    certificates: list[Certificate]


def instance_line(held: HeldInstance, decision: Decision | None, look: str) -> ItemLine:
    return ItemLine(
        item=held.item,
        subject="instance",
        kind="image",
        study=held.study,
        findings=[FindingLine(code=one.code, detail=one.detail) for one in held.findings],
        releasable=held.releasable,
        waiting=decision is None,
        decision=DecisionLine.of(decision),
        links={"look": look},
    )


def text_line(text: Text, look: str) -> ItemLine:
    return ItemLine(
        item=text.item,
        subject="document",
        kind=text.kind,
        study=None,
        findings=[FindingLine(code=code, detail=detail) for code, detail in _findings(text)],
        releasable=True,
        waiting=text.waiting,
        decision=DecisionLine.of(text.decision),
        links={"look": look},
    )


def text_look(text: Text, content: str, found: Scrubbed | None) -> TextLook:
    replaced = [
        MarkLine(start=one.start, end=one.end, what=one.kind, replacement=one.text)
        for one in (found.replacements if found else ())
    ]
    doubted = [
        MarkLine(start=one.start, end=one.end, what=one.code)
        for one in (found.doubts if found else ())
    ]
    marks = sorted((*replaced, *doubted), key=lambda one: (one.start, one.end))
    proposed = found.text if found and (found.text or not content) else None
    return TextLook(item=text.item, kind=text.kind, text=content, marks=marks, proposed=proposed)


def _findings(text: Text) -> list[tuple[str, str]]:
    """Why nobody may read it yet; nothing when it was clean by itself."""
    if text.scrubbed is None:
        return [("text_withheld", "a text may name the patient anywhere")]
    return [(one.code, f"places: {one.places}") for one in text.scrubbed.findings]
