"""How does a result get its patient's name back? In memory only, for one purpose, and recorded.

The line in the audit trail is committed before the identity is opened, so that no opening is
without one, whatever happens next.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from services.notify.domain.fhir.bundle import SignedResult, as_sent, bundle
from services.notify.domain.identity import Identity
from services.notify.domain.state import Dossier, Request
from shared.contracts.base import CaseId
from shared.contracts.report import AddendumDocument, ReportDocument
from shared.runtime.objects import Corrupt, ObjectStore
from shared.runtime.sealing import Jwk, SealBroken, UnknownKey, open_sealed


class NoResultError(Exception):
    """It can't be built now; `cause` is a code and says nothing of the patient."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Purpose:
    """Who opens an identity and why, in codes: for the audit trail."""

    who: str
    why: str


Record = Callable[[CaseId, Purpose], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Results:
    """Opens identities and builds results. `record` commits the line of the audit trail."""

    record: Record
    objects: ObjectStore
    private_keys: Sequence[Jwk]

    async def identity(self, case_id: CaseId, request: Request, purpose: Purpose) -> Identity:
        """Open the sealed identity; raises NoResultError when no key of ours fits."""
        await self.record(case_id, purpose)
        try:
            return Identity.model_validate(open_sealed(self.private_keys, request.sealed_identity))
        except (SealBroken, UnknownKey, ValidationError):
            raise NoResultError("identity-unreadable") from None

    async def fhir(
        self, case_id: CaseId, dossier: Dossier, purpose: Purpose, up_to: str | None = None
    ) -> bytes:
        """Give the FHIR Bundle with the documents up to the one of that SHA-256, or all of them."""
        if dossier.request is None or not dossier.reports:
            raise NoResultError("not-ready")
        signed = await self._signed(dossier, up_to)
        identity = await self.identity(case_id, dossier.request, purpose)
        try:
            result = _parsed(signed)
            built = bundle(case_id, dossier.request.reason_for_review, identity, result)
            Bundle.model_validate(built)
        except ValueError:  # of pydantic too; its words would quote the patient
            raise NoResultError("result-invalid") from None
        return as_sent(built)

    async def _signed(self, dossier: Dossier, up_to: str | None) -> list[bytes]:
        wanted = []
        for report in dossier.reports:
            wanted.append(report.ref)
            if report.ref.sha256 == up_to:
                break
        try:
            return [await self.objects.get(ref) for ref in wanted]
        except Corrupt:
            raise NoResultError("report-corrupt") from None


def _parsed(signed: Sequence[bytes]) -> SignedResult:
    report, *addenda = signed
    return SignedResult(
        ReportDocument.model_validate_json(report),
        tuple(AddendumDocument.model_validate_json(one) for one in addenda),
        tuple(signed),
    )
