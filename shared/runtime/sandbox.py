"""How is a stranger's file opened without risking the service? In a child with limits.

A `Sandbox` keeps a few worker processes alive (a start costs half a second, a call well under a
millisecond) and replaces one that ran too long, took too much memory, or died in a codec. The
function and its arguments travel by pickle, so both must be importable; big things travel as paths.
"""

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeAlias, TypeVar

from shared.runtime.dicom.errors import UnreadableError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_Work: TypeAlias = tuple[Callable[..., object], tuple[object, ...], dict[str, object]]
_START_SECONDS = 60.0  # importing numpy and codecs on a busy machine


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a child sends back: a result, or what was raised there."""

    result: object = None
    error: BaseException | None = None


@dataclass
class _Worker:
    """A child. `known`: the functions it has imported."""

    process: BaseProcess
    pipe: Connection
    known: set[object] = field(default_factory=set)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Sandbox:
    """A pool of child processes with limits.

    workers: processes kept; as many calls run at once, later ones wait their turn.
    memory: bytes a call may allocate beyond what an idle worker holds.
    seconds: wall clock of one call, unless the call says otherwise.
    """

    def __init__(self, workers: int = 2, memory: int = 512 << 20, seconds: float = 30.0) -> None:
        self.memory = memory
        self.seconds = seconds
        self._context = get_context("spawn")
        self._idle: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        for _ in range(workers):
            self._idle.put_nowait(None)
        self._workers: dict[int, _Worker] = {}

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call the function in a child and give its result; what it raises is raised here.

        Raises `UnreadableError` with reason out_of_time, out_of_memory or crashed when the child
        met its limits: the input is to blame, and the next call gets a fresh child.
        """
        worker, healthy = await self._idle.get(), False
        try:
            if worker is None:
                worker = await asyncio.to_thread(self._start)
            answer = await self._call(worker, (function, args, kwargs))
            healthy = True
        finally:
            if worker is not None and not healthy:  # cancelled calls too: killing ends the wait
                self._forget(worker)
            self._idle.put_nowait(worker if healthy else None)
        if answer.error is not None:
            raise answer.error
        return answer.result  # type: ignore[return-value] # pickled in the child, typed by run

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self.memory), daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers[id(worker)] = worker
        if not ours.poll(_START_SECONDS):
            raise TimeoutError("a sandbox worker did not start")
        ours.recv()
        return worker

    async def _call(self, worker: _Worker, work: _Work) -> _Answer:
        """Send work and take the answer."""
        try:
            await self._begin(worker, work)
            return await self._ended(worker)
        except (EOFError, ConnectionError):
            raise UnreadableError("crashed", "the file ended the process that read it") from None

    async def _begin(self, worker: _Worker, work: _Work) -> None:
        """Wait until the child has imported what it needs: that is not the file's time."""
        function = work[0]
        worker.pipe.send((work, function not in worker.known))
        if function not in worker.known:
            await _received(worker, _START_SECONDS)
            worker.known.add(function)

    async def _ended(self, worker: _Worker) -> _Answer:
        try:
            answer: _Answer = await _received(worker, self.seconds)
        except TimeoutError:
            raise UnreadableError("out_of_time", f"over {self.seconds:g} s of work") from None
        return answer

    def _forget(self, worker: _Worker) -> None:
        self._workers.pop(id(worker), None)
        worker.stop()

    def close(self) -> None:
        """End all children, also those at work."""
        for worker in list(self._workers.values()):
            self._forget(worker)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()


async def _received(worker: _Worker, seconds: float) -> Any:
    """Wait for the child's next word, without a thread."""
    loop, readable, descriptor = asyncio.get_running_loop(), asyncio.Event(), worker.pipe.fileno()
    loop.add_reader(descriptor, readable.set)
    try:
        async with asyncio.timeout(seconds):
            await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    os.set_blocking(descriptor, True)  # uvloop turns that off, and recv needs it
    return worker.pipe.recv()


def _serve(pipe: Connection, memory: int) -> None:
    """The child: limits first, then one call after the other until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when a terminal says stop
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold a patient's pixels
    pipe.send("ready")
    limited = False
    while True:
        try:
            (function, args, kwargs), wait = pipe.recv()
        except (EOFError, ConnectionError):
            return
        if not limited:  # unpickling imported the codecs, which are not the file's doing
            _limit_memory(memory)
            limited = True
        try:
            if wait:
                pipe.send("begun")
            pipe.send(_answer(function, args, kwargs))
        except ConnectionError:
            return


def _answer(
    function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
) -> _Answer:
    try:
        return _Answer(result=function(*args, **kwargs))
    except MemoryError:
        return _Answer(error=UnreadableError("out_of_memory", "over the memory a file may take"))
    except RecursionError:
        return _Answer(error=UnreadableError("nested_too_deep", "over Python's own depth"))
    except Exception as error:  # noqa: BLE001 - it is raised again, in the caller's process
        return _Answer(error=error.with_traceback(None))


def _limit_memory(memory: int) -> None:
    """Bound the heap and private maps (RLIMIT_DATA): address space would count idle libraries."""
    data_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    ceiling = data_pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_DATA, (ceiling, ceiling))
