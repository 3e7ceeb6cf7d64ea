"""What comes in a simulation: a case, and what nobody knows of it before it was read."""

from dataclasses import dataclass

from shared.contracts.intake import CaseAccepted


@dataclass(frozen=True, slots=True)
class Arrival:
    """A case as it comes, and what nobody knows before it was read.

    `minutes` is the reading by a right subspecialist of usual speed. `luck` is a number in [0, 1)
    for each time that somebody is asked, so that all policies meet the same luck. `adjudicated`:
    whoever reads it first asks for a third reader.
    """

    accepted: CaseAccepted
    at: float
    opens_at: float
    due_at: float
    minutes: float
    luck: tuple[float, ...]
    adjudicated: bool = False
