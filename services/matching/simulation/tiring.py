"""How much has each reader done in their stint? As the running service counts it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from services.matching.domain.duty import Caps
from services.matching.domain.effort import rvu
from services.matching.domain.eligibility import RESTED, Work
from services.matching.domain.reader import Reader
from services.matching.domain.stint import counted_from, overdue
from services.matching.simulation.people import Folder
from services.matching.simulation.record import Said
from shared.contracts.matching import AssignmentAccepted, AssignmentReleased


class Tiring:
    """What readers with caps accepted, and did not give back, in seconds since 1970."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = readers
        self.capped = [one.caps != Caps() for one in readers]
        self._looked: dict[int, tuple[float, bool]] = {}
        self._taken: defaultdict[int, dict[int, tuple[float, float]]] = defaultdict(dict)

    def note(self, event: Said, at: float, folder: Folder, reader: int) -> None:
        if not self.capped[reader]:
            return
        self._looked.pop(reader, None)
        if isinstance(event, AssignmentAccepted):
            self._taken[reader][folder.number] = at, rvu(folder.arrival.accepted.modalities)
        elif isinstance(event, AssignmentReleased):
            self._taken[reader].pop(folder.number, None)

    def work(self, reader: int, now: float) -> Work:
        """Give what they did since their stint began."""
        if not self._taken.get(reader):
            return RESTED
        since = counted_from(self.readers[reader], datetime.fromtimestamp(now, UTC))
        if since is None:
            return RESTED
        done = [rvu for at, rvu in self._taken[reader].values() if at >= since.timestamp()]
        return Work(cases=len(done), rvu=sum(done)) if done else RESTED

    def works(self, now: float) -> dict[str, Work]:
        found = {n: self.work(n, now) for n in self._taken}
        return {self.readers[n].id: done for n, done in found.items() if done != RESTED}

    def tired(self, reader: int, now: float) -> bool:
        """Tell whether they would be given nothing more: their app knows, and does not ask."""
        if not self.capped[reader]:
            return False
        minute = now // 60
        if self._looked.get(reader, (0.0, False))[0] != minute:
            self._looked[reader] = minute, self._tired(reader, now)
        return self._looked[reader][1]

    def _tired(self, reader: int, now: float) -> bool:
        known, done = self.readers[reader], self.work(reader, now)
        full = known.caps.rvu is not None and done.rvu >= known.caps.rvu
        reached = full or known.caps.reached(done.cases)
        return reached or overdue(known, datetime.fromtimestamp(now, UTC))
