"""What did readers say in a run, as far as the oracle must know? By numbers of case and reader."""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentOffered,
    AssignmentReleased,
    OfferDeclined,
)

Said: TypeAlias = AssignmentAccepted | AssignmentOffered | AssignmentReleased | OfferDeclined
SAID_OF_A_READER: Final = (
    AssignmentAccepted,
    AssignmentOffered,
    AssignmentReleased,
    OfferDeclined,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading that somebody else was asked to judge."""

    at: float
    reader: int


@dataclass(slots=True)
class Record:
    """Who said no to a case or gave it back, and when; to whom it was offered as broadened.

    `read`: who read it before somebody else was asked to decide.
    """

    declined: dict[tuple[int, int], float] = field(default_factory=dict)
    given_back: list[tuple[float, int, int]] = field(default_factory=list)
    broadened: set[tuple[int, int]] = field(default_factory=set)
    read: dict[int, Reading] = field(default_factory=dict)

    def note(self, event: Said, at: float, case: int, reader: int) -> None:
        match event:
            case AssignmentOffered(broad=True):
                self.broadened.add((case, reader))
            case OfferDeclined(reason="too_busy"):
                pass  # no more than for now: they may ask for it themselves
            case OfferDeclined():
                self.declined.setdefault((case, reader), at)
            case AssignmentReleased(reason="adjudication"):
                self.read[case] = Reading(at, reader)
                self.given_back.append((at, case, reader))
            case AssignmentReleased():
                self.given_back.append((at, case, reader))
            case _:
                pass
