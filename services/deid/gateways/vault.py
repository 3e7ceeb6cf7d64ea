"""What does deid fetch from the vault, and what does it put where readers may see it?"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.contracts.base import CaseId, ObjectRef, SealedRef
from shared.contracts.intake import RawStudy
from shared.runtime.errors import Unprocessable
from shared.runtime.objects import ObjectStore

_MANIFEST: TypeAdapter[tuple[ObjectRef, ...]] = TypeAdapter(tuple[ObjectRef, ...])
_MANIFESTS_KNOWN = 16  # studies under way; one may list ten thousand instances


@dataclass(frozen=True)
class Vault:
    """The object store with deid's rights: it reads raw/ and writes clean/.

    `spool` is where instances lie while they are worked on; None: the system's own folder.
    """

    store: ObjectStore
    spool: Path | None = None
    _manifests: dict[str, tuple[ObjectRef, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, url: str, spool: Path | None = None) -> "Vault":
        return cls(ObjectStore.open(url, reads={"raw", "clean"}, writes={"clean", "sealed"}), spool)

    async def instances(self, study: RawStudy) -> tuple[ObjectRef, ...]:
        """A study's raw instances in the order they came, each once."""
        listed: dict[str, ObjectRef] = {}
        for manifest in study.manifests:
            listed.update((ref.address, ref) for ref in await self._manifest(manifest))
        return tuple(listed.values())

    async def _manifest(self, ref: ObjectRef) -> tuple[ObjectRef, ...]:
        """Read it once for all the steps of a round: what lies at an address never changes."""
        if (known := self._manifests.get(ref.address)) is not None:
            return known
        try:
            read = _MANIFEST.validate_json(await self.store.get(ref))
        except ValidationError:
            raise Unprocessable(f"manifest_unreadable:{ref.address}") from None
        while len(self._manifests) >= _MANIFESTS_KNOWN:
            del self._manifests[next(iter(self._manifests))]
        self._manifests[ref.address] = read
        return read

    @asynccontextmanager
    async def fetched(self, raw: ObjectRef) -> AsyncIterator[Path]:
        """A raw instance as a file in a folder of its own, which is gone afterwards."""
        async with self.fetched_all([raw]) as paths:
            yield paths[0]

    @asynccontextmanager
    async def fetched_all(self, refs: Sequence[ObjectRef]) -> AsyncIterator[list[Path]]:
        """Several in one folder, in their order."""
        with tempfile.TemporaryDirectory(prefix="deid-", dir=self.spool) as folder:
            paths = [Path(folder) / f"{number}.dcm" for number in range(len(refs))]
            for ref, path in zip(refs, paths, strict=True):
                await self.store.download(ref, path)
            yield paths

    async def text(self, ref: ObjectRef) -> str:
        return (await self.store.get(ref)).decode("utf-8", "replace")

    async def put_instances(self, case_id: CaseId, paths: Sequence[Path]) -> list[ObjectRef]:
        """Side by side: each waits for its own disk."""
        return await asyncio.gather(*(self._put_instance(case_id, path) for path in paths))

    async def _put_instance(self, case_id: CaseId, path: Path) -> ObjectRef:
        return await self.store.put_file("clean", case_id, path, "application/dicom")

    async def put_manifest(self, case_id: CaseId, instances: list[ObjectRef]) -> ObjectRef:
        content = _MANIFEST.dump_json(tuple(instances))
        return await self.store.put("clean", case_id, content, "application/json")

    async def put_document(self, case_id: CaseId, document: BaseModel) -> ObjectRef:
        content = document.model_dump_json().encode()
        return await self.store.put("clean", case_id, content, "application/json")

    async def put_sealed(self, case_id: CaseId, content: bytes) -> SealedRef:
        return await self.store.put_sealed(case_id, content)

    async def put_text(self, case_id: CaseId, text: str) -> ObjectRef:
        return await self.store.put("clean", case_id, text.encode(), "text/plain; charset=utf-8")
