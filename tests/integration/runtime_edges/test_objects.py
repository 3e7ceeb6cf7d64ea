"""Is what was put what is read, on a folder, in memory and on S3, and nothing lost or mixed up?"""

import asyncio
import hashlib
import os
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import obstore
import pytest
from moto.server import ThreadedMotoServer

from shared.contracts.base import CaseId, ObjectRef
from shared.runtime import clock, durable
from shared.runtime.errors import Unavailable, is_weather
from shared.runtime.objects import Corrupt, NoRight, ObjectStore

CASE = CaseId(UUID("0190c7d2-6b1e-7c3a-9d2f-000000000001"))
OTHER_CASE = CaseId(UUID("0190c7d2-6b1e-7c3a-9d2f-000000000002"))
LARGE = 9 << 20  # over the size that goes up in a single request


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    url = {
        "folder": str(tmp_path / "objects"),
        "memory": "memory:",
        "s3": f"s3://vault/{tmp_path.name}",
    }
    if request.param == "s3":
        endpoint = request.getfixturevalue("s3")
        monkeypatch.setenv("AWS_ENDPOINT", endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        httpx.put(f"{endpoint}/vault").raise_for_status()
    return ObjectStore.open(url[request.param], reads={"raw"}, writes={"raw"})


@pytest.fixture
def folder(tmp_path: Path) -> ObjectStore:
    return ObjectStore.open(str(tmp_path / "objects"), reads={"raw"}, writes={"raw"})


async def in_pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(3 << 20), bytes(LARGE)], ids=len)
async def test_what_was_put_is_read(store: ObjectStore, content: bytes, tmp_path: Path) -> None:
    ref = await store.put("raw", CASE, content, "application/dicom")

    sha256 = hashlib.sha256(content).hexdigest()
    assert ref == ObjectRef(
        address=f"raw/{CASE}/{sha256}",
        sha256=sha256,
        size=len(content),
        media_type="application/dicom",
    )
    assert await store.get(ref) == content
    assert await store.exists(ref)
    await store.download(ref, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


@pytest.mark.parametrize("size", [1000, 1 << 20, LARGE])
async def test_a_stream_is_the_same_object_as_its_bytes(store: ObjectStore, size: int) -> None:
    content = os.urandom(LARGE + 1)

    streamed = await store.put("raw", CASE, in_pieces(content, size))

    assert streamed == await store.put("raw", CASE, content)
    assert await store.get(streamed) == content


async def test_putting_twice_or_at_once_is_putting_once(store: ObjectStore) -> None:
    once = await store.put("raw", CASE, b"content")

    again = await asyncio.gather(*(store.put("raw", CASE, b"content") for _ in range(5)))

    assert set(again) == {once}
    assert await store.get(once) == b"content"


async def test_an_empty_stream_is_an_empty_object(store: ObjectStore) -> None:
    ref = await store.put("raw", CASE, in_pieces(b"", 1))

    assert (ref.size, await store.get(ref)) == (0, b"")


@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: content[:-1], "another_size"),
        (lambda content: content + b"!", "another_size"),
        (lambda content: content[:0], "another_size"),
        (lambda content: b"X" + content[1:], "another_sha256"),
    ],
    ids=["shorter", "longer", "emptied", "changed"],
)
async def test_a_changed_object_is_corrupt_and_a_new_put_mends_it(
    store: ObjectStore, change: Callable[[bytes], bytes], told: str, size: int, tmp_path: Path
) -> None:
    content = os.urandom(size)
    ref = await store.put("raw", CASE, content)
    await obstore.put_async(store.backend, ref.address, change(content))

    with pytest.raises(Corrupt, match=told):
        await store.get(ref)
    with pytest.raises(Corrupt, match=told):
        await store.download(ref, tmp_path / "copy")
    assert not [*tmp_path.glob("copy*")]  # noqa: ASYNC240 - a test may wait for its folder

    assert await store.put("raw", CASE, content) == ref
    assert await store.get(ref) == content


async def test_a_missing_object_is_corrupt_and_no_weather(store: ObjectStore) -> None:
    ref = await store.put("raw", CASE, b"content")
    gone = ref.model_copy(update={"address": ref.address.replace(str(CASE), str(OTHER_CASE))})

    with pytest.raises(Corrupt, match="object_missing") as corrupt:
        await store.get(gone)

    assert not is_weather(corrupt.value)
    assert not await store.exists(gone)


async def test_a_stream_that_breaks_off_stores_nothing(store: ObjectStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put("raw", CASE, broken())

    assert await obstore.list(store.backend).collect_async() == []


async def test_a_zone_that_was_not_given_is_neither_read_nor_written(store: ObjectStore) -> None:
    ref = await store.put("raw", CASE, b"PHI")
    matching = store.with_rights(reads={"clean"})

    for forbidden in (matching.get(ref), matching.exists(ref), matching.put("raw", CASE, b"x")):
        with pytest.raises(NoRight):
            await forbidden
    with pytest.raises(NoRight):
        await store.put("clean", CASE, b"x")


@pytest.mark.parametrize(
    "address",
    [
        "raw/../clean/{sha256}",
        "/etc/passwd",
        "raw/{case}/{sha256}/..",
        "raw/{case}/{sha256}\n",
        "vault/{case}/{sha256}",
        "raw/{case}/" + "0" * 64,
        "",
    ],
)
async def test_an_address_that_is_none_of_ours_is_not_opened(
    folder: ObjectStore, address: str
) -> None:
    ref = await folder.put("raw", CASE, b"content")
    forged = address.format(case=CASE, sha256=ref.sha256)

    with pytest.raises(Corrupt, match="object_address_malformed"):
        await folder.get(ref.model_copy(update={"address": forged}))


async def test_content_name_and_folders_are_on_disk_before_put_returns(
    folder: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, link = os.fsync, os.link

    def watched_fsync(descriptor: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        fsync(descriptor)

    def watched_link(source: Path, name: Path) -> None:
        done.append(f"link {source.name}")
        link(source, name)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "link", watched_link)
    await folder.put("raw", CASE, b"content")

    content_synced, *made, linked, named = done
    assert content_synced.removeprefix("sync ") == linked.removeprefix("link ")
    assert made == ["sync objects", "sync raw"]
    assert named == f"sync {CASE}"


async def test_a_long_stream_takes_little_memory(folder: ObjectStore) -> None:
    async def long() -> AsyncIterator[bytes]:
        for number in range(1024):
            yield number.to_bytes(2, "big") * (32 << 10)

    tracemalloc.start()
    ref = await folder.put("raw", CASE, long())
    async for _ in folder.stream(ref):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert ref.size == 64 << 20
    assert peak < 8 << 20


async def test_what_a_killed_process_left_is_swept_when_it_is_old(
    folder: ObjectStore, tmp_path: Path
) -> None:
    old, new = durable.new_file(tmp_path / "objects"), durable.new_file(tmp_path / "objects")
    two_days_ago = (clock.now() - timedelta(days=2)).timestamp()
    os.utime(old, (two_days_ago, two_days_ago))

    ObjectStore.open(str(tmp_path / "objects"))

    assert not old.exists()
    assert new.exists()


async def test_reachable_tells_a_lost_store_as_weather(
    store: ObjectStore, folder: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.reachable()

    (tmp_path / "objects" / durable.INCOMING).mkdir(exist_ok=True)
    (tmp_path / "objects").rename(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        await folder.reachable()

    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(Exception) as away:  # noqa: PT011 - what kind it is is the claim below
        await ObjectStore.open("s3://vault").reachable()
    assert is_weather(away.value)


@pytest.mark.parametrize(
    "url", ["", "s3://", "s3://key:secret@bucket", "gs://bucket", "file:", "http://host/bucket"]
)
def test_another_address_of_a_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the object store is s3://"):
        ObjectStore.open(url)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    store = ObjectStore.open(f"file://{tmp_path}/with%20blank")

    assert store.root == tmp_path / "with blank"
    assert store.root.stat().st_mode & 0o777 == 0o700
