"""A short storm over all five services: nothing lost, nothing doubled, nothing out of order."""

import gc
from pathlib import Path

import pytest

from shared.testing.storm.run import Forecast, Storm


# Brokers that are killed leave sockets to the Kafka client, which it forgets to close.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(480)
async def test_a_short_storm_costs_nothing(tmp_path: Path) -> None:
    storm = Storm(Forecast(cases=6, seconds=10, seed=4), tmp_path, tell=print)

    ledger = await storm.rage()
    gc.collect()

    assert ledger.flaws == []
    assert ledger.finished == ledger.accepted == 6
    assert ledger.absorbed > 0
    assert ledger.kills["kafka"] == 3
    assert ledger.kills["postgres"] == 2
