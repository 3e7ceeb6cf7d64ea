"""What may a reader write? The contract's words, closed: an unknown field is an error."""

from typing import Annotated

from pydantic import ConfigDict, Field

from services.reporting.domain.compare import Comparison, Pairing
from shared.contracts.base import Code, Frozen, OpaqueId
from shared.contracts.report import Claim, Measurement, Opinion, Text

CLOSED = ConfigDict(extra="forbid")
MOST_CLAIMS = 200


class MeasurementEntry(Measurement):
    """A measurement as it is typed in."""

    model_config = CLOSED


class ClaimEntry(Claim):
    """A claim as it is typed in."""

    model_config = CLOSED

    measurement: MeasurementEntry | None = None


Claims = Annotated[tuple[ClaimEntry, ...], Field(max_length=MOST_CLAIMS)]


class OpinionEntry(Opinion):
    """A draft as it is typed in."""

    model_config = CLOSED

    claims: Claims = ()

    def opinion(self) -> Opinion:
        return Opinion.model_validate(self.model_dump())


class PairingEntry(Pairing):
    """A pair as it is typed in."""

    model_config = CLOSED


class ComparisonEntry(Comparison):
    """A comparison as it is typed in."""

    model_config = CLOSED

    first_claims: Claims = ()
    pairs: Annotated[tuple[PairingEntry, ...], Field(max_length=2 * MOST_CLAIMS)] = ()

    def comparison(self) -> Comparison:
        return Comparison.model_validate(self.model_dump())


class SoftwareEntry(Frozen):
    """An opinion as software sends it; `software` and its version are kept with it."""

    model_config = CLOSED

    opinion: OpinionEntry
    software: Code
    software_version: OpaqueId


class AddendumEntry(Frozen):
    """An addendum as it is typed in."""

    model_config = CLOSED

    text: Text
    claims: Claims = ()

    def wished(self) -> tuple[Claim, ...]:
        return tuple(Claim.model_validate(claim.model_dump()) for claim in self.claims)
