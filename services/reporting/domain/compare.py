"""Which claim of the first read stands beside which of the second, and what comes of it?"""

from collections import Counter
from collections.abc import Iterator, Sequence

from services.reporting.domain.claims import repeated_ids
from services.reporting.domain.verdict import is_discrepancy, pair_verdict
from shared.contracts.base import Frozen, OpaqueId
from shared.contracts.report import Claim, ComparedPair, DiscrepancyKind, Text
from shared.contracts.reporting import ClaimVerdict
from shared.decider import Refused


class Pairing(Frozen):
    """The reader's part in judging a pair of claims, named by their ids.

    `clinically_important` must be said of every discrepancy. `discrepancy` may be left to the
    rule: what only one reader saw is detection, what both saw differently is interpretation.
    `agrees` concedes a finding of the first read that the blind read left out.
    """

    first: OpaqueId | None = None
    second: OpaqueId | None = None
    clinically_important: bool | None = None
    discrepancy: DiscrepancyKind | None = None
    understandable: bool = True
    agrees: bool = False
    note: Text = ""


class Comparison(Frozen):
    """The first report as claims, and the pairs. `unreadable`: the reader could make none of it."""

    first_claims: tuple[Claim, ...] = ()
    pairs: tuple[Pairing, ...] = ()
    unreadable: bool = False


def compare(
    comparison: Comparison, second_claims: Sequence[Claim]
) -> tuple[ComparedPair, ...] | Refused:
    """Judge every pair, or say which field of the comparison is wrong."""
    refused = _wrong_claims(comparison, second_claims) or _wrong_pairing(comparison, second_claims)
    if refused is not None:
        return refused
    first = {claim.id: claim for claim in comparison.first_claims}
    second = {claim.id: claim for claim in second_claims}
    compared: list[ComparedPair] = []
    for position, pairing in enumerate(comparison.pairs):
        found = first.get(pairing.first or ""), second.get(pairing.second or "")
        judged = _judge(*found, pairing, f"/pairs/{position}")
        if isinstance(judged, Refused):
            return judged
        compared.append(judged)
    return tuple(compared)


def all_added(second_claims: Sequence[Claim]) -> tuple[ComparedPair, ...]:
    """Compare with nothing: every claim is added, and none is held against anybody."""
    return tuple(
        ComparedPair(
            first=None, second=claim, verdict="added", clinically_important=False, discrepancy=None
        )
        for claim in second_claims
    )


def _wrong_claims(comparison: Comparison, second_claims: Sequence[Claim]) -> Refused | None:
    if not comparison.first_claims:
        return Refused(
            "no_first_claims",
            "Enter the first report's claims, or set `unreadable`; normal is a claim too.",
            "/first_claims",
        )
    for position in repeated_ids(comparison.first_claims, second_claims):
        return Refused(
            "repeated_claim",
            "Another claim of this case has the same id; give each its own.",
            f"/first_claims/{position}/id",
        )
    for position, claim in enumerate(comparison.first_claims):
        if not claim.finding.strip():
            return Refused(
                "empty_finding",
                "Name the finding that the first report speaks of.",
                f"/first_claims/{position}/finding",
            )
    return None


def _wrong_pairing(comparison: Comparison, second_claims: Sequence[Claim]) -> Refused | None:
    expected = {("first", claim.id) for claim in comparison.first_claims}
    expected |= {("second", claim.id) for claim in second_claims}
    for position, pairing in enumerate(comparison.pairs):
        if pairing.first is None and pairing.second is None:
            return Refused("empty_pair", "A pair names at least one claim.", f"/pairs/{position}")
    used = Counter((side, identifier) for _, side, identifier in _references(comparison.pairs))
    for field, side, identifier in _references(comparison.pairs):
        if (side, identifier) not in expected:
            return Refused("unknown_claim", f"The {side} read has no claim {identifier}.", field)
        if used[side, identifier] > 1:
            return Refused("claim_paired_twice", f"{identifier} stands in two pairs.", field)
    missing = sorted(identifier for _, identifier in expected - used.keys())
    if missing:
        detail = f"Every claim stands in one pair; missing: {', '.join(missing)}."
        return Refused("claims_not_paired", detail, "/pairs")
    return None


def _references(pairs: Sequence[Pairing]) -> Iterator[tuple[str, str, OpaqueId]]:
    for position, pairing in enumerate(pairs):
        if pairing.first is not None:
            yield f"/pairs/{position}/first", "first", pairing.first
        if pairing.second is not None:
            yield f"/pairs/{position}/second", "second", pairing.second


def _judge(
    first: Claim | None, second: Claim | None, pairing: Pairing, field: str
) -> ComparedPair | Refused:
    verdict = pair_verdict(first, second, agrees=pairing.agrees)
    counts = is_discrepancy(verdict, second)
    refused = _wrong_importance(first, second, pairing, field, counts=counts)
    if refused is not None:
        return refused
    return ComparedPair(
        first=first,
        second=second,
        verdict=verdict,
        clinically_important=counts and bool(pairing.clinically_important),
        discrepancy=(pairing.discrepancy or _usual_kind(first, second, verdict))
        if counts
        else None,
        understandable=pairing.understandable,
        note=pairing.note,
    )


def _wrong_importance(
    first: Claim | None, second: Claim | None, pairing: Pairing, field: str, *, counts: bool
) -> Refused | None:
    said = pairing.clinically_important
    field = f"{field}/clinically_important"
    if counts and said is None:
        return Refused("importance_unsaid", "Say whether the discrepancy matters.", field)
    critical = any(claim and claim.significance == "critical" for claim in (first, second))
    if counts and critical and not said:
        return Refused(
            "critical_is_important", "A discrepancy about a critical finding is important.", field
        )
    if not counts and said:
        return Refused(
            "no_discrepancy",
            "The reads agree here, or the addition asks for no action; it can't be important.",
            field,
        )
    return None


def _usual_kind(
    first: Claim | None, second: Claim | None, verdict: ClaimVerdict
) -> DiscrepancyKind:
    seen_by_one = first is None or second is None or verdict == "refuted"
    return "detection" if seen_by_one else "interpretation"
