"""What does a file look like without the patient? Its header rewritten, its pixels copied.

The walk of the raw bytes and the rulebook decide each element; what no rule keeps is not copied.
The file meta information is written anew, the preamble is zero, lengths are our own, and bytes
behind the data set do not come along. The same file, key and policy give the same bytes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from services.deid.domain import values
from services.deid.domain.identifiers import Identifiers
from services.deid.domain.stated import NO_IMAGE, Stated
from services.deid.gateways import encode
from services.deid.gateways.blanks import Blanks
from services.deid.gateways.colour import PHOTOMETRIC, photometric_after
from services.deid.gateways.descriptors import Descriptors
from services.deid.gateways.disguises import disguised
from services.deid.gateways.memory import Answers
from services.deid.gateways.mould import Mould, Outcome
from services.deid.gateways.pixels import NOTHING, pixel_pieces
from services.deid.gateways.rewrite import Order, Rewriting
from services.deid.gateways.said import METHODS
from services.deid.gateways.search import in_all_encodings
from services.deid.gateways.streams.frames import WITH_PIXELS
from services.deid.gateways.survey import known
from shared.runtime.dicom import Element, Encoding, Part10, UnreadableError
from shared.runtime.dicom.file import DEFLATED, EXPLICIT_VR_LITTLE
from shared.runtime.dicom.header import CHARSET, REQUIRED, SOP_CLASS, SOP_INSTANCE
from shared.runtime.dicom.heads import show
from shared.runtime.dicom.tree import PIXEL_DATA

IMPLEMENTATION_CLASS = "2.25.181632478519346272390126534125837045291"
IMPLEMENTATION_VERSION = "OVERREAD_1"
_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020
_PLAIN = Encoding()


_PIXELS = Outcome()  # they are written apart from the header


@dataclass
class Cleaner:
    """One file on its way. `actions` counts what was done; `own` holds the values we wrote.

    `stated`: what may be said of its pixels; `before` and `after` are written around them.
    `blanks` None: the pixels don't leave.
    """

    file: Part10
    order: Order
    blanks: Blanks | None = NOTHING
    stated: Stated = NO_IMAGE
    actions: Counter[str] = field(default_factory=Counter)
    own: set[bytes] = field(default_factory=set)
    before: bytes = field(init=False)
    after: bytes = field(init=False)
    _known: Identifiers = field(init=False)
    _patient: Identifiers = field(init=False)
    _descriptors: Descriptors = field(init=False)

    def __post_init__(self) -> None:
        """Raises UnreadableError for a file that lacks one of the UIDs that name an instance."""
        for tag in REQUIRED:
            if not self.file.raw(tag) or not values.is_valid("UI", self.file.raw(tag)):
                raise UnreadableError("missing_attribute", f"{show(tag)} is missing or no UID")
        self.own.add(self.order.subject.pseudonym.encode())
        before, self.after = self._top_level()
        self.before = b"\0" * 128 + b"DICM" + self._meta() + before

    def pixels(self) -> Iterator[bytes | memoryview]:
        """What lies between: pieces of at most a megabyte, but for a frame's fragment."""
        pixels = self.file.data_set.get(PIXEL_DATA)
        if pixels is not None and self.blanks is not None:
            yield from pixel_pieces(self.file, pixels, self.blanks)

    def forbidden(self) -> Identifiers:
        """What must not be found afterwards: all that the header knew, but for what we wrote."""
        left = self._known.without(self.own)
        foreign = frozenset([one for one in left.long if not one.isascii()])
        spelt = in_all_encodings(foreign, self.file.string(CHARSET)) if foreign else foreign
        return replace(left, long=left.long | spelt)

    def disguised(self) -> frozenset[bytes]:
        """The patient's names and numbers as they look in base64 and the like."""
        return disguised(self._patient.long, self.file.string(CHARSET))

    @property
    def transfer_syntax(self) -> str:
        """A deflated file leaves inflated: viewers and checks then see what is in it."""
        syntax = self.file.transfer_syntax
        return EXPLICIT_VR_LITTLE if syntax == DEFLATED else syntax

    def new_uid(self, tag: int) -> str:
        return self.order.identity.uid(self.file.string(tag))

    def _meta(self) -> bytes:
        """PS3.10 table 7.1-1, type 1 only: no source, no private meta, our implementation."""
        question = (self.new_uid(SOP_CLASS), self.transfer_syntax)
        remembered = self.order.memory.shelf("meta", tuple[bytes, bytes])
        if question not in remembered:
            remembered[question] = _around_instance(*question)
        before, behind = remembered[question]
        instance = values.padded("UI", self.new_uid(SOP_INSTANCE))
        elements = before + encode.element(_PLAIN, 0x00020003, "UI", instance) + behind
        length = len(elements).to_bytes(4, "little")
        return encode.element(_PLAIN, 0x00020000, "UL", length) + elements

    def _top_level(self) -> tuple[bytes, bytes]:
        """Elements before and behind the pixels, ours among them, in the order of their tags."""
        outcomes = self._outcomes()
        colours = photometric_after(self.file) if self.blanks else None
        own = outcomes.of_own()
        name = (colours, self.stated, *[one.content is None for one in own])
        mould = outcomes.sum(name, lambda: self._mould(outcomes, colours))
        self.actions.update(mould.actions)
        self.own |= mould.own
        for one in own:
            for action in one.actions:
                self.actions[action] = self.actions.get(action, 0) + 1
            self.own |= one.own
        return mould.filled(outcomes.all)

    def _mould(self, outcomes: Answers[Outcome], colours: str | None) -> Mould:
        encoding = self.file.data_set.encoding
        ours = self._statements(encoding)
        if colours is not None:
            value = values.padded("CS", colours)
            ours[PHOTOMETRIC] = encode.element(encoding, PHOTOMETRIC, "CS", value)
        tags = [one.tag for one in self.file.data_set]
        return Mould.of(tags, outcomes.all, frozenset(outcomes.own), ours)

    def _outcomes(self) -> Answers[Outcome]:
        """Of each element of the data set, as it was before when its bytes were."""
        file, order, encoding = self.file, self.order, self.file.data_set.encoding
        found = known(file, order.rulebook, order.identity, order.memory, order.knows)
        self._known, self._patient = found.file, found.patient
        told, charset, days = found.told, file.string(CHARSET), order.subject.shift_days
        self._descriptors = Descriptors(told, found.patient, days, charset, order.memory)
        context = ("clean", encoding, order.subject, found.patient, told, charset)
        return order.memory.shelf(context, Outcome).answers(file, self._outcome)

    def _outcome(self, element: Element) -> tuple[Outcome, bool]:
        """Rewrite an element; and whether the next file's would become the same."""
        if element.tag in WITH_PIXELS:
            return _PIXELS, True
        one = Rewriting(self.file, self.order, self._known, self._descriptors)
        content = one.element(element, self.file.data_set)
        return Outcome(content, tuple(one.actions), frozenset(one.own)), one.repeatable

    def _statements(self, encoding: Encoding) -> dict[int, bytes]:
        """Who the patient is now, and what was done (PS3.3 C.7.1.1, C.12.1.1.9)."""
        return _statements(encoding, self.order, self.stated)


def _around_instance(sop_class: str, syntax: str) -> tuple[bytes, bytes]:
    """File meta before and behind the one element that each instance has of its own."""

    def uid(tag: int, value: str) -> bytes:
        return encode.element(_PLAIN, tag, "UI", values.padded("UI", value))

    version = values.padded("SH", IMPLEMENTATION_VERSION)
    return (
        encode.element(_PLAIN, 0x00020001, "OB", b"\0\1") + uid(0x00020002, sop_class),
        uid(0x00020010, syntax)
        + uid(0x00020012, IMPLEMENTATION_CLASS)
        + encode.element(_PLAIN, 0x00020013, "SH", version),
    )


def _statements(encoding: Encoding, order: Order, stated: Stated) -> dict[int, bytes]:
    policy, table, pseudonym = order.rulebook.policy, order.rulebook.table, order.subject.pseudonym
    dates = "MODIFIED" if "retain_modified_dates" in policy.options else "REMOVED"
    method = f"Overread\\PS3.15 Table E.1-1 {table.edition}\\Policy {policy.name}"
    texts = (
        (_PATIENT_NAME, "PN", pseudonym),
        (_PATIENT_ID, "LO", pseudonym),
        (0x00120062, "CS", "YES"),
        (0x00120063, "LO", method),
        (0x00280303, "CS", dates),
        *((tag, "CS", value) for tag, value in stated.values),
    )
    codes = b"".join(
        encode.item(encoding, _code(encoding, value, meaning))
        for value, meaning in policy.codes(stated.undone)
    )
    written = {
        tag: encode.element(encoding, tag, vr, values.padded(vr, text)) for tag, vr, text in texts
    }
    return {**written, METHODS: encode.element(encoding, METHODS, "SQ", codes)}


def _code(encoding: Encoding, value: str, meaning: str) -> bytes:
    """An item of a code sequence (PS3.3 table 8.8-1)."""
    texts = ((0x00080100, "SH", value), (0x00080102, "SH", "DCM"), (0x00080104, "LO", meaning))
    return b"".join(
        encode.element(encoding, tag, vr, values.padded(vr, text)) for tag, vr, text in texts
    )
