"""What does deid fetch from the vault, and what does it put where readers may see it?"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import open_file
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.intake import RawStudy
from shared.runtime.errors import Unprocessable
from shared.runtime.objects import ObjectStore

_MANIFEST: TypeAdapter[tuple[ObjectRef, ...]] = TypeAdapter(tuple[ObjectRef, ...])
_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True)
class Vault:
    """The object store with deid's rights: it reads raw/ and writes clean/.

    `spool` is where instances lie while they are worked on; None: the system's own folder.
    """

    store: ObjectStore
    spool: Path | None = None

    @classmethod
    def open(cls, url: str, spool: Path | None = None) -> "Vault":
        return cls(ObjectStore.open(url, reads={"raw", "clean"}, writes={"clean"}), spool)

    async def instances(self, study: RawStudy) -> tuple[ObjectRef, ...]:
        """A study's raw instances in the order they came, each once."""
        listed: dict[str, ObjectRef] = {}
        for manifest in study.manifests:
            try:
                refs = _MANIFEST.validate_json(await self.store.get(manifest))
            except ValidationError:
                raise Unprocessable(f"manifest_unreadable:{manifest.address}") from None
            listed.update((ref.address, ref) for ref in refs)
        return tuple(listed.values())

    @asynccontextmanager
    async def fetched(self, raw: ObjectRef) -> AsyncIterator[Path]:
        """A raw instance as a file in a folder of its own, which is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="deid-", dir=self.spool) as folder:
            path = Path(folder) / "raw.dcm"
            await self.store.download(raw, path)
            yield path

    async def text(self, ref: ObjectRef) -> str:
        return (await self.store.get(ref)).decode("utf-8", "replace")

    async def put_instance(self, case_id: CaseId, path: Path) -> ObjectRef:
        return await self.store.put("clean", case_id, _chunks(path), "application/dicom")

    async def put_manifest(self, case_id: CaseId, instances: list[ObjectRef]) -> ObjectRef:
        content = _MANIFEST.dump_json(tuple(instances))
        return await self.store.put("clean", case_id, content, "application/json")

    async def put_document(self, case_id: CaseId, document: BaseModel) -> ObjectRef:
        content = document.model_dump_json().encode()
        return await self.store.put("clean", case_id, content, "application/json")

    async def put_text(self, case_id: CaseId, text: str) -> ObjectRef:
        return await self.store.put("clean", case_id, text.encode(), "text/plain; charset=utf-8")


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    async with await open_file(path, "rb") as file:
        while chunk := await file.read(_CHUNK):
            yield chunk
