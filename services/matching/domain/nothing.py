"""Why does a reader who asks for the next case get none? Nothing is theirs, or it is held back."""

from datetime import datetime
from typing import Final, Literal, TypeAlias

import numpy as np

from services.matching.domain.chosen import SHOWN, HeldBack, held
from services.matching.domain.directed import Directed
from shared.contracts.base import Code, Frozen

Reason: TypeAlias = Literal[
    "nothing_waits", "none_is_theirs", "held_for_others", "kept_ready", "refused"
]
SAYS: Final[dict[Reason, str]] = {
    "nothing_waits": "No case waits for a reader.",
    "none_is_theirs": "Cases wait, but none that this reader may read.",
    "held_for_others": "What waits is held for right subspecialists who are forecast to come.",
    "kept_ready": "What waits can wait: this reader is kept ready for urgent cases.",
    "refused": "The rules refused the cases that were looked at.",
}


class Nothing(Frozen):
    """Why nothing, by which policy. `waiting` cases were in the pool, of which `theirs` to read.

    `held_back`: the most urgent of theirs, each with whom it is held for, or put off.
    """

    reason: Reason
    says: str
    policy: Code
    waiting: int = 0
    theirs: int = 0
    held_back: tuple[HeldBack, ...] = ()


def nothing(
    directed: Directed, reader: int | None, now: datetime, refused: str | None = None
) -> Nothing:
    """Say why nothing was found. `refused`: what a case's decider answered, if one was asked."""
    pool, at = directed.pool, now.timestamp()
    theirs = np.zeros(0, np.intp) if reader is None else directed.held_back(reader, at)
    first = theirs[np.argsort(pool.latest[theirs], kind="stable")][:SHOWN]
    each = tuple(held(directed, int(row), reader) for row in first) if reader is not None else ()
    waiting = int(pool.waits.sum())
    reason: Reason = "none_is_theirs" if waiting else "nothing_waits"
    if refused is not None:
        reason = "refused"
    elif each:
        reason = "kept_ready" if each[0].put_off else "held_for_others"
    return Nothing(
        reason=reason,
        says=refused or SAYS[reason],
        policy=pool.policy.name,
        waiting=waiting,
        theirs=len(theirs),
        held_back=each,
    )
