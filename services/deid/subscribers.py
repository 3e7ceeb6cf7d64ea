"""Whose events does deid want?"""

from collections.abc import Mapping

from shared.contracts.base import Event
from shared.contracts.intake import CaseAccepted, CaseCancelled, CaseSupplemented

LISTENS: Mapping[str, tuple[type[Event], ...]] = {
    "intake": (CaseAccepted, CaseSupplemented, CaseCancelled),
}
