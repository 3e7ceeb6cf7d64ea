"""Whom does a raw image know? Names, numbers, places and dates of its header, at any depth.

Only the raw images and the documents in the vault tell deid who the patient is; the sealed identity
can't be read here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.deid.domain.text.known import Known
from services.deid.gateways.instance import Task, mapped, order_of
from services.deid.gateways.survey import known
from shared.runtime.dicom import UnreadableError, read_part10
from shared.runtime.dicom.header import STUDY_INSTANCE


@dataclass(frozen=True, slots=True)
class Told:
    """Whose file it is, by pseudonym, of which study, and whom and what it knows."""

    pseudonym: str
    study: str
    known: Known


def known_in_all(sources: Sequence[Path], task: Task) -> tuple[Told | None, ...]:
    """What each of several raw files knows, and whose it is; None for one that can't be read.

    Runs in a sandboxed child. Files of a series that name the same people are read as fast as
    their headers are told to be alike, and give the same object, which is sent but once.
    """
    return tuple(_told(source, task) for source in sources)


def _told(source: Path, task: Task) -> Told | None:
    try:
        with mapped(source) as raw:
            file = read_part10(raw)
            order = order_of(file, task, Known())
            found = known(file, order.rulebook, order.identity, order.memory).told
            return Told(order.subject.pseudonym, file.string(STUDY_INSTANCE), found)
    except (UnreadableError, OSError):  # whoever cleans it will say so
        return None
