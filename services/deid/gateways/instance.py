"""What becomes of one file? Cleaned, verified, and either free to go or held with its doubts.

Runs in a sandboxed child: everything in and out is a path or a small picklable value.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from mmap import ACCESS_READ, MADV_DONTNEED, mmap
from pathlib import Path

from services.deid.domain.actions import Rulebook
from services.deid.domain.boxes import Kind, Placed
from services.deid.domain.identifiers import Identifiers
from services.deid.domain.identity import Identity, Key, Subject
from services.deid.domain.pixels import Doubt, judged
from services.deid.domain.policy import Policy
from services.deid.domain.stated import Stated, standing, stated
from services.deid.domain.table import Table
from services.deid.domain.text.known import Known
from services.deid.gateways.blanks import UnblankableError
from services.deid.gateways.cleaner import Cleaner
from services.deid.gateways.memory import Memory
from services.deid.gateways.originals import Originals, originals_of
from services.deid.gateways.pixels import facts
from services.deid.gateways.rewrite import Order
from services.deid.gateways.said import codes_before
from services.deid.gateways.search import Search
from services.deid.gateways.seen import Seen, looked
from services.deid.gateways.streams import UnwalkableError
from services.deid.gateways.verify import remaining
from shared.runtime.dicom import Part10, UnreadableError, read_part10
from shared.runtime.dicom.header import SOP_INSTANCE, STUDY_INSTANCE

_PATIENT_ID = 0x00100020
_TABLE = Path(__file__).parent.parent / "profile" / "ps3.15-table-e1-1.json"
_SMALL = 4 << 20  # bytes: reading them costs less than mapping them
_RESIDENT = 64 << 20  # bytes of a mapped file that may stay in memory


@dataclass(frozen=True, slots=True)
class Task:
    """For whom and how: the partner's key, the patient, the policy.

    Without a subject the file's own Patient ID says who it is; without one of those it is the
    patient of `case`, or of the file's study. `pseudonym` is what the case's patient is called
    already: a file of somebody else's goes under the case. What one of the `others` made is left.
    With `way_back` the receipt tells the old names: they are patient data. `knows`: whom and what
    the case knows, which must not be in any of its files; `told`, by a path, stands in for it
    where the files are of several cases.
    By a file's name: `drawn`, the boxes that operators drew, and `hashes`, the SHA-256 that who
    fetched it has just made sure of; others are hashed here.
    """

    key: Key
    partner: str
    subject: Subject | None
    policy: Policy
    case: str = ""
    pseudonym: str | None = None
    others: tuple[Key, ...] = ()
    way_back: bool = False
    knows: Known = field(default_factory=Known)
    told: Mapping[str, Known] = field(default_factory=dict)
    drawn: Mapping[str, tuple[Placed, ...]] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What happened to one file. UIDs and hashes are those of the clean file, but `raw_sha256`.

    `subject` is None where the file could not be read. `places`: what was blanked or is in doubt.
    """

    sop_instance: str
    study_instance: str
    raw_sha256: str
    sha256: str
    size: int
    actions: tuple[tuple[str, int], ...]
    doubts: tuple[Doubt, ...]
    subject: Subject | None = None
    originals: Originals = field(default=Originals(), repr=False)
    places: tuple[tuple[Kind, Placed], ...] = ()


@lru_cache(maxsize=1)
def table() -> Table:
    return Table.parse(_TABLE.read_text(encoding="utf-8"))


@lru_cache(maxsize=4)
def _rulebook(policy: Policy) -> Rulebook:
    return Rulebook(table(), policy)


@lru_cache(maxsize=16)
def _identity(key: Key, partner: str, others: tuple[Key, ...]) -> Identity:
    return Identity(key, partner, others)


@lru_cache(maxsize=4)
def _memory(_key: Key, _partner: str, _others: tuple[Key, ...], _policy: Policy) -> Memory:
    """What files of one partner taught, under the same keys and one policy."""
    return Memory()


def clean_instances(pairs: Sequence[tuple[Path, Path]], task: Task) -> tuple[Receipt, ...]:
    """Clean each source into its target, in one call: a call costs as much as a small file."""
    return tuple(clean_instance(source, target, task) for source, target in pairs)


def clean_instance(source: Path, target: Path, task: Task) -> Receipt:
    """Clean `source` into `target`, read that again and verify it.

    A file that is no sound DICOM, before or after, is held as unreadable, and no target is left.
    """
    try:
        return _cleaned(source, target, task)
    except UnreadableError as error:
        target.unlink(missing_ok=True)
        raw = task.hashes.get(source.name) or _sha256(source)
        return Receipt("", "", raw, "", 0, (), (Doubt("unreadable", error.detail),))


def _cleaned(source: Path, target: Path, task: Task) -> Receipt:
    with _opened(source) as raw:
        raw_sha256 = task.hashes.get(source.name) or _hashed(raw, source)
        file = read_part10(raw)
        order = order_of(file, task, task.told.get(str(source), task.knows))
        seen, may_say = _looked(source, file, order.identity, task)
        cleaner = Cleaner(file, order, seen.blanks, may_say)
        forbidden = cleaner.forbidden()
        written = _write_blanked(target, cleaner, forbidden)
        uids = cleaner.new_uid(SOP_INSTANCE), cleaner.new_uid(STUDY_INSTANCE)
        old = originals_of(file, order.identity) if task.way_back else Originals()
    with mapped(target) as clean:  # little of it is looked at
        left = remaining(read_part10(clean), order, forbidden, found=written.found)
    actions = tuple(sorted(cleaner.actions.items()))
    wrote, doubted = (written.sha256, written.size), (*seen.doubts, *written.doubts, *left)
    return Receipt(*uids, raw_sha256, *wrote, actions, doubted, order.subject, old, seen.places)


def _looked(source: Path, file: Part10, identity: Identity, task: Task) -> tuple[Seen, Stated]:
    """What the pixels showed, and what may be said of them."""
    pixels, before = facts(file), codes_before(file, identity)
    if before is None:  # anybody can write that we cleaned it
        pixels = replace(pixels, cleaned=False)
    verdict = judged(pixels, task.policy)
    if before is not None:
        verdict = replace(verdict, doubts=standing(verdict.doubts, pixels))
    seen = looked(source, file, verdict, task.drawn.get(source.name, ()))
    return seen, stated(pixels, task.policy, seen.doubts, before)


@dataclass(frozen=True, slots=True)
class _Written:
    """What went to the disk; `found`: one of the identifiers was in it."""

    sha256: str
    size: int
    found: bool
    doubts: tuple[Doubt, ...] = ()


def _write_blanked(target: Path, cleaner: Cleaner, forbidden: Identifiers) -> _Written:
    """What can't be blanked, or not be told, is held, and written without its pixels."""

    def search() -> Search:
        return Search(forbidden, cleaner.disguised())

    try:
        return _write(target, cleaner, search())
    except UnblankableError as error:
        doubt = Doubt("text_not_removable", f"text was found and can't be taken out: {error}")
    except UnwalkableError as error:
        doubt = Doubt(
            "stream_not_understood", f"what the pixels hold can't be told: {error.detail}"
        )
    cleaner.blanks = None
    return replace(_write(target, cleaner, search()), doubts=(doubt,))


def _write(target: Path, cleaner: Cleaner, search: Search) -> _Written:
    """Write, hash and search in one pass: no byte is touched twice, and none is kept."""
    digest, size, seen = hashlib.sha256(), 0, 0
    with target.open("wb", buffering=0) as file:

        def take(piece: bytes | memoryview) -> None:
            digest.update(piece)
            left = memoryview(piece)
            while left:
                left = left[file.write(left) :]

        take(cleaner.before)
        search.feed_header(cleaner.before)
        for piece in cleaner.pixels():
            take(piece)
            search.feed(piece)
            seen += len(piece)
            if seen >= _RESIDENT and isinstance(cleaner.file.buffer, mmap):
                cleaner.file.buffer.madvise(MADV_DONTNEED)  # pages of the raw file, read and done
                seen = 0
        take(cleaner.after)
        search.feed_header(cleaner.after)
        size = file.tell()
    return _Written(digest.hexdigest(), size, search.found)


def subject_of(source: Path, task: Task) -> Subject | None:
    """Whose file this is; None when it can't be read."""
    try:
        with mapped(source) as raw:
            file = read_part10(raw)
            return _subject(_identity(task.key, task.partner, task.others), file, task)
    except UnreadableError:
        return None


def order_of(file: Part10, task: Task, knows: Known) -> Order:
    """For whom, and by which rules, the file is cleaned."""
    identity = _identity(task.key, task.partner, task.others)
    patient = file.string(_PATIENT_ID)
    memory = _memory(task.key, task.partner, task.others, task.policy)
    subject = task.subject or _remembered(identity, file, task, memory)
    if identity.owns_pseudonym(patient):  # its dates have moved already
        subject = replace(subject, shift_days=0)
    return Order(identity, subject, _rulebook(task.policy), memory, knows)


def _remembered(identity: Identity, file: Part10, task: Task, memory: Memory) -> Subject:
    """The subject of the same Patient ID, case and study is the same."""
    shelf = memory.shelf("subject", Subject)
    who = (file.string(_PATIENT_ID), task.case, task.pseudonym, file.string(STUDY_INSTANCE))
    found = shelf.get(who)
    if found is None:
        found = shelf[who] = _subject(identity, file, task)
    return found


def _subject(identity: Identity, file: Part10, task: Task) -> Subject:
    case = task.case or f"study:{file.string(STUDY_INSTANCE)}"
    found = identity.subject(file.string(_PATIENT_ID), case)
    if task.pseudonym in {None, found.pseudonym}:
        return found
    return identity.subject("", case)  # the case was named when it had no image yet


@contextmanager
def _opened(path: Path) -> Iterator[bytes | mmap]:
    """A small file is read; a large one is mapped, and costs no memory."""
    with _descriptor(path) as file:
        size = os.fstat(file).st_size
        content = _read(file, size) if size <= _SMALL else None
    if content is None:
        with mapped(path) as raw:
            yield raw
    else:
        yield content


def _read(file: int, size: int) -> bytes:
    """All of an open file; in one call, but for what comes or goes meanwhile."""
    content = os.read(file, size + 1)
    while len(content) < size and (more := os.read(file, size - len(content))):
        content += more
    return content


@contextmanager
def mapped(path: Path) -> Iterator[mmap]:
    """A file as bytes that are read when they are looked at; raises UnreadableError when empty."""
    with _descriptor(path) as file:
        if os.fstat(file).st_size == 0:
            raise UnreadableError("not_dicom", "the file is empty")
        with mmap(file, 0, access=ACCESS_READ) as mapped:
            yield mapped


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    """An open file, for half of what Path.open takes."""
    file = os.open(path, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)


def _hashed(raw: bytes | mmap, source: Path) -> str:
    return hashlib.sha256(raw).hexdigest() if isinstance(raw, bytes) else _sha256(source)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
