"""When is a failed delivery tried again?"""

from datetime import datetime, timedelta

from shared.contracts.base import CaseId
from shared.contracts.envelope import derived_id

# Standard Webhooks, "Deliverability and reliability": the pause before each attempt. It reaches
# 75 h 35 min after the first one.
SCHEDULE: tuple[timedelta, ...] = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.1  # at most so much longer, so that what failed together does not come back together
LONGEST_WISH = timedelta(hours=24)  # a Retry-After beyond the longest pause is not believed
IDENTITY_PATIENCE = timedelta(minutes=10)  # topics may run apart by minutes, not by more


def next_attempt_at(
    case_id: CaseId, delivery: str, made: int, now: datetime, wish: timedelta | None = None
) -> datetime | None:
    """Say when to try again after `made` attempts of this round; None when none is left.

    `wish` is the other end's Retry-After: it can put the attempt off, never bring it forward.
    """
    if made >= len(SCHEDULE):
        return None
    pause = SCHEDULE[made]
    share = derived_id(case_id, delivery, made).int % 1000 / 1000
    patient = pause * (1 + JITTER * share)
    return now + max(patient, min(wish or timedelta(0), LONGEST_WISH))
