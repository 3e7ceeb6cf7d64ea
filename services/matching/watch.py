"""Who looks over all cases at once? One replica at a time: forecasts, and reconciliation.

It changes no case: what it finds it submits to the case's decider, or says by figure and log.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from prometheus_client import Gauge

from services.matching.domain.forecast import HOUR, Supply, expected
from services.matching.domain.inputs import ForecastMade
from services.matching.domain.reader import Reader
from services.matching.domain.state import Matching
from services.matching.gateways import calendar
from services.matching.store import calendars, roster, watch
from services.matching.store.watch import ACCOUNTED, FAULTS
from shared.contracts.base import CaseId
from shared.contracts.envelope import derived_id
from shared.runtime import clock, telemetry
from shared.runtime.postgres import Db, session
from shared.runtime.service import Core

CANDIDATE_SECONDS: Final = 2.0
# Twice this, and the grace, are less than the minute within which a lost case must alarm.
LOOK_SECONDS: Final = 10.0
GRACE: Final = timedelta(seconds=30)
# Calendars are unfolded anew when they reach less far ahead than this.
REACH: Final = calendar.AHEAD - timedelta(days=7)
AT_ONCE: Final = 20
NAMED: Final = 50  # lost cases that are logged each by its id; the figure counts them all

ACCOUNTS = Gauge("overread_accounted_cases", "Cases by account", ["account"])
UNACCOUNTED = Gauge(
    "overread_unaccounted_cases",
    "Cases neither running, nor waiting for an owner, nor ended",
    ["fault"],
)
FORETOLD_LATE = Gauge("overread_forecast_late_cases", "Running cases expected after their deadline")
log = telemetry.logger(__name__)


@dataclass(slots=True)
class Watch:
    """Looks again and again, whenever it leads. `look_seconds` apart."""

    core: Core[Matching]
    look_seconds: float = LOOK_SECONDS
    grace: timedelta = GRACE
    _supply: Supply | None = None
    _revision: int = -1
    _named: set[UUID] = field(default_factory=set)

    async def run(self) -> None:
        async with session(self.core.pool) as db:
            while not await watch.lead(db):  # noqa: ASYNC110 - a lock tells nobody that it is free
                await asyncio.sleep(CANDIDATE_SECONDS)
            try:
                while True:
                    now = clock.now()
                    await self.reconcile(db, now)
                    await self.foretell(db, now)
                    await self.unfold(now)
                    await asyncio.sleep(self.look_seconds)
            finally:
                for gauge in (ACCOUNTS, UNACCOUNTED):
                    gauge.clear()

    async def reconcile(self, db: Db, now: datetime) -> None:
        """Count every case in its account, and raise the alarm for each in none."""
        found = await watch.sums(db, now - self.grace)
        for account in ACCOUNTED:
            ACCOUNTS.labels(account).set(found.get(account, 0))
        for fault in FAULTS:
            UNACCOUNTED.labels(fault).set(found.get(fault, 0))
        astray = await watch.astray(db, now - self.grace, NAMED)
        for one in astray:
            if one.case_id not in self._named:
                log.error("case_unaccounted", case_id=str(one.case_id), cause=one.fault)
        self._named = {one.case_id for one in astray}

    async def foretell(self, db: Db, now: datetime) -> None:
        """Say when each report is expected; what will be late hears of it before its breach."""
        supply = await self._supplied(db, now)
        found = list(expected(await watch.queue(db), supply, now))
        await watch.foretell(db, {one.case_id: at for one, at in found})
        late = [(one, at) for one, at in found if at > one.due_at]
        FORETOLD_LATE.set(len(late))
        calm = await watch.calm(db)
        for one, at in late:
            if one.case_id in calm:
                case_id = CaseId(one.case_id)
                told = ForecastMade(case_id=case_id, expected_at=at)
                input_id = derived_id(case_id, "forecast", now.isoformat())
                await self.core.runner.submit(told, input_id=input_id)

    async def unfold(self, now: datetime) -> None:
        """Read on in the calendars whose periods end too soon, a few at a time."""
        async with self.core.pool.acquire() as db:
            for one in await calendars.short(db, now + REACH, AT_ONCE):
                async with db.transaction():
                    known = await calendars.lock(db, one.reader)
                    if known is None:
                        continue
                    unfolded = await asyncio.to_thread(_unfolded, one, known, now)
                    await calendars.keep(db, known, one, unfolded, now)

    async def _supplied(self, db: Db, now: datetime) -> Supply:
        """Give who reads how much when; it is worked out anew by the hour, or for a new roster."""
        revision = await roster.revision(db)
        old = self._supply
        if old is None or revision != self._revision or now - old.since >= HOUR:
            known, paces = await roster.readers(db), await watch.paces(db, now)
            self._supply = old = await asyncio.to_thread(Supply.of, known, paces, now)
            self._revision = revision
        return old


def _unfolded(one: calendars.Calendar, known: Reader, now: datetime) -> calendars.Unfolded:
    """Unfold a calendar; one that was sound as it came and is no longer keeps what it said."""
    try:
        found = calendar.periods(one.content, known, one.kind, one.source, now)
    except calendar.CalendarBroken:
        log.exception("calendar_broken", reader=one.reader)
        found = tuple(each for each in known.calendar if each.source == one.source)
    return calendars.Unfolded(found, now + calendar.AHEAD)
