"""How does an app listen, and how does it stop without dropping what it holds?"""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

# Kubernetes waits 30 s from SIGTERM to SIGKILL; the consumers and pools need the rest.
GRACE_SECONDS = 10
EX_UNAVAILABLE = 69  # sysexits.h
_LONGEST_HEAD = 16 << 10  # bytes of request line and headers
_STOP = (signal.SIGTERM, signal.SIGINT)


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Answer requests until SIGTERM or SIGINT; then finish those under way and return.

    A port that can't be had ends the program with one line (exit code 69).
    """
    config = uvicorn.Config(
        app,
        lifespan="on",
        access_log=False,  # the edge writes its own, without addresses
        log_config=None,
        server_header=False,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    with _listen(host, port) as listening:
        await _Server(config, app).serve([listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        sys.stderr.write(
            f"can't listen on {host}:{port} ({os.strerror(error.errno or 0)}): stop what listens"
            " there, or set another port\n"
        )
        raise SystemExit(EX_UNAVAILABLE) from None


class _Server(uvicorn.Server):
    """Uvicorn, but a signal only ends the serving: the caller then closes what it opened.

    Uvicorn raises the signal again at the end, which would kill the process before that.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for one in _STOP:
            loop.add_signal_handler(one, self.stop)
        try:
            yield
        finally:
            for one in _STOP:
                loop.remove_signal_handler(one)

    def stop(self) -> None:
        """Stop, at the second time without waiting for anyone."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._app.state.stopping.set()
