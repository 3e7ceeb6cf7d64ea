"""How patient is a service that runs inside a test? More than one that a person waits for."""

from collections.abc import Iterator

import pytest

from shared.runtime import submissions


@pytest.fixture(autouse=True, scope="session")
def _busy_is_not_away() -> Iterator[None]:
    """Let a request wait for its commit: a machine that is busy with tests has a slow database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submissions, "PATIENT_SECONDS", 60.0)
        yield
