"""What does a reader's yes, no or never mind lead to?"""

from collections.abc import Iterable, Mapping
from typing import Final

from services.matching.domain import events as own
from services.matching.domain.eligibility import Candidate, barred
from services.matching.domain.inputs import AcceptOffer, DeclineOffer, ReleaseAssignment
from services.matching.domain.moment import Moment
from services.matching.domain.state import (
    AskedReader,
    Assigned,
    Assignment,
    Brief,
    Offered,
    Standing,
    asked_of,
)
from shared.contracts.base import Event, ReaderId
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentReleased,
    OfferDeclined,
    OfferWithdrawn,
)
from shared.decider import Refused

Answers = Iterable[Event | Refused]

NOT_FOUND: Final = Refused("not_found", "You have no such offer or assignment.")
# What one hears who answers an offer that has become something else.
TOO_LATE: Final[Mapping[Standing, Refused]] = {
    "declined": Refused("offer_declined", "You declined this offer."),
    "expired": Refused("offer_expired", "The offer expired before you answered."),
    "lapsed": Refused("offer_expired", "The offer expired before you answered."),
    "withdrawn": Refused("offer_withdrawn", "The offer was withdrawn."),
    "outdone": Refused("offer_withdrawn", "The offer was withdrawn: somebody fits better."),
    "taken": Refused("already_taken", "Another reader took the case first."),
    "assigned": Refused("already_accepted", "You accepted this case; release it instead."),
    "released": Refused("assignment_released", "You gave this case back."),
    "revoked": Refused("assignment_revoked", "The case was taken back from you."),
    "hurried": Refused(
        "assignment_revoked", "The case became more urgent, and goes to who can begin it now."
    ),
    "done": Refused("case_closed", "Your part in it is done."),
}


def accepted(
    state: Assignment, received: AcceptOffer, moment: Moment, *, asks: bool = False
) -> Answers:
    """The first yes wins. Who may no longer read is refused: licences end, rosters change.

    `asks`: the reader asked for the case, so that an offer which they missed is not held against
    them.
    """
    offer = _asked(state, received.assignment, received.reader.id)
    if offer is None:
        yield NOT_FOUND
    elif offer.standing == "assigned":
        return  # said twice
    elif offer.standing != "offered":
        yield TOO_LATE[offer.standing]
    elif offer.expires_at <= moment.now:
        yield TOO_LATE["expired"]
    elif isinstance(state, Offered):
        yield from _taken(state.brief, offer, received, moment, asks=asks)


def _taken(
    brief: Brief, offer: AskedReader, received: AcceptOffer, moment: Moment, *, asks: bool
) -> Answers:
    candidate = Candidate(received.reader, received.load, received.work)
    question = brief.question(moment, broad=offer.broad, paged=offer.paged, asks=asks)
    excluded = barred(question, candidate)
    if excluded is not None:
        yield Refused("not_eligible", excluded.says)
        return
    for one in brief.offers:
        if one.assignment != offer.assignment:
            yield OfferWithdrawn(
                case_id=received.case_id,
                assignment=one.assignment,
                reader=one.reader,
                reason="taken",
            )
    yield AssignmentAccepted(
        case_id=received.case_id,
        partner=brief.need.partner,
        assignment=offer.assignment,
        reader=offer.reader,
        role=brief.role,
        due_at=moment.owed_at,
        regions=brief.regions,
    )
    if received.reader.groups:
        yield own.GroupsNoted(
            case_id=received.case_id, assignment=offer.assignment, groups=received.reader.groups
        )


def declined(state: Assignment, received: DeclineOffer, _moment: Moment) -> Answers:
    offer = _asked(state, received.assignment, received.reader)
    if offer is None:
        yield NOT_FOUND
    elif offer.standing == "offered":
        yield OfferDeclined(
            case_id=received.case_id,
            assignment=offer.assignment,
            reader=offer.reader,
            reason=received.reason,
        )
    elif offer.standing != "declined":
        yield TOO_LATE[offer.standing]


def released(state: Assignment, received: ReleaseAssignment, _moment: Moment) -> Answers:
    offer = _asked(state, received.assignment, received.reader)
    if offer is None:
        yield NOT_FOUND
    elif offer.standing == "assigned" and (offer.beside or isinstance(state, Assigned)):
        yield AssignmentReleased(
            case_id=received.case_id,
            assignment=offer.assignment,
            reader=offer.reader,
            reason=received.reason,
        )
    elif offer.standing == "offered":
        yield Refused("not_accepted", "This is still an offer; decline it instead.")
    elif offer.standing != "released":
        yield TOO_LATE[offer.standing]


def _asked(state: Assignment, assignment: str, reader: ReaderId) -> AskedReader | None:
    """Find the reader's own offer; another's is none."""
    found = asked_of(state, assignment)
    return found if found and found.reader == reader else None
