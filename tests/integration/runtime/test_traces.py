"""One trace from a case's submission to its last event, whoever acts in between."""

from typing import Any

from shared.contracts.envelope import Recorded
from shared.runtime import tracing
from shared.runtime.feed import incoming
from shared.runtime.handle import Incoming, Runner
from shared.runtime.postgres import Pool
from shared.runtime.timers import Timer
from shared.runtime.wire import Readable
from tests.integration.runtime.messages import message
from tests.integration.runtime.tally import case, told

HOSPITAL = f"00-{'a' * 32}-{'1' * 16}-01"
READER = f"00-{'b' * 32}-{'2' * 16}-01"
TRACES = "SELECT traceparent FROM outbox ORDER BY seq"


def readable(recorded: Recorded, traceparent: str) -> Readable:
    given = message(recorded)
    return Readable(given, recorded.event_id, recorded.case_id, recorded.event, traceparent)


async def test_a_persons_request_goes_on_in_the_cases_trace(
    runner: Runner[Any], pool: Pool
) -> None:
    first, second, third = told(1, 1, "alarm"), told(1, 2), told(2, 1)

    await runner.handle([incoming(readable(first, HOSPITAL))])
    await runner.handle([Incoming(second.event_id, case(1), second.event, READER)])
    due = Timer(case(1), "alarm", first.recorded_at.replace(month=1, day=1, hour=0, second=0))
    await runner.handle([Incoming(due.input_id, case(1), due.reached(), timer=due)])
    await runner.handle([Incoming(third.event_id, case(2), third.event, READER)])

    found = [row["traceparent"] for row in await pool.fetch(TRACES)]
    assert found == [HOSPITAL, HOSPITAL, HOSPITAL, READER]


def test_a_step_of_the_same_trace_keeps_its_own_cause() -> None:
    later = f"00-{'a' * 32}-{'3' * 16}-01"

    assert tracing.parent(HOSPITAL, later) == later
    assert tracing.parent(HOSPITAL, READER) == HOSPITAL
    assert tracing.parent(HOSPITAL, "") == HOSPITAL
    assert tracing.parent(None, READER) == READER
