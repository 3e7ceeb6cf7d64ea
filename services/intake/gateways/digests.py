"""How is an identifier recognised without being known? By a keyed digest, different per partner."""

from dataclasses import dataclass
from uuid import UUID

from shared.contracts.base import CaseId
from shared.contracts.envelope import derived_id
from shared.runtime.sealing import keyed_digest

# Of this application alone (RFC 9562 section 5.5); all ids of cases descend from it.
NAMESPACE = UUID("6f1c5d0e-8a54-5b0c-9a53-3d5a1c7f2b11")


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests of one partner's identifiers: two partners' equal numbers never meet."""

    key: bytes
    partner: str

    def of(self, kind: str, *parts: str) -> str:
        return keyed_digest(self.key, self.partner, kind, *parts)

    def patient(self, number: str, issuer: str) -> str:
        return self.of("patient", number, issuer)

    def study(self, uid: str) -> str:
        return self.of("study", uid)

    def accession(self, number: str, issuer: str) -> str:
        return self.of("accession", number, issuer)

    def instance(self, uid: str) -> str:
        return self.of("instance", uid)

    def case_id(self, key: str) -> CaseId:
        """Give the id of the case that a request with this key opens."""
        return CaseId(derived_id(NAMESPACE, self.partner, self.of("case", key)))

    def holding(self, study: str) -> CaseId:
        """Give the folder of the vault where a study's instances lie, whichever case wants them."""
        return CaseId(derived_id(NAMESPACE, self.partner, study))
