"""Which fixtures has every test, and which tests may open a socket?"""

import pytest
import pytest_socket
import structlog

pytest_plugins = ["shared.testing.fixtures"]

# Pure tests stay pure: no address can be reached from them, not even by accident.
WITHOUT_SOCKETS = ("tests/unit/", "tests/walkthrough/", "tests/contract/")


def pytest_configure() -> None:
    """Let logs be plain: the default renderer takes minutes over one deep stack trace."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.nodeid.startswith(WITHOUT_SOCKETS):
        # An event loop wakes itself through a socket pair of the AF_UNIX family.
        pytest_socket.disable_socket(allow_unix_socket=True)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    if item.nodeid.startswith(WITHOUT_SOCKETS):
        pytest_socket.enable_socket()
