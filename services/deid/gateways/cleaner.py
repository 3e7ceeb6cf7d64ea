"""What does a file look like without the patient? Its header rewritten, its pixels copied.

The walk of the raw bytes and the rulebook decide each element; what no rule keeps is not copied.
The file meta information is written anew, the preamble is zero, lengths are our own, and bytes
behind the data set do not come along. The same file, key and policy give the same bytes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from services.deid.domain import values
from services.deid.domain.actions import Action, Rule, Rulebook
from services.deid.domain.dates import band_age, shift_date, shift_datetime
from services.deid.domain.identifiers import Identifiers
from services.deid.domain.identity import Identity, Subject
from services.deid.gateways import encode
from services.deid.gateways.pixels import pixel_pieces
from services.deid.gateways.survey import identifiers_of
from shared.runtime.dicom import DataSet, Element, Encoding, Part10, UnreadableError
from shared.runtime.dicom.file import DEFLATED, EXPLICIT_VR_LITTLE
from shared.runtime.dicom.header import REQUIRED, SOP_CLASS, SOP_INSTANCE
from shared.runtime.dicom.tree import PIXEL_DATA, show

IMPLEMENTATION_CLASS = "2.25.181632478519346272390126534125837045291"
IMPLEMENTATION_VERSION = "OVERREAD_1"
_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020
_TIMEZONE = 0x00080201
_SEXES = frozenset(("F", "M", "O"))
_FREE_TEXT = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))


@dataclass(frozen=True, slots=True)
class Order:
    """For whom, and by which rules, a file is cleaned."""

    identity: Identity
    subject: Subject
    rulebook: Rulebook


@dataclass
class Cleaner:
    """One file on its way. `actions` counts what was done; `own` holds the values we wrote."""

    file: Part10
    order: Order
    actions: Counter[str] = field(default_factory=Counter)
    own: set[bytes] = field(default_factory=set)
    identifiers: Identifiers = field(init=False)

    def __post_init__(self) -> None:
        """Raises UnreadableError for a file that lacks one of the UIDs that name an instance."""
        for tag in REQUIRED:
            if not self.file.raw(tag) or not values.is_valid("UI", self.file.raw(tag)):
                raise UnreadableError("missing_attribute", f"{show(tag)} is missing or no UID")
        self.identifiers = identifiers_of(self.file, self.order.rulebook, self.order.identity)

    def pieces(self) -> Iterator[bytes]:
        """The clean file, in pieces of at most a megabyte but for the header."""
        before, after = self._top_level()
        yield b"\0" * 128 + b"DICM" + self._meta() + before
        pixels = self.file.data_set.get(PIXEL_DATA)
        if pixels is not None:
            yield from pixel_pieces(self.file, pixels)
        if after:
            yield after

    @property
    def transfer_syntax(self) -> str:
        """A deflated file leaves inflated: viewers and checks then see what is in it."""
        syntax = self.file.transfer_syntax
        return EXPLICIT_VR_LITTLE if syntax == DEFLATED else syntax

    def new_uid(self, tag: int) -> str:
        return self.order.identity.uid(self.file.string(tag))

    def _meta(self) -> bytes:
        """PS3.10 table 7.1-1, type 1 only: no source, no private meta, our implementation."""
        plain = Encoding()
        elements = encode.element(plain, 0x00020001, "OB", b"\0\1")
        for tag, value in (
            (0x00020002, self.new_uid(SOP_CLASS)),
            (0x00020003, self.new_uid(SOP_INSTANCE)),
            (0x00020010, self.transfer_syntax),
            (0x00020012, IMPLEMENTATION_CLASS),
        ):
            elements += encode.element(plain, tag, "UI", values.padded("UI", value))
        version = values.padded("SH", IMPLEMENTATION_VERSION)
        elements += encode.element(plain, 0x00020013, "SH", version)
        return (
            encode.element(plain, 0x00020000, "UL", len(elements).to_bytes(4, "little")) + elements
        )

    def _top_level(self) -> tuple[bytes, bytes]:
        """Elements before and behind the pixels, ours among them, in the order of their tags."""
        written = self._elements(self.file.data_set, depth=0, strict=False)
        written.update(self._statements(self.file.data_set.encoding))
        tags = sorted(written)
        before = b"".join(written[tag] for tag in tags if tag < PIXEL_DATA)
        return before, b"".join(written[tag] for tag in tags if tag > PIXEL_DATA)

    def _statements(self, encoding: Encoding) -> dict[int, bytes]:
        """Who the patient is now, and what was done (PS3.3 C.7.1.1, C.12.1.1.9)."""
        policy, table = self.order.rulebook.policy, self.order.rulebook.table
        pseudonym = self.order.subject.pseudonym
        dates = "MODIFIED" if "retain_modified_dates" in policy.options else "REMOVED"
        method = f"Overread\\PS3.15 Table E.1-1 {table.edition}\\Policy {policy.name}"
        texts = (
            (_PATIENT_NAME, "PN", pseudonym),
            (_PATIENT_ID, "LO", pseudonym),
            (0x00120062, "CS", "YES"),
            (0x00120063, "LO", method),
            (0x00280303, "CS", dates),
        )
        self.own.add(pseudonym.encode())
        codes = b"".join(
            encode.item(encoding, _code(encoding, value, meaning))
            for value, meaning in policy.codes()
        )
        return {
            **{
                tag: encode.element(encoding, tag, vr, values.padded(vr, text))
                for tag, vr, text in texts
            },
            0x00120064: encode.element(encoding, 0x00120064, "SQ", codes),
        }

    def _elements(self, data_set: DataSet, *, depth: int, strict: bool) -> dict[int, bytes]:
        written: dict[int, bytes] = {}
        for element in data_set:
            rule = self.order.rulebook.rule(element.tag, element.vr)
            if rule.action is Action.PIXELS and depth == 0:
                continue
            value = self._value(element, rule, depth=depth, strict=strict)
            if value is None:
                self.actions[f"removed, {rule.why}"] += 1
                continue
            self.actions[rule.action.value] += 1
            written[element.tag] = encode.element(data_set.encoding, element.tag, rule.vr, value)
        return written

    def _value(self, element: Element, rule: Rule, *, depth: int, strict: bool) -> bytes | None:
        """What stands in the element's place; None removes it."""
        action = rule.otherwise if rule.action is Action.DESCRIPTOR else rule.action
        if action in {Action.REMOVE, Action.PIXELS} or element.fragments is not None:
            return None
        if rule.vr == "SQ":
            return self._sequence(element, action, depth=depth, strict=strict)
        if action is Action.EMPTY:
            return b""
        if rule.vr != "UI" and (action is Action.DUMMY or (strict and rule.vr in _FREE_TEXT)):
            return values.dummy(rule.vr)
        raw = self.file.value(element)
        if action in {Action.KEEP, Action.SCREEN}:
            return self._kept(element.tag, rule, raw)
        return self._changed(rule, raw)

    def _sequence(
        self, element: Element, action: Action, *, depth: int, strict: bool
    ) -> bytes | None:
        if action is Action.EMPTY or (element.items is None and element.length == 0):
            return b""
        if element.items is None:
            return None  # claims to be a sequence and holds no items
        strict = strict or action is Action.DUMMY_ITEMS
        encoding = self.file.data_set.encoding
        contents = (
            b"".join(
                content
                for _, content in sorted(
                    self._elements(one, depth=depth + 1, strict=strict).items()
                )
            )
            for one in element.items
        )
        return b"".join(encode.item(encoding, content) for content in contents)

    def _kept(self, tag: int, rule: Rule, raw: bytes) -> bytes:
        """The value as it is, when it is one; a known identifier in it makes it a dummy."""
        valid = values.is_timezone(raw) if tag == _TIMEZONE else values.is_valid(rule.vr, raw)
        if not valid:
            self.actions["emptied, no value of its VR"] += 1
            return b""
        if rule.action is Action.SCREEN and self.identifiers.in_text(raw, rule.vr):
            self.actions["screened, identifier inside"] += 1
            return values.dummy(rule.vr)
        return raw if len(raw) % 2 == 0 else raw + values.PADDING.get(rule.vr, b" ")

    def _changed(self, rule: Rule, raw: bytes) -> bytes:
        """A pseudonym, another UID, another date; empty when the value was none of its VR."""
        changed = values.each_value(raw, self._change(rule), rule.vr)
        if changed is None:
            self.actions["emptied, no value of its VR"] += 1
            return b""
        self.own.update(part.strip(b" \0") for part in changed.split(b"\\"))
        return changed

    def _change(self, rule: Rule) -> Callable[[str], str | None]:
        """How one value of a multi-valued attribute is changed."""
        subject, identity = self.order.subject, self.order.identity
        shift = shift_date if rule.vr == "DA" else shift_datetime
        changes: dict[Action, Callable[[str], str | None]] = {
            Action.UID: self._uid,
            Action.DUMMY: self._uid,
            Action.SHIFT: lambda value: shift(value, subject.shift_days),
            Action.AGE: band_age,
            Action.SEX: lambda value: value if value in _SEXES else "",
            Action.ACCESSION: identity.accession,
            Action.NAME: lambda _: subject.pseudonym,
            Action.PATIENT_ID: lambda _: subject.pseudonym,
        }
        return changes[rule.action]

    def _uid(self, value: str) -> str | None:
        valid = values.is_valid("UI", value.encode("latin-1"))
        return self.order.identity.uid(value) if valid else None


def _code(encoding: Encoding, value: str, meaning: str) -> bytes:
    """An item of a code sequence (PS3.3 table 8.8-1)."""
    texts = ((0x00080100, "SH", value), (0x00080102, "SH", "DCM"), (0x00080104, "LO", meaning))
    return b"".join(
        encode.element(encoding, tag, vr, values.padded(vr, text)) for tag, vr, text in texts
    )
