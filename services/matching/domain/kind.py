"""What kind of case is it? All that many cases share, so that it is asked once for all of them."""

from dataclasses import dataclass
from functools import lru_cache

from services.matching.domain.need import Need
from services.matching.domain.scoring import alike
from services.matching.domain.staff import Skill, skill

KEPT = 4_096  # beyond this some kinds are asked twice


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What the rules of skill and of the moment look at, and the terms that cases alike share.

    Kinds are compared by identity: for equal needs the same is given.
    """

    skill: Skill
    alike: tuple[object, ...]
    rvu: float


def kind_of(need: Need) -> Kind:
    return _kind(skill(need), alike(need), need.rvu)


_kind = lru_cache(maxsize=KEPT)(Kind)
