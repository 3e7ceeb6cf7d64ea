"""What does a description in a header still say without the patient? (PS3.15 E.3.5)

Each value is scrubbed as a line of a header, with what its file knows, until nothing more is found:
so it is the same when it is cleaned again. None stands for doubt, and for what can't be judged:
too long a value, bytes that are none of the file's character set or escape to another, several
values that would not be the same number, or longer than their VR allows. The caller then does what
the Basic Profile does to the attribute.
"""

from dataclasses import dataclass

from services.deid.domain import values
from services.deid.domain.actions import Rule
from services.deid.domain.identifiers import Identifiers
from services.deid.domain.text.known import Known
from services.deid.gateways.memory import Memory
from services.deid.gateways.scrubbing import descriptor, names_somebody
from shared.runtime.dicom.charset import codec_of

LONGEST = 2048  # bytes: a file has up to a hundred of these, and each thousand costs 20 ms
_LIMITS = {"SH": 16, "LO": 64, "ST": 1024, "LT": 10240}  # characters, PS3.5 table 6.2-1
_SEVERAL = frozenset(("SH", "LO", "UC"))
TECHNICAL = frozenset(("CS", "LO", "LT", "SH", "ST", "UC", "UT"))  # what `screened` judges
_AGAIN = 3  # times a text may change until it has to stay as it is


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Cleans the descriptions of one file; what it was asked before is remembered.

    `known`: whom and what the file knows. `identifiers` must not be in what leaves.
    """

    known: Known
    identifiers: Identifiers
    shift_days: int
    charset: str
    memory: Memory

    def cleaned(self, raw: bytes, vr: str) -> bytes | None:
        """The value as it may leave, with its padding; None when that is in doubt."""
        context = ("descriptor", self.known, self.identifiers, self.shift_days, self.charset)
        remembered = self.memory.shelf(context, _Answer)
        found = remembered.get((vr, raw))
        if found is None:
            found = _Answer(self._cleaned(raw, vr))
            if len(raw) <= LONGEST:
                remembered[vr, raw] = found
        return found.value

    def screened(self, raw: bytes, rule: Rule) -> bytes:
        """A technical value; what may be about a person in it, or can't be judged, is a dummy."""
        shelf = self.memory.shelf(("technical", self.charset), bytes)
        question = (rule.vr, rule.numbered, raw)
        found = shelf.get(question)
        if found is None:
            found = self._screened(raw, rule)
            if len(raw) <= LONGEST:
                shelf[question] = found
        return found

    def _screened(self, raw: bytes, rule: Rule) -> bytes:
        codec = codec_of(raw, self.charset)
        if codec is None or len(raw) > LONGEST:
            return values.dummy(rule.vr)
        text = raw.decode(codec).rstrip(" \0")
        parts = text.split("\\") if rule.vr in _SEVERAL or rule.vr == "CS" else [text]
        left = [
            values.DUMMY_TEXT if names_somebody(one, rule.vr, numbered=rule.numbered) else one
            for one in parts
        ]
        if left == parts:
            return raw
        content = "\\".join(left).encode(codec)
        return content if len(content) % 2 == 0 else content + b" "

    def _cleaned(self, raw: bytes, vr: str) -> bytes | None:
        if not raw.strip(b" \0"):
            return b""
        codec = codec_of(raw, self.charset)
        if codec is None or len(raw) > LONGEST:
            return None
        text = raw.decode(codec).rstrip(" \0")
        scrubbed = self._scrubbed(text, vr)
        if scrubbed is None:
            return None
        content = scrubbed.encode(codec)
        if self.identifiers.in_text(content, vr):
            return None
        return content if len(content) % 2 == 0 else content + values.PADDING.get(vr, b" ")

    def _scrubbed(self, text: str, vr: str) -> str | None:
        """Value by value in one text, because a name may stand across two."""
        several = vr in _SEVERAL
        if several and "\n" in text:
            return None
        clean = self._settled(text.replace("\\", "\n") if several else text)
        if several and clean is not None:
            clean = clean.replace("\n", "\\")
        if clean is None or not _fits(clean, text, vr):
            return None
        return clean

    def _settled(self, text: str) -> str | None:
        """Scrub until nothing changes, at last without what the file knows and its shift."""
        once = descriptor(text, self.known, self.shift_days)
        for _ in range(_AGAIN):
            again = descriptor(once, Known(), 0)
            if again == once:
                return once or None
            once = again
        return None


@dataclass(frozen=True, slots=True)
class _Answer:
    value: bytes | None


def _fits(clean: str, raw: str, vr: str) -> bool:
    """No value is longer than its VR allows, unless it came like that."""
    limit = _LIMITS.get(vr)
    if limit is None:
        return True
    if vr not in _SEVERAL:
        return len(clean) <= max(limit, len(raw))
    before, after = raw.split("\\"), clean.split("\\")
    return len(before) == len(after) and all(
        len(new) <= max(limit, len(old)) for old, new in zip(before, after, strict=True)
    )
