"""Which fixtures has every test, which files come first, and which tests may open a socket?"""

import pytest
import pytest_socket
import structlog

pytest_plugins = ["shared.testing.fixtures"]

# Pure tests stay pure: no address can be reached from them, not even by accident.
WITHOUT_SOCKETS = ("tests/unit/", "tests/walkthrough/", "tests/contract/")

# The longest files first, so that no worker is left alone with one in the end; and whole stacks
# apart from each other: the storm's worker takes the acceptance test after it (loadfile hands each
# worker a second file when its first holds one test).
FIRST = (
    "tests/storm/",
    "tests/integration/runtime/test_everything_or_nothing.py",
    "tests/integration/runtime/test_weather.py",
    "tests/acceptance/",
    "tests/integration/runtime/test_consumption.py",
    "tests/benchmarks/",
)


def pytest_configure() -> None:
    """Let logs be plain: the default renderer takes minutes over one deep stack trace."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(nodeid: str) -> int:
    turns = (turn for turn, start in enumerate(FIRST) if nodeid.startswith(start))
    return next(turns, len(FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.nodeid.startswith(WITHOUT_SOCKETS):
        # An event loop wakes itself through a socket pair of the AF_UNIX family.
        pytest_socket.disable_socket(allow_unix_socket=True)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    if item.nodeid.startswith(WITHOUT_SOCKETS):
        pytest_socket.enable_socket()
