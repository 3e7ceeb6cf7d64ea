"""What does reporting fetch from, and put into, the object store?"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from pydantic import BaseModel, TypeAdapter, ValidationError

from services.reporting.domain.canonical import canonical
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.deid import CleanStudy
from shared.runtime.errors import Unprocessable
from shared.runtime.objects import ObjectStore

MANIFEST: TypeAdapter[tuple[ObjectRef, ...]] = TypeAdapter(tuple[ObjectRef, ...])
# A manifest of a 2,000-slice study is half a megabyte; readers page through one case at a time.
MANIFESTS_KEPT = 64


@dataclass(frozen=True)
class Library:
    """Clean studies and texts to read; signed documents to keep. What it keeps never changes."""

    store: ObjectStore
    _kept: OrderedDict[str, tuple[ObjectRef, ...]] = field(default_factory=OrderedDict)

    @classmethod
    def open(cls, url: str) -> "Library":
        return cls(ObjectStore.open(url, reads={"clean", "reports"}, writes={"reports"}))

    async def instances(self, study: CleanStudy) -> tuple[ObjectRef, ...]:
        """List a study's instances; raises Unprocessable when its manifest is none."""
        key = study.manifest.address
        if key not in self._kept:
            content = await self.store.get(study.manifest)
            try:
                self._kept[key] = MANIFEST.validate_json(content)
            except ValidationError:
                raise Unprocessable(f"manifest_unreadable:{key}") from None
            if len(self._kept) > MANIFESTS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    async def text(self, *contents: ObjectRef | None) -> str:
        """Read released texts; several are one, with an empty line between."""
        found = await asyncio.gather(*(self.store.get(ref) for ref in contents if ref))
        return "\n\n".join(content.decode("utf-8", "replace") for content in found)

    async def keep(self, case_id: CaseId, document: BaseModel) -> ObjectRef:
        """Put a signed document where it can't be changed any more."""
        return await self.store.put("reports", case_id, canonical(document), "application/json")

    async def signed(self, ref: ObjectRef) -> bytes:
        return await self.store.get(ref)

    async def checked(self, ref: ObjectRef) -> AsyncIterator[bytes]:
        """Read in pieces; who reads a broken object never gets the last of them."""
        held = b""
        async for chunk in self.store.stream(ref):
            if held:
                yield held
            held = chunk
        yield held
