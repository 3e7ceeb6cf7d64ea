"""How is the way back kept? Sealed to notify as soon as it is known, page by page."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from services.deid.domain.identity import Subject
from services.deid.domain.way_back import WayBack, pages
from services.deid.gateways.instance import Task
from services.deid.gateways.originals import Originals
from services.deid.gateways.vault import Vault
from shared.contracts.base import CaseId, SealedRef
from shared.runtime.sealing import Jwk, seal


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals to notify's public key; deid itself can't open what it wrote."""

    vault: Vault
    public_key: Jwk

    async def keep(
        self, case_id: CaseId, study: str, task: Task, subject: Subject, old: Iterable[Originals]
    ) -> SealedRef:
        """Put a study's map into the vault. Each time it is another object: seals are random."""
        known = list(old)
        first = WayBack(
            partner=task.partner,
            study=study,
            pseudonym=subject.pseudonym,
            key_version=task.key.version,
            patient_id=next((one.patient_id for one in known if one.patient_id), ""),
            shift_days=subject.shift_days,
        )
        names = dict(pair for one in known for pair in one.names)
        sealed = [
            seal(self.public_key, page.model_dump(mode="json")) for page in pages(first, names)
        ]
        return await self.vault.put_sealed(case_id, json.dumps({"sealed": sealed}).encode())
