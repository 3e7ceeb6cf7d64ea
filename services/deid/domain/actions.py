"""What happens to this attribute? One answer for each tag and VR, and "remove" when in doubt.

The order of the rules is their rank: what can't be known (private, unknown, retired, another VR
than the dictionary's) is removed whatever else is said; then Table E.1-1 with the policy's
options; then, for attributes the standard deems harmless, a rule for their kind of value, because
free text, names, dates and bulk data are harmless nowhere.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

from pydicom._dicom_dict import DicomDictionary

from services.deid.domain.policy import Option, Policy
from services.deid.domain.private import SAFE, is_creator, safe_vr
from services.deid.domain.table import Row, Table
from services.deid.domain.values import BINARY


class Action(Enum):
    """What the cleaner does. The letters of PS3.15 E.1 stand behind those that have one."""

    KEEP = "keep"  # K, when the value is valid for its VR
    SCREEN = "screen"  # C: kept unless a known identifier is in it
    REMOVE = "remove"  # X
    EMPTY = "empty"  # Z
    DUMMY = "dummy"  # D
    UID = "uid"  # U
    SHIFT = "shift"  # C of modified dates
    DESCRIPTOR = "descriptor"  # C of free text: what identifies is taken out of it
    AGE = "age"
    SEX = "sex"
    NAME = "name"
    PATIENT_ID = "patient_id"
    ACCESSION = "accession"
    ITEMS = "items"  # the sequence stays, its items are cleaned
    DUMMY_ITEMS = "dummy_items"  # D of a sequence: each text in it becomes a dummy
    CLEAN_ITEMS = "clean_items"  # C of a sequence: the texts in it are cleaned (content.py)
    PIXELS = "pixels"
    BULK = "bulk"  # kept as far as its description reaches (bulk.py)


@dataclass(frozen=True, slots=True)
class Rule:
    """An action, the VR by the dictionary, and why, in a word, for the certificate.

    `otherwise` stands in for DESCRIPTOR where the text can't be cleaned.
    """

    action: Action
    vr: str
    why: str
    otherwise: Action = Action.REMOVE
    numbered: bool = False  # of SCREEN: its value is a code, a serial number or a version
    most: int = 0  # binary numbers in it, by the dictionary; 0: as many as there are


_BY_TAG = {
    0x00100010: Action.NAME,
    0x00100020: Action.PATIENT_ID,
    0x00080050: Action.ACCESSION,
    0x00080005: Action.KEEP,  # Specific Character Set
    0x7FE00010: Action.PIXELS,
}
# Beside the table: what names a place, a person or a document through codes and issuers, and
# copies of the image that escape every look at its pixels.
_BESIDE_TABLE = frozenset((
    0x00080051, 0x00080220, 0x00081125, 0x00100022, 0x00100024, 0x00100026, 0x00100027,
    0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x00321031, 0x00321034, 0x00380008,
    0x00380100, 0x00380101, 0x00400033, 0x00400035, 0x00880200,
))  # fmt: skip
_FIRST_GROUP = 0x0008  # below lie commands, file meta and directories
_CURVES_AND_OVERLAYS = frozenset((0x50, 0x60))
# What reading needs of the patient (sex, age, size, weight, pregnancy); other characteristics of
# the option (ethnicity, smoking, allergies, special needs) are not asked for by any reader.
_NEEDED = {
    0x00100040: Action.SEX,
    0x00101010: Action.AGE,
    0x00101020: Action.KEEP,
    0x00101030: Action.KEEP,
    0x001021C0: Action.KEEP,
}
_CONTENT: tuple[Option, ...] = ("clean_structured_content", "clean_graphics")
_TIMEZONE = 0x00080201
# Names of rooms and stations tell the hospital more than the device, so the option leaves them out.
_STATIONS = frozenset((
    0x00081010, 0x00321020, 0x00400010, 0x00400011, 0x00400242, 0x00404025, 0x00404027,
    0x00404028, 0x00404030, 0x00500020, 0x3010002D, 0x300A00B2, 0x04000563,
))  # fmt: skip
_TIMES = frozenset(("DA", "DT", "TM"))
_NUMBERS = frozenset(("AT", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"))
# What people write about the study and the procedure; their words on the patient's life, visits
# and other people's findings are removed whatever the option says, but for the history.
_DESCRIBING_GROUPS = frozenset((
    0x0008, 0x0018, 0x0020, 0x0032, 0x003A, 0x0040, 0x0050, 0x006A, 0x0072, 0x2200, 0x3002,
    0x3006, 0x300A, 0x300C, 0x3010,
))  # fmt: skip
_HISTORY = 0x001021B0
_DESCRIBING = frozenset(("LO", "LT", "SH", "ST", "UC", "UT"))
# LO and SH that describe the technique or a code; elsewhere they are free text.
_TECHNICAL_GROUPS = frozenset((0x0018, 0x0020, 0x0022, 0x0028, 0x0048, 0x0054, 0x0062))
_TECHNICAL_TAGS = frozenset((
    0x00080070, 0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00081090,
    0x00082120, 0x00082127,
))  # fmt: skip
_CHATTY = ("Description", "Comment", "Notes", "Protocol", "Instruction", "DeviceID", "Address")
# In these a long number is a device's own, of a part, a version or a code, and no phone.
_NUMBERED = (
    "Serial", "ID", "Identifier", "Version", "Code", "PartNumber", "CodingScheme", "TransducerData",
)  # fmt: skip
# Bulk data that a viewer needs: lookup tables, waveforms and the offsets of frames. No other goes.
_BULK = frozenset((
    0x00281201, 0x00281202, 0x00281203, 0x00281204, 0x00281221, 0x00281222, 0x00281223,
    0x00281224, 0x00283006, 0x54001010, 0x7FE00001, 0x7FE00002,
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The table under a policy. Rules are worked out once per tag and VR."""

    table: Table
    policy: Policy
    _known: dict[tuple[int, str], Rule] = field(default_factory=dict)

    def rule(self, tag: int, declared_vr: str) -> Rule:
        """Say what happens to a tag; `declared_vr` is the file's, "" in implicit VR."""
        key = (tag, declared_vr)
        if key not in self._known:
            found = self._work_out(tag, declared_vr)
            self._known[key] = replace(found, most=_most_numbers(tag, found.vr))
        return self._known[key]

    def private(self, creator: str, tag: int, declared_vr: str) -> Rule:
        """Say what happens to a private element; `creator` is what its block's first element says.

        That first element itself stays when its block holds something safe.
        """
        if "retain_safe_private" not in self.policy.options or creator not in SAFE:
            return Rule(Action.REMOVE, "", "private")
        if is_creator(tag):
            return Rule(Action.KEEP, "LO", "safe private")
        vr = safe_vr(creator, tag)
        if not vr or declared_vr not in {"", vr}:
            return Rule(Action.REMOVE, "", "private")
        return Rule(Action.SCREEN if vr == "CS" else Action.KEEP, vr, "safe private")

    def _work_out(self, tag: int, declared_vr: str) -> Rule:
        doubt = _doubt(tag, declared_vr)
        if doubt:
            return Rule(Action.REMOVE, "", doubt)
        wanted, _, _, _, keyword = DicomDictionary[tag]
        vr = declared_vr or wanted.split(" or ", maxsplit=1)[0]
        if tag in _BY_TAG:
            return Rule(_BY_TAG[tag], vr, "table E.1-1")
        if tag in _BESIDE_TABLE:
            return Rule(Action.REMOVE, vr, "beside the table")
        row, numbered = self.table.rows.get(tag), _is_numbered(keyword)
        if row is not None:
            basic = _sequence_action(row.basic) if vr == "SQ" else _value_action(row.basic)
            return Rule(self._by_row(row, vr) or basic, vr, "table E.1-1", basic, numbered)
        if vr in _TIMES and "retain_modified_dates" not in self.policy.options:
            return Rule(Action.DUMMY, vr, "kind of value")  # valid for every type
        return Rule(_by_kind(tag, vr, keyword), vr, "kind of value", numbered=numbered)

    def _by_row(self, row: Row, vr: str) -> Action | None:
        """What an option makes of a row; None leaves it to the Basic Profile."""
        options = self.policy.options
        if "retain_modified_dates" in options and "retain_modified_dates" in row.options:
            if vr in {"DA", "DT"}:
                return Action.SHIFT
            if vr == "TM" or row.tag == _TIMEZONE:
                return Action.KEEP  # whole days are shifted, so the time of day stays
        if "retain_patient_characteristics" in options and row.tag in _NEEDED:
            return _NEEDED[row.tag]
        device = "retain_device_identity" in options and row.tag not in _STATIONS
        if device and row.options.get("retain_device_identity") == "K" and vr != "UI":
            return Action.ITEMS if vr == "SQ" else Action.SCREEN
        return self._cleaned(row, vr)

    def _cleaned(self, row: Row, vr: str) -> Action | None:
        """What the options that clean make of a row."""
        options = self.policy.options
        if "clean_descriptors" in options and "clean_descriptors" in row.options:
            describes = row.tag >> 16 in _DESCRIBING_GROUPS or row.tag == _HISTORY
            return Action.DESCRIPTOR if describes and vr in _DESCRIBING else None
        content = any(one in options and one in row.options for one in _CONTENT)
        return Action.CLEAN_ITEMS if content and vr == "SQ" else None


def _most_numbers(tag: int, vr: str) -> int:
    """How many binary numbers the dictionary lets stand in an attribute: more could be letters."""
    if vr not in BINARY:
        return 0
    last = DicomDictionary[tag][1].split()[-1].split("-")[-1]  # of "1", "1-3", "2-2n", "1-n"
    return int(last) if last.isdecimal() else 0


def _doubt(tag: int, declared_vr: str) -> str:
    """Why a tag can't be known well enough to be kept, "" when it can."""
    group, number = tag >> 16, tag & 0xFFFF
    if group % 2:
        return "private"
    if group < _FIRST_GROUP or number == 0 or group >> 8 in _CURVES_AND_OVERLAYS:
        return "group"
    if tag not in DicomDictionary:
        return "unknown"
    wanted, _, _, retired, _ = DicomDictionary[tag]
    if retired:
        return "retired"
    return "vr" if declared_vr and declared_vr not in wanted.split(" or ") else ""


def _is_numbered(keyword: str) -> bool:
    return any(word in keyword for word in _NUMBERED)


def _value_action(basic: str) -> Action:
    """Of "X unless Z or D is needed", take the one that is valid for every IOD and type."""
    letters = basic.split("/")
    for letter, action in (("D", Action.DUMMY), ("Z", Action.EMPTY), ("U", Action.UID)):
        if letter in letters:
            return action
    return Action.REMOVE


def _sequence_action(basic: str) -> Action:
    match basic:
        case "X/Z/U*":
            return Action.ITEMS  # references stay, with their UIDs replaced
        case "Z" | "X/Z" | "X/Z/D":
            return Action.EMPTY
        case "D":
            return Action.DUMMY_ITEMS
        case _:
            return Action.REMOVE


def _by_kind(tag: int, vr: str, keyword: str) -> Action:
    """For attributes that the table does not list."""
    by_vr = {
        "SQ": Action.ITEMS,
        "UI": Action.UID,
        "CS": Action.SCREEN,
        "DA": Action.SHIFT,
        "DT": Action.SHIFT,
        "TM": Action.KEEP,
        "AS": Action.AGE,
    }
    if vr in by_vr:
        return by_vr[vr]
    if tag in _BULK:
        return Action.BULK
    if vr in _NUMBERS:
        return Action.KEEP
    technical = tag >> 16 in _TECHNICAL_GROUPS and not any(word in keyword for word in _CHATTY)
    if vr in {"LO", "SH", "UC"} and (technical or tag in _TECHNICAL_TAGS):
        return Action.SCREEN
    return Action.REMOVE
