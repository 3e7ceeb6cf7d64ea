"""What is put into the vault, and in what form? Texts, instances and lists of instances."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from anyio import open_file
from pydantic import TypeAdapter

from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.intake import DocumentKind, RawDocument
from shared.runtime.objects import ObjectStore

_MANIFEST = TypeAdapter(list[ObjectRef])
_CHUNK = 1 << 20  # bytes


async def put_text(
    objects: ObjectStore, case_id: CaseId, kind: DocumentKind, text: str
) -> RawDocument:
    """Store a text; it may name the patient, so it never travels in an event."""
    content = await objects.put("raw", case_id, text.encode(), "text/plain; charset=utf-8")
    return RawDocument(kind=kind, content=content)


async def put_instance(objects: ObjectStore, holding: CaseId, path: Path) -> ObjectRef:
    return await objects.put("raw", holding, _chunks(path), "application/dicom")


async def put_manifest(
    objects: ObjectStore, case_id: CaseId, instances: Sequence[ObjectRef]
) -> ObjectRef:
    return await objects.put("raw", case_id, _MANIFEST.dump_json([*instances]), "application/json")


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    async with await open_file(path, "rb") as file:
        while chunk := await file.read(_CHUNK):
            yield chunk
