"""Does a real server stream, break off, refuse and stop as it should?"""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from shared.runtime.http import serve
from tests.integration.runtime_edges.conftest import Sample

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio
import uvloop
from shared.runtime import telemetry
from shared.runtime.http import serve
from tests.integration.runtime_edges.conftest import make_sample

async def main():
    await serve(make_sample().app, "127.0.0.1", {port})
    telemetry.logger("sample").info("closed")

telemetry.start("sample")
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
    loop.run(main())
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def program(port: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM.format(port=port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def answering(client: httpx.AsyncClient) -> None:
    """Wait until the server answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                (await client.get("/livez")).raise_for_status()
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


@asynccontextmanager
async def served(sample: Sample) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    task = asyncio.create_task(serve(sample.app, "127.0.0.1", port))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        await answering(client)
        yield client
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(sample: Sample, closed: int) -> None:
    async with asyncio.timeout(60), sample.closing:
        await sample.closing.wait_for(lambda: sample.streams_closed >= closed)


async def test_heartbeats_keep_a_quiet_stream_open(sample: Sample) -> None:
    async with served(sample) as client, client.stream("GET", "/v1/endless") as answer:
        lines = [line async for line, _ in zip_lines(answer, 20)]

    assert lines.count(": heartbeat") >= 2
    assert lines.count("event: case.accepted") == 3


async def zip_lines(answer: httpx.Response, most: int) -> AsyncIterator[tuple[str, int]]:
    count = 0
    async for line in answer.aiter_lines():
        yield line, count
        count += 1
        if count == most:
            return


async def test_a_client_that_leaves_ends_its_source(sample: Sample) -> None:
    async with served(sample) as client:
        for closed in (1, 2):
            async with client.stream("GET", "/v1/endless") as answer:
                await anext(answer.aiter_bytes())
            await until(sample, closed)

    assert sample.streams_closed == 2


async def test_a_stream_that_breaks_does_not_look_finished(sample: Sample) -> None:
    async with served(sample) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/v1/half")

        assert (await client.get("/livez")).status_code == 200


async def test_an_endless_body_is_refused_while_it_comes_and_then_cut_off(sample: Sample) -> None:
    async with served(sample) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(b"POST /v1/parsed HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")

        async def pour() -> None:
            while True:
                writer.write(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
                await writer.drain()

        pouring = asyncio.create_task(pour())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(pouring, 60)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()


async def test_an_upload_without_a_token_gets_its_answer(sample: Sample) -> None:
    async with served(sample) as client:
        answer = await client.post("/v1/upload", content=bytes(4 << 20))

    assert answer.status_code == 401


async def test_a_client_that_asks_first_sends_nothing_in_vain(sample: Sample) -> None:
    async with served(sample) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(
            b"POST /v1/parsed HTTP/1.1\r\nHost: sample\r\nContent-Length: 99999999\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        first = await asyncio.wait_for(reader.readline(), 60)
        writer.close()
        await writer.wait_closed()

    assert first.startswith(b"HTTP/1.1 413")


async def test_sigterm_ends_streams_and_gives_the_program_time_to_close() -> None:
    port = free_port()
    with program(port) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await answering(client)
            await client.get("/v1/bug")
            async with client.stream("GET", "/v1/endless") as answer:
                lines = aiter(answer.aiter_lines())
                await anext(lines)
                process.send_signal(signal.SIGTERM)
                rest = [line async for line in lines]
        out, err = await asyncio.to_thread(process.communicate, timeout=60)

    told = [orjson.loads(line) for line in out.splitlines()]
    bug = next(line for line in told if line["event"] == "request_met_bug")
    assert rest[-1] == ""
    assert process.returncode == 0
    assert told[-1]["event"] == "closed"
    assert (bug["error"], bug["where"][-1].rpartition(":")[2]) == ("KeyError", "bug")
    assert len(bug["trace_id"]) == 32
    assert b"CANARY" not in out + err


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with program(port) as process:
            out, err = process.communicate(timeout=60)

    assert process.returncode == 69
    (line,) = err.decode().splitlines()
    assert line.startswith(f"can't listen on 127.0.0.1:{port} (Address already in use): stop")
    assert out == b""
