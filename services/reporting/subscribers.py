"""Whose events does reporting want?"""

from collections.abc import Mapping

from shared.contracts.base import Event
from shared.contracts.deid import CaseDeidentified
from shared.contracts.intake import CaseAccepted, CaseCancelled
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentReleased,
    AssignmentRevoked,
    CaseSplit,
)

LISTENS: Mapping[str, tuple[type[Event], ...]] = {
    "intake": (CaseAccepted, CaseCancelled),
    "deid": (CaseDeidentified,),
    "matching": (
        CaseSplit,
        AssignmentAccepted,
        AssignmentReleased,
        AssignmentRevoked,
        AssignmentClosed,
    ),
}
