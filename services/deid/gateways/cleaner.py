"""What does a file look like without the patient? Its header rewritten, its pixels copied.

The walk of the raw bytes and the rulebook decide each element; what no rule keeps is not copied.
The file meta information is written anew, the preamble is zero, lengths are our own, and bytes
behind the data set do not come along. The same file, key and policy give the same bytes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.deid.domain import values
from services.deid.domain.identifiers import Identifiers
from services.deid.gateways import encode
from services.deid.gateways.blanks import Blanks
from services.deid.gateways.colour import PHOTOMETRIC, photometric_after
from services.deid.gateways.descriptors import Descriptors
from services.deid.gateways.pixels import NOTHING, pixel_pieces
from services.deid.gateways.rewrite import Order, Rewriting, without_idle_creators
from services.deid.gateways.search import in_all_encodings
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


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one element, and what was counted and written on the way."""

    content: bytes | None
    actions: tuple[str, ...]
    own: frozenset[bytes]


_PIXELS = _Outcome(None, (), frozenset())  # they are written apart from the header


@dataclass
class Cleaner:
    """One file on its way. `actions` counts what was done; `own` holds the values we wrote.

    `before` and `after` are what is written around the pixels.
    """

    file: Part10
    order: Order
    blanks: Blanks = NOTHING
    actions: Counter[str] = field(default_factory=Counter)
    own: set[bytes] = field(default_factory=set)
    before: bytes = field(init=False)
    after: bytes = field(init=False)
    _known: Identifiers = field(init=False)
    _descriptors: Descriptors = field(init=False)

    def __post_init__(self) -> None:
        """Raises UnreadableError for a file that lacks one of the UIDs that name an instance."""
        for tag in REQUIRED:
            if not self.file.raw(tag) or not values.is_valid("UI", self.file.raw(tag)):
                raise UnreadableError("missing_attribute", f"{show(tag)} is missing or no UID")
        before, self.after = self._top_level()
        self.before = b"\0" * 128 + b"DICM" + self._meta() + before

    def pixels(self) -> Iterator[bytes | memoryview]:
        """What lies between: pieces of at most a megabyte, but for a frame's fragment."""
        pixels = self.file.data_set.get(PIXEL_DATA)
        if pixels is not None:
            yield from pixel_pieces(self.file, pixels, self.blanks)

    def forbidden(self) -> Identifiers:
        """What must not be found afterwards: all that the header knew, but for what we wrote."""
        left = self._known.without(self.own)
        return Identifiers(in_all_encodings(left.long, self.file.string(CHARSET)), left.short)

    @property
    def transfer_syntax(self) -> str:
        """A deflated file leaves inflated: viewers and checks then see what is in it."""
        syntax = self.file.transfer_syntax
        return EXPLICIT_VR_LITTLE if syntax == DEFLATED else syntax

    def new_uid(self, tag: int) -> str:
        return self.order.identity.uid(self.file.string(tag))

    def _meta(self) -> bytes:
        """PS3.10 table 7.1-1, type 1 only: no source, no private meta, our implementation."""
        elements = encode.element(_PLAIN, 0x00020001, "OB", b"\0\1")
        for tag, value in (
            (0x00020002, self.new_uid(SOP_CLASS)),
            (0x00020003, self.new_uid(SOP_INSTANCE)),
            (0x00020010, self.transfer_syntax),
            (0x00020012, IMPLEMENTATION_CLASS),
        ):
            elements += encode.element(_PLAIN, tag, "UI", values.padded("UI", value))
        version = values.padded("SH", IMPLEMENTATION_VERSION)
        elements += encode.element(_PLAIN, 0x00020013, "SH", version)
        length = len(elements).to_bytes(4, "little")
        return encode.element(_PLAIN, 0x00020000, "UL", length) + elements

    def _top_level(self) -> tuple[bytes, bytes]:
        """Elements before and behind the pixels, ours among them, in the order of their tags."""
        written = self._elements()
        without_idle_creators(written)
        written.update(self._statements(self.file.data_set.encoding))
        colours = photometric_after(self.file) if self.blanks else None
        if colours is not None:
            value = values.padded("CS", colours)
            written[PHOTOMETRIC] = encode.element(
                self.file.data_set.encoding, PHOTOMETRIC, "CS", value
            )
        tags = sorted(written)
        before = b"".join([written[tag] for tag in tags if tag < PIXEL_DATA])
        return before, b"".join([written[tag] for tag in tags if tag > PIXEL_DATA])

    def _elements(self) -> dict[int, bytes]:
        """Each element of the data set but the pixels, as it was before when its bytes were."""
        file, order, data_set = self.file, self.order, self.file.data_set
        found = known(file, order.rulebook, order.identity, order.memory, order.knows)
        self._known = found.file
        told, charset, days = found.told, file.string(CHARSET), order.subject.shift_days
        self._descriptors = Descriptors(told, found.patient, days, charset, order.memory)
        context = ("clean", data_set.encoding, order.subject, found.patient, told, charset)
        outcomes = order.memory.shelf(context, _Outcome).answers(file, self._outcome)
        written: dict[int, bytes] = {}
        done: list[str] = []
        for element, outcome in zip(data_set, outcomes, strict=True):
            if outcome.content is not None:
                written[element.tag] = outcome.content
            done += outcome.actions
            if outcome.own:
                self.own |= outcome.own
        self.actions.update(done)
        return written

    def _outcome(self, element: Element) -> tuple[_Outcome, bool]:
        """Rewrite an element; and whether the next file's would become the same."""
        if element.tag == PIXEL_DATA:
            return _PIXELS, False
        one = Rewriting(self.file, self.order, self._known, self._descriptors)
        content = one.element(element, self.file.data_set)
        actions = tuple(one.actions.elements())
        return _Outcome(content, actions, frozenset(one.own)), one.repeatable

    def _statements(self, encoding: Encoding) -> dict[int, bytes]:
        """Who the patient is now, and what was done (PS3.3 C.7.1.1, C.12.1.1.9)."""
        pseudonym = self.order.subject.pseudonym
        self.own.add(pseudonym.encode())
        remembered = self.order.memory.shelf("statements", dict[int, bytes])
        question = (encoding, pseudonym)
        if question not in remembered:
            remembered[question] = _stated(encoding, pseudonym, self.order)
        return remembered[question]


def _stated(encoding: Encoding, pseudonym: str, order: Order) -> dict[int, bytes]:
    policy, table = order.rulebook.policy, order.rulebook.table
    dates = "MODIFIED" if "retain_modified_dates" in policy.options else "REMOVED"
    method = f"Overread\\PS3.15 Table E.1-1 {table.edition}\\Policy {policy.name}"
    texts = (
        (_PATIENT_NAME, "PN", pseudonym),
        (_PATIENT_ID, "LO", pseudonym),
        (0x00120062, "CS", "YES"),
        (0x00120063, "LO", method),
        (0x00280303, "CS", dates),
    )
    codes = b"".join(
        encode.item(encoding, _code(encoding, value, meaning)) for value, meaning in policy.codes()
    )
    stated = {
        tag: encode.element(encoding, tag, vr, values.padded(vr, text)) for tag, vr, text in texts
    }
    return {**stated, 0x00120064: encode.element(encoding, 0x00120064, "SQ", codes)}


def _code(encoding: Encoding, value: str, meaning: str) -> bytes:
    """An item of a code sequence (PS3.3 table 8.8-1)."""
    texts = ((0x00080100, "SH", value), (0x00080102, "SH", "DCM"), (0x00080104, "LO", meaning))
    return b"".join(
        encode.element(encoding, tag, vr, values.padded(vr, text)) for tag, vr, text in texts
    )
