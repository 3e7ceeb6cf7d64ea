"""The connection is cut as COMMIT is sent: nobody knows whether it happened; it happens once."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from shared.contracts.envelope import derived_id
from shared.contracts.intake import InformationProvided
from shared.runtime.feed import Feed, incoming
from shared.runtime.handle import Runner
from shared.runtime.jobs import Worker
from shared.runtime.patience import Patience
from shared.runtime.postgres import Pool, Wakeups, open_pool
from shared.runtime.wire import Readable, read
from tests.integration.runtime.messages import WANTED, message
from tests.integration.runtime.proxy import Cut, Proxy
from tests.integration.runtime.tally import NAMESPACE, SERVICE, TALLY, Tally, case, load, save, told
from tests.integration.runtime.test_jobs import done
from tests.integration.runtime.test_timers import Serving

COUNT = "SELECT count FROM tallies WHERE case_id = $1"
CUTS: tuple[Cut, ...] = ("before", "after")


@pytest.fixture
async def proxy(dsn: str) -> AsyncIterator[Proxy]:
    parts = urlsplit(dsn)
    async with Proxy(parts.hostname or "", parts.port or 0).running() as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: Proxy, dsn: str, pool: Pool) -> AsyncIterator[Runner[Tally]]:
    """A runner on the other side of the proxy; `pool` has made the tables."""
    async with open_pool(proxy.of(dsn), SERVICE) as far_pool:
        yield Runner(SERVICE, far_pool, TALLY, load, save)


@pytest.mark.parametrize("cut", CUTS)
async def test_the_cut_is_real(proxy: Proxy, far: Runner[Any], pool: Pool, cut: Cut) -> None:
    readable = read(message(told(1, 1)), WANTED)
    assert isinstance(readable, Readable)
    proxy.cut = cut

    with pytest.raises(Exception, match=r"clos|reset|lost"):
        await far.handle([incoming(readable)])

    assert await pool.fetchval(COUNT, case(1)) == (None if cut == "before" else 1)


@pytest.mark.parametrize("cut", CUTS)
async def test_a_batch_has_one_effect(proxy: Proxy, far: Runner[Any], pool: Pool, cut: Cut) -> None:
    feed = Feed(far, WANTED, Patience(longest=0.1))
    batch = [message(told(n, nth), 10 * n + nth) for n in range(5) for nth in range(3)]
    proxy.cut = cut

    await feed(batch)
    await feed(batch)

    assert proxy.cuts == 1
    rows = await pool.fetch("SELECT count FROM tallies")
    assert [row["count"] for row in rows] == [3] * 5
    assert await pool.fetchval("SELECT count(DISTINCT id) FROM outbox") == 15
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 15


@pytest.mark.parametrize("cut", CUTS)
async def test_a_person_gets_an_answer_for_what_happened_once(
    proxy: Proxy, dsn: str, far: Runner[Any], pool: Pool, cut: Cut
) -> None:
    received = InformationProvided(case_id=case(1), partner="north")
    async with Serving(far, dsn) as serving:
        proxy.cut = cut
        outcome = await serving.submissions.submit(received, input_id=derived_id(NAMESPACE, "key"))

    assert outcome.state.count == 1
    assert outcome.duplicate == (cut == "after")
    assert await pool.fetchval(COUNT, case(1)) == 1


@pytest.mark.parametrize("cut", CUTS)
async def test_a_deadline_speaks_once(
    proxy: Proxy, dsn: str, far: Runner[Any], pool: Pool, cut: Cut
) -> None:
    await Feed(far, WANTED)([message(told(1, 1, "alarm"))])

    async with Serving(far, dsn) as serving:
        proxy.cut = cut
        assert await serving.ticker().tick() == 1

    assert await pool.fetchval(COUNT, case(1)) == 2
    assert await pool.fetchval("SELECT count(*) FROM timers") == 0


@pytest.mark.parametrize("cut", CUTS)
async def test_a_job_has_one_result(
    proxy: Proxy, dsn: str, far: Runner[Any], pool: Pool, cut: Cut
) -> None:
    await Feed(far, WANTED)([message(told(1, 1, "work"))])
    async with Serving(far, dsn) as serving:
        worker = Worker(far.pool, SERVICE, {}, serving.submissions.result, Wakeups(dsn, SERVICE))
        [job] = await worker.claim(1)
        proxy.cut = cut
        await worker.submit(job, done(job))

    assert await pool.fetchval(COUNT, case(1)) == 2
    assert await pool.fetchval("SELECT count(*) FROM jobs") == 0
