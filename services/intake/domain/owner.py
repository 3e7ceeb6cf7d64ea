"""May this caller change this case, and can the case still be changed?"""

from services.intake.domain.state import Cancelled, Known, Rejected
from shared.contracts.base import PartnerId
from shared.decider import Refused

NOT_FOUND = Refused("not_found", "There is no such case.")


def refusal(state: Known, partner: PartnerId | None) -> Refused | None:
    """Refuse who does not own the case (for them it does not exist), and changes after its end."""
    if partner is not None and partner != state.file.request.partner:
        return NOT_FOUND
    match state:
        case Cancelled():
            return Refused("already_cancelled", "The case was cancelled; submit a new one.")
        case Rejected():
            return Refused("already_rejected", "The case was rejected; submit a new one.")
        case _:
            return None
