"""Where do big things lie, and are they still what they were? A claim check over any object store.

An object's address is `<zone>/<case id>/<sha256>`: named by its content, written once, checked at
each read. A zone that was not given at open can't be touched: only intake and deid see raw/, and
what lies in sealed/ is read by notify alone.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Literal, Self
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError, PreconditionError
from obstore.store import LocalStore, MemoryStore, S3Store
from obstore.store import ObjectStore as Backend

from shared.contracts.base import CaseId, ObjectRef, SealedRef
from shared.runtime import durable
from shared.runtime.errors import Unavailable, Unprocessable

Zone = Literal["raw", "clean", "reports", "sealed"]
Content = bytes | AsyncIterable[bytes]

_ADDRESS = re.compile(r"(?P<zone>raw|clean|reports|sealed)/[0-9a-f-]{36}/(?P<sha256>[0-9a-f]{64})")
_CHUNK = 1 << 20  # bytes in memory per stream: large enough to hide the cost of a thread's turn
# A store can refuse to overwrite in a single request only; larger objects go up in parts, and a
# second upload of the same name carries the same bytes.
_SINGLE_REQUEST = 8 << 20
_PARTS_AT_ONCE = 3


class Corrupt(Unprocessable):
    """The object is gone, or isn't what its reference says: a person must restore it."""


class NoRight(Unprocessable):
    """The zone is not one that this service was given."""


@dataclass(frozen=True)
class _Spool:
    """Content on its way, with what it turned out to be. `name` is set for a local folder."""

    opened: IO[bytes]
    name: Path | None
    sha256: str
    size: int


@dataclass(frozen=True)
class ObjectStore:
    """One object store, seen with one service's rights. `root` is set when it is a local folder."""

    backend: Backend
    reads: frozenset[str]
    writes: frozenset[str]
    root: Path | None = None

    @classmethod
    def open(cls, url: str, *, reads: Collection[Zone] = (), writes: Collection[Zone] = ()) -> Self:
        """Open `s3://bucket/prefix` (keys and endpoint from AWS_*), a folder, or `memory:`."""
        backend, root = _backend(url)
        return cls(backend, frozenset(reads), frozenset(writes), root)

    def with_rights(
        self, *, reads: Collection[Zone] = (), writes: Collection[Zone] = ()
    ) -> "ObjectStore":
        """Give the same store with another service's rights."""
        return ObjectStore(self.backend, frozenset(reads), frozenset(writes), self.root)

    async def put(
        self,
        zone: Zone,
        case_id: CaseId,
        content: Content,
        media_type: str = "application/octet-stream",
    ) -> ObjectRef:
        """Store content; when this returns, it outlives a power cut. Twice is the same as once."""
        if zone not in self.writes:
            raise NoRight(f"no_right_to_write:{zone}")
        where = f"{zone}/{case_id}"
        if self.root is not None and isinstance(content, bytes):
            found = await asyncio.to_thread(_stored, lambda: BytesIO(content), self.root, where)
            return _ref(where, *found, media_type)
        async with _spooled(content, self.root) as spool:
            ref = _ref(where, spool.sha256, spool.size, media_type)
            if self.root is not None and spool.name is not None:
                await asyncio.to_thread(_place, spool.name, self.root / ref.address, ref.sha256)
            else:
                await self._upload(spool.opened, ref)
        return ref

    async def put_file(self, zone: Zone, case_id: CaseId, path: Path, media_type: str) -> ObjectRef:
        """Store a file's content, as `put` does."""
        if self.root is None or zone not in self.writes:
            return await self.put(zone, case_id, _chunks(path), media_type)
        where = f"{zone}/{case_id}"
        found = await asyncio.to_thread(_stored, lambda: path.open("rb"), self.root, where)
        return _ref(where, *found, media_type)

    async def put_sealed(self, case_id: CaseId, content: bytes) -> SealedRef:
        """Store what is sealed to the one service that reads `sealed/`."""
        ref = await self.put("sealed", case_id, content, "application/jose")
        return SealedRef.model_validate(ref.model_dump())

    async def get(self, ref: ObjectRef) -> bytes:
        """Read the whole object; raises Corrupt unless it is what the reference says."""
        if self.root is not None:
            return await asyncio.to_thread(_read, self.root, self._readable(ref))
        return b"".join([chunk async for chunk in self.stream(ref)])

    async def stream(self, ref: ObjectRef) -> AsyncIterator[bytes]:
        """Read in pieces. Corrupt comes at the end, so act on nothing before the end."""
        async for chunk in _verified(self.backend, self._readable(ref)):
            yield chunk

    async def download(self, ref: ObjectRef, path: Path) -> None:
        """Copy the object to a file, which appears under its name only when it is verified."""
        partial = path.with_name(f"{path.name}.partial")
        try:
            if self.root is not None:
                await asyncio.to_thread(_read_to, self.root, self._readable(ref), partial)
            else:
                with partial.open("wb") as file:
                    async for chunk in self.stream(ref):
                        await asyncio.to_thread(file.write, chunk)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    async def exists(self, ref: ObjectRef) -> bool:
        """Tell whether something of the right size lies there; only a read checks the content."""
        try:
            found = await obstore.head_async(self.backend, self._readable(ref).address)
        except (FileNotFoundError, NotFoundError):
            return False
        return found["size"] == ref.size

    async def reachable(self) -> None:
        """Raise weather when the store does not answer."""
        if self.root is not None and not self.root.is_dir():
            raise Unavailable("object_store_folder_missing")
        with suppress(FileNotFoundError, NotFoundError):
            await obstore.head_async(self.backend, "reachable")

    def _readable(self, ref: ObjectRef) -> ObjectRef:
        """Check an address, which came in an event, before anything is opened by it."""
        named = _ADDRESS.fullmatch(ref.address)
        if named is None or named["sha256"] != ref.sha256:
            raise Corrupt("object_address_malformed")
        if named["zone"] not in self.reads:
            raise NoRight(f"no_right_to_read:{named['zone']}")
        return ref

    async def _upload(self, opened: IO[bytes], ref: ObjectRef) -> None:
        """Put to a remote store, which answers only when the object is safe."""
        attributes = {"Content-Type": ref.media_type}
        if ref.size <= _SINGLE_REQUEST:
            with suppress(AlreadyExistsError, PreconditionError):
                await obstore.put_async(
                    self.backend, ref.address, opened, mode="create", attributes=attributes
                )
                return
        try:
            async for _ in _verified(self.backend, ref):
                pass
        except Corrupt:  # nothing is there yet, or not what the name promises
            opened.seek(0)
            await obstore.put_async(
                self.backend,
                ref.address,
                opened,
                attributes=attributes,
                chunk_size=_SINGLE_REQUEST,
                max_concurrency=_PARTS_AT_ONCE,
            )


def _backend(url: str) -> tuple[Backend, Path | None]:
    """Find the store behind a URL; a folder is made if it is missing."""
    parts = urlsplit(url)
    match parts.scheme:
        case "s3" if parts.netloc and "@" not in parts.netloc and not parts.query:
            store = S3Store(
                parts.netloc,
                prefix=parts.path.strip("/") or None,
                client_options={
                    "connect_timeout": "5s",
                    "timeout": "60s",
                    "allow_http": True,  # AWS_ENDPOINT says which; AWS's own is always https
                },
                # Short: the runner has its own back-off, and readiness must show the outage.
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
            )
            return store, None
        case "memory":
            return MemoryStore(), None
        case "file" | "" if not parts.netloc and parts.path:
            root = Path(unquote(parts.path) if parts.scheme else url).absolute()
            durable.make_folder(root)
            durable.sweep(root)
            return LocalStore(root), root
        case _:
            raise ValueError("the object store is s3://bucket/prefix, a folder or memory:")


def _ref(where: str, sha256: str, size: int, media_type: str) -> ObjectRef:
    kind = SealedRef if where.startswith("sealed/") else ObjectRef
    return kind(address=f"{where}/{sha256}", sha256=sha256, size=size, media_type=media_type)


def _stored(opened: Callable[[], IO[bytes]], root: Path, where: str) -> tuple[str, int]:
    """Copy to a local folder, in one turn of a thread; give the SHA-256 and the size."""
    file = durable.new_file(root)
    try:
        with opened() as source, file.open("wb") as target:
            sha256, size = _copy(source, target)
        _place(file, root / where / sha256, sha256)
    finally:
        file.unlink(missing_ok=True)
    return sha256, size


def _copy(source: IO[bytes], target: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        target.write(chunk)
    return digest.hexdigest(), size


def _read(root: Path, ref: ObjectRef) -> bytes:
    content = BytesIO()
    _read_into(root, ref, content)
    return content.getvalue()


def _read_to(root: Path, ref: ObjectRef, path: Path) -> None:
    with path.open("wb") as target:
        _read_into(root, ref, target)


def _read_into(root: Path, ref: ObjectRef, target: IO[bytes]) -> None:
    with _opened(root, ref) as source:
        _check(ref, *_copy(source, target))


def _opened(root: Path, ref: ObjectRef) -> IO[bytes]:
    """Open an object in a local folder if it has the right size: no more than that is read."""
    try:
        opened = (root / ref.address).open("rb")
    except FileNotFoundError:
        raise Corrupt(f"object_missing:{ref.address}") from None
    if os.fstat(opened.fileno()).st_size != ref.size:
        opened.close()
        raise Corrupt(f"object_has_another_size:{ref.address}")
    return opened


def _check(ref: ObjectRef, sha256: str, size: int) -> None:
    if size != ref.size:
        raise Corrupt(f"object_has_another_size:{ref.address}")
    if sha256 != ref.sha256:
        raise Corrupt(f"object_has_another_sha256:{ref.address}")


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


def _place(file: Path, name: Path, sha256: str) -> None:
    if not durable.give_name(file, name) and _sha256(name) != sha256:
        durable.replace(file, name)  # the name promises content that rotted: mend it


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


async def _verified(backend: Backend, ref: ObjectRef) -> AsyncIterator[bytes]:
    digest, seen = hashlib.sha256(), 0
    try:
        answer = await obstore.get_async(backend, ref.address)
    except (FileNotFoundError, NotFoundError):
        raise Corrupt(f"object_missing:{ref.address}") from None
    async for chunk in answer.stream(min_chunk_size=_CHUNK):
        seen += len(chunk)
        if seen > ref.size:
            break
        digest.update(chunk)
        yield bytes(chunk)
    _check(ref, digest.hexdigest(), seen)


@asynccontextmanager
async def _spooled(content: Content, root: Path | None) -> AsyncIterator[_Spool]:
    """Write content to a file of its own while measuring it; the file goes away at the end.

    On the way to a remote store it has no name, so that a killed process leaves nothing behind.
    """
    name = durable.new_file(root) if root is not None else None
    try:
        with name.open("w+b") if name else SpooledTemporaryFile(_SINGLE_REQUEST) as opened:
            digest, size = hashlib.sha256(), 0
            async for chunk in _pieces(content):
                size += len(chunk)
                await asyncio.to_thread(_take, chunk, opened, digest)
            opened.flush()
            opened.seek(0)
            yield _Spool(opened, name, digest.hexdigest(), size)
    finally:
        if name is not None:
            name.unlink(missing_ok=True)


def _take(chunk: bytes, opened: IO[bytes], digest: "hashlib._Hash") -> None:
    digest.update(chunk)
    opened.write(chunk)


async def _pieces(content: Content) -> AsyncIterator[bytes]:
    """Give the content in pieces of at least _CHUNK bytes, but for the last."""
    if isinstance(content, bytes):
        yield content
        return
    waiting = bytearray()
    async for chunk in content:
        waiting += chunk
        if len(waiting) >= _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
