"""Who is named in a case's texts? Asked of the first readable image of each study."""

from collections.abc import Sequence

from services.deid.gateways.marks import Mark, marks
from services.deid.gateways.vault import Vault
from shared.contracts.intake import RawStudy
from shared.runtime.dicom import UnreadableError
from shared.runtime.sandbox import Sandbox


async def marks_of(
    vault: Vault, sandbox: Sandbox, studies: Sequence[RawStudy], text: str
) -> tuple[Mark, ...]:
    """All places of the text that name somebody whom a header of the case knows."""
    found: set[Mark] = set()
    for study in studies:
        found.update(await _of_study(vault, sandbox, study, text))
    return tuple(sorted(found))


async def _of_study(vault: Vault, sandbox: Sandbox, study: RawStudy, text: str) -> tuple[Mark, ...]:
    for raw in await vault.instances(study):
        try:
            async with vault.fetched(raw) as path:
                return await sandbox.run(marks, path, text)
        except UnreadableError:
            continue
    return ()
