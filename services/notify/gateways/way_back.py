"""What was it called before? deid's maps, opened in memory for one purpose, and recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from services.notify.domain.state import Dossier
from services.notify.gateways.result import Purpose, Record
from shared.contracts.base import CaseId, SealedRef
from shared.runtime.objects import Corrupt, ObjectStore
from shared.runtime.sealing import Jwk, SealBroken, UnknownKey, open_sealed


class NoWayBackError(Exception):
    """A map can't be opened; `cause` is a code and says nothing of the patient."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class _Object(BaseModel):
    """What deid wrote: the pages of one study, each sealed."""

    model_config = ConfigDict(hide_input_in_errors=True)

    sealed: tuple[str, ...]


class _Page(BaseModel):
    """One page, opened."""

    model_config = ConfigDict(hide_input_in_errors=True)

    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class WaysBack:
    """Opens maps. `record` commits the line of the audit trail before anything is opened."""

    record: Record
    objects: ObjectStore
    private_keys: Sequence[Jwk]

    async def originals(
        self, case_id: CaseId, dossier: Dossier, wanted: Sequence[str], purpose: Purpose
    ) -> dict[str, str]:
        """Give the old names of those new ones that are known; raises NoWayBackError."""
        await self.record(case_id, purpose)
        known: dict[str, str] = {}
        for ref in dossier.ways_back:
            known.update(await self._opened(ref))
        return {new: known[new] for new in wanted if new in known}

    async def _opened(self, ref: SealedRef) -> dict[str, str]:
        try:
            pages = _Object.model_validate_json(await self.objects.get(ref)).sealed
            opened = [_Page.model_validate(open_sealed(self.private_keys, one)) for one in pages]
        except Corrupt:
            raise NoWayBackError("map-corrupt") from None
        except (SealBroken, UnknownKey, ValidationError):
            raise NoWayBackError("map-unreadable") from None
        return {new: old for page in opened for new, old in page.names.items()}
