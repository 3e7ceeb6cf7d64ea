"""The sandbox: a call that breaks its limits is refused, and the next one is served."""

import asyncio
import os
import time

import pytest
import uvloop

from shared.runtime.dicom import UnreadableError
from shared.runtime.sandbox import Sandbox


def twice(number: int) -> int:
    return number * 2


def sleep() -> None:
    time.sleep(30)


def allocate() -> int:
    return len(bytearray(1 << 30))


def die() -> None:
    os._exit(3)


def descend() -> None:
    descend()


def speak(size: int) -> bytes:
    return bytes(size)


def complain() -> None:
    raise ValueError("a plain error")


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (sleep, "out_of_time"),
        (allocate, "out_of_memory"),
        (die, "crashed"),
        (descend, "nested_too_deep"),
    ],
)
async def test_a_limit_refuses_the_call_and_spares_the_next(work: object, reason: str) -> None:
    async with Sandbox(workers=1, memory=256 << 20, seconds=2) as sandbox:
        with pytest.raises(UnreadableError) as refusal:
            await sandbox.run(work)  # type: ignore[arg-type] # a table of functions

        assert refusal.value.reason == reason
        assert await sandbox.run(twice, 21) == 42


async def test_what_the_function_raises_is_raised_here() -> None:
    async with Sandbox(workers=1) as sandbox:
        with pytest.raises(ValueError, match="plain"):
            await sandbox.run(complain)


def test_a_long_answer_comes_whole_on_the_loop_of_the_services() -> None:
    async def asked() -> int:
        async with Sandbox(workers=1) as sandbox:
            return len(await sandbox.run(speak, 20 << 20))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        assert loop.run(asked()) == 20 << 20


async def test_more_calls_than_workers_wait_their_turn() -> None:
    async with Sandbox(workers=2) as sandbox:
        results = await asyncio.gather(*(sandbox.run(twice, n) for n in range(50)))

    assert results == [n * 2 for n in range(50)]


async def test_a_cancelled_call_frees_its_worker() -> None:
    async with Sandbox(workers=1, seconds=60) as sandbox:
        call = asyncio.create_task(sandbox.run(sleep))
        await asyncio.sleep(0)
        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call

        assert await asyncio.wait_for(sandbox.run(twice, 1), 60) == 2
