"""What becomes of a text that belongs to the images? Scrubbed by what their headers know, or held.

As in the service: the texts of one run are scrubbed together in a child process, dates move with
the patient's, and a doubt holds. A text of images of several patients could be anybody's: held.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from services.deid.domain.identity import Subject
from services.deid.domain.text.kinds import Scrubbed
from services.deid.domain.text.known import Known
from services.deid.domain.text.scrubber import LONGEST_TEXT
from services.deid.gateways.scrubbing import scrub_all
from shared.runtime.dicom import UnreadableError
from shared.runtime.sandbox import Sandbox

_WIDEST = 4  # bytes of a character in UTF-8
# Formats that hide text from whoever reads them as text.
_FORMATS = (b"%PDF", b"{\\rtf", b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
Held = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CleanText:
    """`clean` is None when the text is held, for the codes and details in `held`."""

    source: Path
    raw_sha256: str
    pseudonym: str = ""
    clean: str | None = None
    held: Held = ()


@dataclass(frozen=True)
class Texts:
    """Scrubs the texts of one run. `subjects`: the patients of its images, by pseudonym."""

    known: Known
    subjects: Mapping[str, Subject]
    sandbox: Sandbox

    async def scrubbed(self, sources: Sequence[Path]) -> list[CleanText]:
        """One for each text, in their order."""
        read = {source: _read(source) for source in sources}
        texts = {source: one for source, one in read.items() if isinstance(one, str)}
        answers = await self._answers(list(texts.values()))
        found = dict(zip(texts, answers, strict=True))
        return [self._settled(one, found.get(one), read[one]) for one in sources]

    async def _answers(self, texts: Sequence[str]) -> Sequence[Scrubbed | None]:
        """None for all, when the child met its limits or nobody knows whose texts these are."""
        if not texts or len(self.subjects) != 1:
            return [None] * len(texts)
        (subject,) = self.subjects.values()
        try:
            return await self.sandbox.run(scrub_all, texts, self.known, subject.shift_days)
        except UnreadableError:
            return [None] * len(texts)

    def _settled(self, source: Path, found: Scrubbed | None, read: str | Held) -> CleanText:
        with source.open("rb") as file:
            raw_sha256 = file_digest(file, "sha256").hexdigest()
        held = self._held(found) if isinstance(read, str) else read
        if held or found is None:
            return CleanText(source, raw_sha256, held=held)
        (pseudonym,) = self.subjects
        return CleanText(source, raw_sha256, pseudonym, found.text)

    def _held(self, found: Scrubbed | None) -> Held:
        if not self.subjects:
            return (("identifier_unknown", "no image says who the patient is"),)
        if len(self.subjects) > 1:
            detail = f"the images are of {len(self.subjects)} patients: give each one's text alone"
            return (("several_patients", detail),)
        if found is None:
            return (("scrubber_stopped", "the scrubber met its limits"),)
        codes = Counter(one.code for one in found.doubts)
        return tuple((code, f"places: {count}") for code, count in sorted(codes.items()))


def _read(source: Path) -> str | Held:
    """A plain text in UTF-8, or why it is none."""
    if source.stat().st_size > _WIDEST * LONGEST_TEXT:
        return (("text_too_long", f"more than {LONGEST_TEXT:,} characters"),)
    raw = source.read_bytes()
    if raw.startswith(_FORMATS) or b"\0" in raw:
        return (("not_plain_text", "give the text itself, in UTF-8"),)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return (("unreadable_characters", f"no UTF-8 at byte {error.start}"),)
