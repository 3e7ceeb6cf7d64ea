"""How does a partner follow its cases without asking again and again? Its log, as it grows."""

from collections.abc import AsyncIterator, Callable
from typing import Final

from services.intake.domain.state import State
from services.intake.store import cases
from services.intake.store.cases import LOG_CHANNEL, Entry
from shared.runtime.errors import Problem
from shared.runtime.http import ServerEvent
from shared.runtime.service import Core

PAGE: Final = 200
LOOK_AGAIN_SECONDS: Final = 1.0  # a lost notification costs this much


def following(
    core: Core[State], partner: str | None
) -> Callable[[str | None], AsyncIterator[ServerEvent]]:
    """Give a source of a partner's log (None: of all), after the entry with a given id."""

    async def source(last: str | None) -> AsyncIterator[ServerEvent]:
        after = place(last)
        while True:
            async with core.pool.acquire() as db:
                entries = await cases.read_log(db, partner, after, PAGE)
            for entry in entries:
                yield _event(entry)
                after = entry.seq
            if not entries:
                await core.wakeups.wait(LOG_CHANNEL, LOOK_AGAIN_SECONDS)

    return source


def place(last: str | None) -> int:
    """Give the number of the last entry that was seen; raises Problem for what is none of ours."""
    if not last:
        return 0
    if not last.isascii() or not last.isdigit() or len(last) > 18:  # noqa: PLR2004 - a bigint
        raise Problem(422, "invalid-request", "Last-Event-ID is not one of ours: leave it out.")
    return int(last)


def _event(entry: Entry) -> ServerEvent:
    """Give the entry as a CloudEvent in JSON, which is how the partner talks to us too."""
    return ServerEvent(
        id=str(entry.seq),
        event=entry.type,
        data={
            "specversion": "1.0",
            "id": str(entry.event_id),
            "source": "/overread/intake",
            "type": entry.type,
            "subject": str(entry.case_id),
            "time": entry.at.isoformat(),
            "data": entry.data,
        },
    )
