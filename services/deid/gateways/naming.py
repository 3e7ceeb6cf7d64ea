"""Under which key does a case's patient get a name? The newest, unless the patient is known.

What a case was called once it is called for ever: its pseudonym tells which key made it. A new
case of a patient whom the partner sent before goes under the key of then, so that a patient stays
one person over the years, unless the policy says that a new key begins a new life.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.deid.domain.events import WorkPlanned
from services.deid.domain.identity import Key, Keyring
from services.deid.domain.policy import Policy
from services.deid.gateways.instance import mapped
from services.deid.gateways.vault import Vault
from shared.runtime.dicom import UnreadableError, read_part10
from shared.runtime.sandbox import Sandbox

_PATIENT_ID = 0x00100020
# Asks which of these pseudonyms the partner's cases bear.
Borne = Callable[[str, Sequence[str]], Awaitable[frozenset[str]]]


class KeyGoneError(Exception):
    """The key that named the case has left the ring: an operator has to bring it back."""


async def nobody(_partner: str, _pseudonyms: Sequence[str]) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Naming:
    """Chooses a key for a plan of work."""

    keys: Keyring
    vault: Vault
    sandbox: Sandbox
    borne: Borne = nobody

    async def key(self, plan: WorkPlanned, policy: Policy) -> Key:
        """Raises KeyGoneError for a case that a missing key named."""
        if plan.pseudonym is not None:
            maker = self.keys.maker(plan.partner, plan.pseudonym)
            if maker is None:
                raise KeyGoneError
            return maker
        if len(self.keys.keys) == 1 or policy.rotation == "case":
            return self.keys.newest
        names = self.keys.names(plan.partner, await self._patient_id(plan))
        borne = await self.borne(plan.partner, [name for _, name in names])
        return next((key for key, name in names if name in borne), self.keys.newest)

    async def _patient_id(self, plan: WorkPlanned) -> str:
        """Of the case's first readable instance."""
        for raw in await self.vault.instances(plan.patient) if plan.patient else ():
            try:
                async with self.vault.fetched(raw) as path:
                    return await self.sandbox.run(patient_id, path)
            except UnreadableError:
                continue
        return ""


def patient_id(source: Path) -> str:
    """The Patient ID (0010,0020) of a raw file."""
    with mapped(source) as raw:
        return read_part10(raw).string(_PATIENT_ID)
