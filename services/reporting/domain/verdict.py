"""What does the second read say of the first? Computed from the compared claims, never typed.

A pair:

    | first claim       | second claim       | verdict   |
    |-------------------|--------------------|-----------|
    | -                 | any                | added     |
    | finding is there  | -                  | refuted; confirmed when the reader concedes it |
    | finding is absent | -                  | confirmed: neither read found it               |
    | any               | presence differs   | refuted   |
    | any               | anything else does | revised   |
    | any               | the same           | confirmed |

The case, the first row that holds:

    | what holds                                                        | verdict        |
    |-------------------------------------------------------------------|----------------|
    | the images are technically inadequate                             | unable_to_opine|
    | there is no first report (missing, unreadable, withheld)          | not_compared   |
    | a claim is refuted, and it is clinically important                | refuted        |
    | a claim is revised or added, and it is clinically important       | revised_major  |
    | any other discrepancy                                             | revised_minor  |
    | none                                                              | confirmed      |

Added is no discrepancy where the second read adds that something is *not* there, or an incidental
finding without action: over-diagnosis is named, not multiplied.
"""

from collections.abc import Sequence

from services.reporting.domain.claims import differences, is_present
from shared.contracts.report import Adequacy, Claim, ComparedPair
from shared.contracts.reporting import (
    CaseVerdict,
    ClaimOutcome,
    ClaimVerdict,
    Discrepancy,
    FivePoint,
    Radpeer,
)

# Radiology 2010, PMID 20308451: (important, kind) -> score; 1 is no difference.
FIVE_POINT: dict[tuple[bool, str], FivePoint] = {
    (False, "detection"): 2,
    (False, "interpretation"): 3,
    (True, "detection"): 4,
    (True, "interpretation"): 5,
}
# RADPEER 2016 (JACR 2017;14:1080): (important, understandable) -> score; 1 is concurrence.
RADPEER: dict[tuple[bool, bool], Radpeer] = {
    (False, True): "2a",
    (False, False): "3a",
    (True, True): "2b",
    (True, False): "3b",
}
# The worst is the one that matters most to the patient, then the least understandable.
_BY_WEIGHT: tuple[Radpeer, ...] = ("1", "2a", "3a", "2b", "3b")


def pair_verdict(first: Claim | None, second: Claim | None, *, agrees: bool) -> ClaimVerdict:
    """Judge one pair; at least one claim is there. `agrees`: the reader concedes a lone claim."""
    if first is None:
        return "added"
    if second is None:
        return "refuted" if is_present(first) and not agrees else "confirmed"
    differing = differences(first, second)
    if "presence" in differing:
        return "refuted"
    return "revised" if differing else "confirmed"


def is_discrepancy(verdict: ClaimVerdict, second: Claim | None) -> bool:
    """Say whether a verdict counts against the first read."""
    if verdict == "added" and second is not None:
        return is_present(second) and second.significance != "incidental_no_action"
    return verdict != "confirmed"


def case_verdict(
    pairs: Sequence[ComparedPair], adequacy: Adequacy, *, first_available: bool
) -> CaseVerdict:
    if adequacy == "inadequate":
        return "unable_to_opine"
    if not first_available:
        return "not_compared"
    important = {pair.verdict for pair in pairs if pair.clinically_important}
    if "refuted" in important:
        return "refuted"
    if important:
        return "revised_major"
    counted = any(is_discrepancy(pair.verdict, pair.second) for pair in pairs)
    return "revised_minor" if counted else "confirmed"


def discrepancy(verdict: CaseVerdict, pairs: Sequence[ComparedPair]) -> Discrepancy | None:
    """Score the worst discrepancy on both scales; None where nothing could be compared."""
    if verdict in {"unable_to_opine", "not_compared"}:
        return None
    kinds = [(p.clinically_important, p.discrepancy, p.understandable) for p in pairs]
    counted = [(important, kind, ok) for important, kind, ok in kinds if kind is not None]
    five: list[FivePoint] = [1, *(FIVE_POINT[important, kind] for important, kind, _ in counted)]
    peer: list[Radpeer] = ["1", *(RADPEER[important, ok] for important, _, ok in counted)]
    return Discrepancy(five_point=max(five), radpeer=max(peer, key=_BY_WEIGHT.index))


def outcomes(pairs: Sequence[ComparedPair]) -> tuple[ClaimOutcome, ...]:
    """Give one outcome per claim of either read."""
    return tuple(
        ClaimOutcome(
            claim=claim.id,
            verdict=pair.verdict,
            clinically_important=pair.clinically_important,
        )
        for pair in pairs
        for claim in (pair.first, pair.second)
        if claim is not None
    )
