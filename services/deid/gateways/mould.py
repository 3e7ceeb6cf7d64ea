"""How is a clean header put together? As the one before it, but for what differs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from services.deid.gateways.rewrite import without_idle_creators
from shared.runtime.dicom.tree import PIXEL_DATA


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one element, and what was counted and written on the way."""

    content: bytes | None = None
    actions: tuple[str, ...] = ()
    own: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Mould:
    """A header with gaps: `parts`, the first `split` of them before the pixels.

    `gaps`: which part is the outcome of which element. `actions` and `own` are those of the other
    elements.
    """

    parts: tuple[bytes, ...]
    split: int
    gaps: tuple[tuple[int, int], ...]
    actions: Counter[str]
    own: frozenset[bytes]

    @classmethod
    def of(
        cls,
        tags: Sequence[int],
        outcomes: Sequence[Outcome],
        varying: frozenset[int],
        ours: Mapping[int, bytes],
    ) -> "Mould":
        """Leave gaps for the `varying` outcomes; it holds as long as the same of them stay.

        `ours` go in the place of what the file had under their tags.
        """
        staying = {
            tag: number for number, tag in enumerate(tags) if outcomes[number].content is not None
        }
        without_idle_creators(staying)
        order = sorted({*staying, *ours})
        parts, gaps = [], []
        for place, tag in enumerate(order):
            if tag not in ours and staying[tag] in varying:
                gaps.append((place, staying[tag]))
            parts.append(ours[tag] if tag in ours else outcomes[staying[tag]].content or b"")
        same = [one for number, one in enumerate(outcomes) if number not in varying]
        return cls(
            tuple(parts),
            sum(tag < PIXEL_DATA for tag in order),
            tuple(gaps),
            Counter(chain.from_iterable(one.actions for one in same)),
            frozenset[bytes]().union(*(one.own for one in same)),
        )

    def filled(self, outcomes: Sequence[Outcome]) -> tuple[bytes, bytes]:
        """The header before and behind the pixels."""
        parts = list(self.parts)
        for place, number in self.gaps:
            parts[place] = outcomes[number].content or b""
        return b"".join(parts[: self.split]), b"".join(parts[self.split :])
