"""Who knows what, patient by patient? All headers are read before the first file is cleaned.

A patient's files are searched for whatever any of them knows. Where that is more than anybody's
files say, as when one number stands for everybody, a study's files know what the study's do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.deid.domain.text.known import Known
from services.deid.gateways.instance import Task
from services.deid.gateways.known import Told, known_in_all
from shared.runtime.dicom import UnreadableError
from shared.runtime.sandbox import Sandbox

MOST = 2000  # identifiers of one patient: each value of each file is compared with all of them
NOBODY = Known()


@dataclass(frozen=True)
class Patients:
    """What the headers of several files told, by path."""

    told: Mapping[Path, Told]
    people: Mapping[str, Known]
    studies: Mapping[tuple[str, str], Known]

    @classmethod
    def of(cls, told: Mapping[Path, Told]) -> "Patients":
        """Put together what they know of each patient, and of each one's studies."""
        studies: dict[tuple[str, str], dict[Known, None]] = {}
        for one in told.values():
            studies.setdefault((one.pseudonym, one.study), {})[one.known] = None
        joined = {key: Known.union(several) for key, several in studies.items()}
        people: dict[str, list[Known]] = {}
        for (pseudonym, _), known in joined.items():
            people.setdefault(pseudonym, []).append(known)
        return cls(told, {who: Known.union(several) for who, several in people.items()}, joined)

    @property
    def everyone(self) -> Known:
        return Known.union(self.people.values())

    def known_to(self, path: Path) -> Known:
        """What a file must not tell; an unreadable one will not be told to anybody."""
        one = self.told.get(path)
        if one is None:
            return NOBODY
        person = self.people[one.pseudonym]
        return person if person.size <= MOST else self.studies[one.pseudonym, one.study]


async def told_by_all(
    sandbox: Sandbox, sources: Sequence[Path], task: Task
) -> tuple[Told | None, ...]:
    """One for each file; None for one that can't be read or that kills the child by itself."""
    try:
        return await sandbox.run(known_in_all, sources, task)
    except UnreadableError:
        if len(sources) == 1:
            return (None,)
    return tuple([(await told_by_all(sandbox, [one], task))[0] for one in sources])
