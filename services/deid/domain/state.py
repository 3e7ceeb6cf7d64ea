"""What does deid know about one case?

Unknown -> Planned -> Deidentified            every instance passed
              |-> Quarantined -> Released -> Deidentified    a person looked at what was in doubt
              |-> Failed -> Planned           nothing is left to read; an operator may try again
any of these -> Cancelled
"""

from typing import Annotated, Literal
from uuid import uuid5

from pydantic import AwareDatetime, Field

from services.deid.domain.boxes import Box, Placed
from services.deid.domain.boxes import Kind as PlaceKind
from services.deid.domain.pixels import RELEASABLE, Code
from services.deid.domain.text.kinds import DoubtCode, Kind
from shared.contracts.base import CaseId, Frozen, ObjectRef, OpaqueId, PartnerId
from shared.contracts.deid import CleanStudy
from shared.contracts.intake import DocumentKind, RawDocument, RawStudy

Verdict = Literal["release", "reject"]
Reason = Literal[
    "no_identifiers_seen", "identifiers_removed", "identifiers_seen", "not_needed", "unreadable"
]


class Place(Frozen):
    """A box of a frame (from 0; None: of all), in pixels, the ends not included."""

    kind: PlaceKind
    left: int
    top: int
    right: int
    bottom: int
    frame: int | None = None

    @classmethod
    def of(cls, kind: PlaceKind, placed: Placed) -> "Place":
        box = placed.box
        return cls(
            kind=kind,
            left=box.left,
            top=box.top,
            right=box.right,
            bottom=box.bottom,
            frame=placed.frame,
        )

    @property
    def placed(self) -> Placed:
        return Placed(Box(self.left, self.top, self.right, self.bottom), self.frame)


class Decision(Frozen):
    """What an operator decided about an item, and why; `boxes` are blanked besides."""

    item: OpaqueId
    decision: Verdict
    by: OpaqueId
    reason: Reason
    at: AwareDatetime
    boxes: tuple[Place, ...] = ()


class HeldFinding(Frozen):
    """One doubt about an instance; `detail` names rules and tags, never values."""

    code: Code
    detail: str


class HeldInstance(Frozen):
    """An instance in doubt, as it lies in the vault, and what was seen in its pixels."""

    item: OpaqueId
    study: OpaqueId
    raw: ObjectRef
    findings: tuple[HeldFinding, ...]
    places: tuple[Place, ...] = ()

    @property
    def releasable(self) -> bool:
        """Whether a look can settle it: what can't be seen can only be rejected."""
        return all(finding.code in RELEASABLE for finding in self.findings)


class TextFinding(Frozen):
    """One doubt about a text; `places` says how often, never what."""

    code: DoubtCode | Literal["document_missing", "scrubber_stopped"]
    places: int = 1


class ScrubbedText(Frozen):
    """What became of a document: clean `content` where nothing was in doubt, else findings."""

    item: OpaqueId
    content: ObjectRef | None = None
    findings: tuple[TextFinding, ...] = ()
    replaced: dict[Kind, int] = Field(default_factory=dict)


class Text(Frozen):
    """A document of the case: withheld until it is scrubbed without a doubt or decided.

    `content` is its clean text once released.
    """

    item: OpaqueId
    kind: DocumentKind
    raw: ObjectRef
    decision: Decision | None = None
    content: ObjectRef | None = None
    scrubbed: ScrubbedText | None = None

    @property
    def waiting(self) -> bool:
        """Whether a person has to look: not decided, and not clean by itself."""
        return self.decision is None and self.content is None


class Dossier(Frozen):
    """What is known of a case in every state.

    `round` counts plans of work, so that the result of an older one is recognised. `published`
    counts CaseDeidentified.
    """

    partner: PartnerId
    studies: tuple[RawStudy, ...] = ()
    texts: tuple[Text, ...] = ()
    pending: tuple[OpaqueId, ...] = ()
    clean: tuple[CleanStudy, ...] = ()
    held: tuple[HeldInstance, ...] = ()
    decisions: tuple[Decision, ...] = ()
    pseudonym: OpaqueId | None = None
    round: int = 0
    published: int = 0

    def decided(self) -> dict[str, Decision]:
        """Decisions about instances, by item."""
        return {decision.item: decision for decision in self.decisions}

    def undecided(self) -> tuple[HeldInstance, ...]:
        decided = self.decided()
        return tuple(one for one in self.held if one.item not in decided)


class Unknown(Frozen):
    """Nothing has come yet."""

    kind: Literal["unknown"] = "unknown"


class _Known(Frozen):
    dossier: Dossier


class Planned(_Known):
    """Work is asked for; its result will come."""

    kind: Literal["planned"] = "planned"


class Quarantined(_Known):
    """A person has to look at instances."""

    kind: Literal["quarantined"] = "quarantined"


class Released(_Known):
    """A person has looked at all of them; what was released is being cleaned."""

    kind: Literal["released"] = "released"


class Deidentified(_Known):
    """What may be read is clean and certified."""

    kind: Literal["deidentified"] = "deidentified"


class Failed(_Known):
    """The case can't be made safe as it is."""

    kind: Literal["failed"] = "failed"
    reason: OpaqueId


class Cancelled(Frozen):
    """The partner withdrew the case; nothing more is done."""

    kind: Literal["cancelled"] = "cancelled"


Known = Planned | Quarantined | Released | Deidentified | Failed
State = Annotated[Unknown | Known | Cancelled, Field(discriminator="kind")]


def item_of(case_id: CaseId, raw: ObjectRef) -> OpaqueId:
    """An opaque name for something held, the same each time it is met."""
    return uuid5(case_id, raw.address).hex


def text_of(case_id: CaseId, document: RawDocument) -> Text:
    return Text(item=item_of(case_id, document.content), kind=document.kind, raw=document.content)
