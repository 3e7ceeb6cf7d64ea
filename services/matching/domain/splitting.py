"""Which waiting cases does nobody on the roster read alone, while together they are read?

Shifts do not count: who reads all of it and comes tomorrow is worth waiting for. Who said no to the
case, or is tied to it, does not read it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np

from services.matching.domain.inputs import SplitCase
from services.matching.domain.need import need_of_part
from services.matching.domain.parts import MOST
from services.matching.domain.staff import Mask, Staff
from services.matching.domain.waiting import Waiting
from shared.contracts.base import BodyRegion


def splits(cases: Iterable[Waiting], staff: Staff, now: datetime) -> Iterator[SplitCase]:
    for case in cases:
        need = case.need
        if len(need.regions) == 1 or need.part is not None or case.offered:
            continue
        if need.rules.split != "never" and not _may(case, staff, now).any():
            parts = cover(case, staff, now)
            if parts:
                yield SplitCase(case_id=need.case_id, parts=parts)


def cover(case: Waiting, staff: Staff, now: datetime) -> tuple[tuple[BodyRegion, ...], ...]:
    """Give parts that somebody each reads, as few as can be found; none where one has nobody."""
    left = [one for one in dict.fromkeys(case.need.body_regions) if one in case.need.regions]
    who = {one: _may(case, staff, now, (one,)) for one in left}
    parts: list[tuple[BodyRegion, ...]] = []
    while left:
        reads = np.array([who[one] for one in left])
        most = int(reads.sum(axis=0).argmax()) if reads.size else 0
        part = tuple(one for one in left if who[one].any() and who[one][most])
        if not part:
            return ()
        if not _may(case, staff, now, part).any():
            part = part[:1]
        parts.append(part)
        left = [one for one in left if one not in part]
    return tuple(parts) if 1 < len(parts) <= MOST else ()


def _may(case: Waiting, staff: Staff, now: datetime, regions: tuple[BodyRegion, ...] = ()) -> Mask:
    """Tell who reads these regions of the case, or all of it, but for shifts and load."""
    need = need_of_part(case.need, regions) if regions else case.need
    found = staff.able(need, now).right.copy()
    out = staff.conflicted(case.need, case.earlier)
    out |= {staff.index[one] for one in case.refused if one in staff.index}
    found[sorted(out)] = False
    return found
