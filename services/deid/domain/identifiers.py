"""Which strings of this file name somebody, and does one of them occur again?"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from services.deid.domain.text.people import PARTICLES
from services.deid.domain.text.when import tells_day
from services.deid.domain.values import DUMMY_TEXT

# Patient, visit, order and place: values that identify by themselves (45 CFR 164.514(b)(2)).
IDENTIFYING = frozenset((
    0x00080050, 0x00080080, 0x00080081, 0x00081040, 0x00100020, 0x00100021, 0x00100030,
    0x00101000, 0x00101040, 0x00101050, 0x00101090, 0x00102152, 0x00102154, 0x00200010,
    0x00321020, 0x00380010, 0x00380060, 0x00380300, 0x00400009, 0x00400031, 0x00400032,
    0x00400253, 0x00401001, 0x00402016, 0x00402017, 0x00420010, 0x00120040, 0x00120042,
))  # fmt: skip
# Where the name of a room or a station is not kept as the device's, it names the hospital.
STATIONS = frozenset((0x00081010, 0x00400010, 0x00400242))
_SHORTEST_NAME, _SHORTEST_NUMBER, _LONG = 3, 4, 6
_NAME_PARTS = re.compile(rb"[\s^=\\,.]+")
# Terms of the standard (PS3.16 CID 4 and defined terms) that are somebody's surname as well. In a
# coded value they are the term.
TERMS = frozenset(
    b"abdomen ankle arm axial back body brain breast calcaneus cardiac carotid chest clavicle "
    b"coronal dental derived elbow eye face femur finger foot hand head heart hip humerus jaw "
    b"joint kidney knee lateral leg liver long lung manual mandible neck none normal nose "
    b"original other oblique orbit patella pelvis primary prone radius rib sacrum sagittal scapula "
    b"secondary shoulder skull spine sternum supine thigh thumb tibia toe ulna volume wrist "
    b"yes "
    # Value Type (0040,A040) and Relationship Type (0040,A010) of structured reports, PS3.3 C.17.3
    b"code composite container contains date datetime image num pname scoord scoord3d tcoord text "
    b"time uidref waveform".split()
)
_CODED = frozenset(("CS",))
# Two letters that say something else when they stand alone: modalities, views, contrast, titles.
_COMMON = frozenset(
    b"ai ap ax bi bt cr ct dr dx ed er fl fs ge gi hd hr id im in io ir is it iu iv jr ko lc ll lo "
    b"lt mb md mg mm mr ms na nd nm no np of ok on or ot pa pd pe po pr pt px rf rl rn ro rt sa sc "
    b"se sg sn sr st tc te ti to tr us vs xa xc yr".split()
) | {one.encode() for one in PARTICLES}
_WORDS = re.compile(rb"[0-9a-z\x80-\xff]+")
_WHOLE_DAY = 8  # digits, YYYYMMDD
_TEXT = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What a file's header knew, in lower case, in the bytes of the file's own character set.

    `long` are unlike anything else and are searched for in all bytes; `short` (a surname of three
    to five letters, a number of four or five digits, a name that is a term as well) only in values
    of a text VR. Both as whole words. `tiny` (parts of names of two letters, numbers under four
    digits) are so only as a whole value, or two side by side. `births` (YYYYMMDD) are looked for
    in text, in any notation.
    """

    long: frozenset[bytes]
    short: frozenset[bytes]
    tiny: frozenset[bytes] = frozenset()
    births: frozenset[str] = frozenset()

    def without(self, own: Iterable[bytes]) -> "Identifiers":
        """Leave out what we wrote ourselves, such as a shifted date that equals a birth date."""
        ours = {value.lower() for value in own}
        return replace(self, long=self.long - ours, short=self.short - ours, tiny=self.tiny - ours)

    def in_text(self, raw: bytes, vr: str) -> bool:
        """Whether a value of a text VR holds one of them as a whole word."""
        text = raw.lower()
        coded = vr in _CODED
        found = any(
            _occurs(one, text) and not (coded and one in TERMS)
            for one in (*self.long, *(self.short if vr in _TEXT else ()))
        )
        free = vr in _TEXT and not coded
        return found or (free and (self._tiny_in(text) or self._born_in(raw)))

    def _tiny_in(self, text: bytes) -> bool:
        """A name of two letters that is all of a value, or is beside another one or a number."""
        if not self.tiny:
            return False
        values = {value.strip(b" \0") for value in text.split(b"\\")}
        if any(one.isalpha() for one in values & self.tiny - _COMMON):
            return True
        return any(
            left != right and {left, right} <= self.tiny and (left.isalpha() or right.isalpha())
            for left, right in pairwise(_WORDS.findall(text))
        )

    def _born_in(self, raw: bytes) -> bool:
        """A day of birth, which always has its year's last two digits in it."""
        if not any(one[2:4].encode() in raw for one in self.births):
            return False
        return tells_day(re.sub("[_^\\\\]", " ", raw.decode("latin-1")), self.births)

    def short_in_text(self, raw: bytes, vr: str) -> bool:
        """The same for the short ones alone, where all bytes are searched for the long."""
        return vr in _TEXT and replace(self, long=frozenset()).in_text(raw, vr)

    def short_in_bytes(self, raw: bytes) -> bool:
        """Whether bulk data that stays holds one of the short ones."""
        text = raw.lower()
        return any(_occurs(one, text) for one in self.short)

    def in_bytes(self, raw: bytes) -> bool:
        """Whether any bytes, of whatever kind, hold one of the long ones."""
        text = raw.lower()
        return any(_occurs(one, text) for one in self.long)


def gathered(
    names: Collection[bytes],
    numbers: Collection[bytes],
    uids: Iterable[bytes],
    births: Iterable[str] = (),
) -> Identifiers:
    """Sort out what to search for."""
    days = frozenset(one for one in births if len(one) == _WHOLE_DAY and one.isdigit())
    numbers = (*numbers, *(spelt for one in days for spelt in _notations(one)))
    found = {*_names(names), *_numbers(numbers)} - {DUMMY_TEXT.lower().encode()}
    long = {one for one in found if len(one) >= _LONG and one not in TERMS}
    long_uids = {uid.strip(b" \0") for uid in uids if len(uid) > _LONG}
    tiny = frozenset((*_tiny_names(names), *_tiny_numbers(numbers)))
    return Identifiers(frozenset(long | long_uids), frozenset(found - long), tiny, days)


def _notations(day: str) -> Iterator[bytes]:
    """Those of a birth date that are searched for in bytes that are no text as well."""
    year, month, date = day[:4], day[4:6], day[6:]
    for order in ((year, month, date), (date, month, year), (month, date, year)):
        yield from (between.join(order).encode() for between in ("", "-", ".", "/"))


def _tiny_names(values: Iterable[bytes]) -> Iterator[bytes]:
    for value in values:
        for part in _NAME_PARTS.split(value.strip(b" \0^").lower()):
            if (
                len(part) == _SHORTEST_NAME - 1
                and part.isalpha()
                and part.decode() not in PARTICLES
            ):
                yield part


def _tiny_numbers(values: Iterable[bytes]) -> Iterator[bytes]:
    for value in values:
        for part in value.lower().split(b"\\"):
            if 0 < len(part.strip(b" \0")) < _SHORTEST_NUMBER:
                yield part.strip(b" \0")


def _names(values: Iterable[bytes]) -> Iterator[bytes]:
    """The parts of each person name (PS3.5 6.2.1), and the whole of it."""
    for value in values:
        whole = value.strip(b" \0^").lower()
        for part in (whole, *_NAME_PARTS.split(whole)):
            if len(part) >= _SHORTEST_NAME:
                yield part


def _numbers(values: Iterable[bytes]) -> Iterator[bytes]:
    for value in values:
        for part in value.lower().split(b"\\"):
            if len(part.strip(b" \0")) >= _SHORTEST_NUMBER:
                yield part.strip(b" \0")


def _occurs(identifier: bytes, text: bytes) -> bool:
    """As a whole word: what stands before and behind is no letter or digit."""
    at = text.find(identifier)
    while at >= 0:
        before, behind = text[max(at - 1, 0) : at], text[at + len(identifier) :][:1]
        if not before.isalnum() and not behind.isalnum():
            return True
        at = text.find(identifier, at + 1)
    return False
