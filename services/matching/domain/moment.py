"""When, and under which contracts, is it decided? Given as values, since a domain has no clock."""

from dataclasses import dataclass
from datetime import datetime

from services.matching.domain.author import UNKNOWN, Author
from services.matching.domain.contract import Contracts


@dataclass(frozen=True, slots=True)
class Moment:
    """`owed_at` is when a report would be owed by a reader who accepts now.

    `author` is how the roster knows who made the first report.
    """

    now: datetime
    owed_at: datetime
    contracts: Contracts
    author: Author = UNKNOWN
