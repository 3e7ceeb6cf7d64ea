"""When do two claims say the same?"""

from collections.abc import Sequence
from decimal import Decimal

from shared.contracts.base import OpaqueId
from shared.contracts.report import Claim, Measurement
from shared.contracts.reporting import CriticalResult

PRESENT = frozenset({"definite", "probable", "possible"})
# RECIST 1.1, 4.3: less than 20 % between two measurements is not a change.
SAME_SIZE = Decimal("0.20")
_IN_BASE_UNITS = {
    "cm": ("mm", Decimal(10)),
    "cm2": ("mm2", Decimal(100)),
}


def is_present(claim: Claim) -> bool:
    """Say whether the claim is that the finding is there, rather than that it is not."""
    return claim.certainty in PRESENT


def differences(first: Claim, second: Claim) -> tuple[str, ...]:
    """Name what the second read changes of the first. Wording and certainty do not count."""
    same = {
        "presence": is_present(first) == is_present(second),
        "finding": _folded(first.finding) == _folded(second.finding),
        "anatomic_site": _folded(first.anatomic_site) == _folded(second.anatomic_site),
        "laterality": first.laterality == second.laterality,
        "measurement": _same_size(first.measurement, second.measurement),
        "recommendation": _folded(first.recommendation) == _folded(second.recommendation),
        "significance": first.significance == second.significance,
    }
    return tuple(name for name, agrees in same.items() if not agrees)


def repeated_ids(claims: Sequence[Claim], taken: Sequence[Claim] = ()) -> tuple[int, ...]:
    """Give the positions of claims whose id another claim already has."""
    seen: set[OpaqueId] = {claim.id for claim in taken}
    repeated = []
    for position, claim in enumerate(claims):
        if claim.id in seen:
            repeated.append(position)
        seen.add(claim.id)
    return tuple(repeated)


def critical_results(claims: Sequence[Claim]) -> tuple[CriticalResult, ...]:
    """Give the findings that must reach a person before a deadline."""
    return tuple(
        CriticalResult(claim=claim.id, category=claim.critical_category)
        for claim in claims
        if claim.critical_category is not None and is_present(claim)
    )


def _folded(words: str) -> str:
    return " ".join(words.casefold().split()).rstrip(".")


def _same_size(first: Measurement | None, second: Measurement | None) -> bool:
    if first is None or second is None:
        return first is second
    unit, one = _in_base_units(first)
    other_unit, other = _in_base_units(second)
    if unit != other_unit:
        return False
    return one == other or abs(one - other) < SAME_SIZE * max(abs(one), abs(other))


def _in_base_units(measurement: Measurement) -> tuple[str, Decimal]:
    unit, factor = _IN_BASE_UNITS.get(measurement.unit, (measurement.unit, Decimal(1)))
    return unit, measurement.value * factor
