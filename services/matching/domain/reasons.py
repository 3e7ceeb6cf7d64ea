"""When are the reasons of a round written down? When something is decided by them, not before."""

from services.matching.domain.why import Considered


class Reasons:
    """What a round considered. Two are equal that say the same."""

    __slots__ = ()

    def written(self) -> Considered:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reasons) and self.written() == other.written()

    def __hash__(self) -> int:
        return hash(self.written().need.case_id)
