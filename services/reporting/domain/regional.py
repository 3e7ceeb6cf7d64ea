"""Several readers read a case, each their regions: what does each see, and how are they joined?

Everybody reads and locks their own part, and sees nobody else's. Who locks last has all of it: they
see the others' opinions joined with theirs, open the first report, compare and sign.
"""

from collections.abc import Callable, Sequence

from services.reporting.domain.canonical import sha256
from services.reporting.domain.state import (
    Assigned,
    Comparing,
    Locked,
    Material,
    Reading,
    Regional,
    SealedOpinion,
    SetAside,
    Split,
    State,
    Withdrawn,
    desks_of,
)
from shared.contracts.base import OpaqueId, ReaderId
from shared.contracts.deid import CleanStudy
from shared.contracts.report import Adequacy, Claim, Opinion, RegionalOpinion

Desk = Assigned | Reading
UNKNOWN_REGION = "UNKNOWN"


def own_part(state: State, reader: ReaderId) -> Desk | Locked | None:
    """Give a region reader's part as if it were a case of its own; None: they have none."""
    material = state.material.model_copy(update={"regional": ()})
    for desk in desks_of(state):
        if desk.assignment.reader == reader:
            return desk.model_copy(update={"material": material})
    for one in () if isinstance(state, Withdrawn) else state.material.regional:
        if one.assignment.reader == reader:
            return Locked(material=material, **dict(one))
    return None


def assignments(state: State) -> set[OpaqueId]:
    """Give the assignments of all who read a part, or have."""
    return {one.assignment.assignment for one in (*desks_of(state), *state.material.regional)}


def is_whole(material: Material) -> bool:
    """Tell whether every part was read."""
    read = {one.assignment.regions for one in material.regional}
    return bool(material.parts) and read >= set(material.parts)


def settled(state: Split, last: Regional | None = None) -> Split | Locked:
    """Give the case to who locked last, once all parts are read."""
    if last is None or not is_whole(state.material):
        return state
    return Locked(
        material=state.material,
        assignment=last.assignment,
        started_at=min(one.started_at for one in state.material.regional),
        revision=last.revision,
        sealed=joined(state.material),
    )


def parted(state: State) -> Split:
    """Give a split case back to its readers: one part more is to be read, or again."""
    return state if isinstance(state, Split) else Split(material=state.material)


def without(state: State, assignment: OpaqueId, reason: OpaqueId) -> Split:
    """Set aside what the reader of a part wrote."""
    desks, material = desks_of(state), state.material
    gone = [_of_desk(one, reason) for one in desks if _name(one) == assignment]
    signs = isinstance(state, Comparing) and _name(state) == assignment and state.available
    gone += [_of_part(one, reason, signs) for one in material.regional if _name(one) == assignment]
    left = {
        "regional": tuple(one for one in material.regional if _name(one) != assignment),
        "set_aside": (*material.set_aside, *gone),
    }
    kept = tuple(one for one in desks if _name(one) != assignment)
    return Split(material=material.model_copy(update=left), desks=kept)


def all_set_aside(state: State, reason: OpaqueId) -> Material:
    """Set aside all parts: nobody reads them any more."""
    for assignment in sorted(assignments(state)):
        state = without(state, assignment, reason)
    return state.material.model_copy(update={"parts": ()})


def joined(material: Material) -> SealedOpinion:
    """Join what all have locked, in the order of the parts."""
    each = in_order(material)
    opinion = Opinion(
        adequacy=_adequacy([one.sealed.opinion.adequacy for one in each]),
        technique=_text(each, lambda one: one.technique),
        comparison=_text(each, lambda one: one.comparison),
        narrative=_text(each, lambda one: one.narrative),
        impression=_text(each, lambda one: one.impression),
        claims=tuple(
            _numbered(claim, n)
            for n, one in enumerate(each, start=1)
            for claim in one.sealed.opinion.claims
        ),
    )
    return SealedOpinion(
        opinion=opinion,
        sha256=sha256(opinion),
        locked_at=max(one.sealed.locked_at for one in each),
        studies=tuple(study for n, one in enumerate(each) for study in _studies(one, first=not n)),
    )


def in_order(material: Material) -> list[Regional]:
    order = {regions: n for n, regions in enumerate(material.parts)}
    return sorted(material.regional, key=lambda one: order.get(one.assignment.regions, len(order)))


def documented(material: Material) -> tuple[RegionalOpinion, ...]:
    """Give each part as the report shows it."""
    return tuple(
        RegionalOpinion(
            regions=one.assignment.regions,
            assignment=one.assignment.assignment,
            reader=one.assignment.reader,
            opinion=one.sealed.opinion,
            opinion_sha256=one.sealed.sha256,
            started_at=one.started_at,
            locked_at=one.sealed.locked_at,
        )
        for one in in_order(material)
    )


def _numbered(claim: Claim, part: int) -> Claim:
    """Name a claim by its part: two readers may have named theirs alike."""
    return claim.model_copy(update={"id": f"{part}:{claim.id}"})


def _text(each: Sequence[Regional], section: Callable[[Opinion], str]) -> str:
    parts = [
        f"{', '.join(one.assignment.regions)}: {words}"
        for one in each
        if (words := section(one.sealed.opinion).strip())
    ]
    return "\n\n".join(parts)


def _adequacy(each: Sequence[Adequacy]) -> Adequacy:
    """Only where no part can be read nothing can be said."""
    if set(each) == {"inadequate"}:
        return "inadequate"
    return "adequate" if set(each) == {"adequate"} else "limited"


def _studies(one: Regional, *, first: bool) -> tuple[CleanStudy, ...]:
    """Give the studies that this reader read; those of no known region are the first one's."""
    mine = {*one.assignment.regions, *((UNKNOWN_REGION,) if first else ())}
    return tuple(study for study in one.sealed.studies if study.body_region in mine)


def _name(one: Desk | Regional | Comparing) -> OpaqueId:
    return one.assignment.assignment


def _of_desk(desk: Desk, reason: OpaqueId) -> SetAside:
    draft = desk.draft if isinstance(desk, Reading) else None
    return SetAside(assignment=desk.assignment, reason=reason, draft=draft)


def _of_part(one: Regional, reason: OpaqueId, revealed: bool) -> SetAside:  # noqa: FBT001
    return SetAside(assignment=one.assignment, reason=reason, sealed=one.sealed, revealed=revealed)
