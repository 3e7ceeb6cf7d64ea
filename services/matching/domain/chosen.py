"""Why was this case the reader's next one, and what was held back, for whom?

What the choice was made of is kept: the cases that the reader could have had and those that were
held back, each with what its terms look at, and the policy. From these it is made again.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np
from pydantic import AwareDatetime

from services.matching.domain.columns import Rows
from services.matching.domain.directed import Choice, Directed, depth, told, urgency_then, weighed
from services.matching.domain.fit import Asking
from services.matching.domain.liking import Likings
from services.matching.domain.need import GENERAL
from services.matching.domain.policy import Policy
from services.matching.domain.reader import Reader
from services.matching.domain.rota import Seconds, moment
from services.matching.domain.track import Track, experienced
from shared.contracts.base import CaseId, Code, Frozen, ReaderId
from shared.contracts.matching import ScoreTerm

SHOWN: Final = 10
FORM: Final = "pair_2"  # of the terms: what had other terms is not made again
# Two computations of the same terms may differ in the last digits that are kept.
NEARLY: Final = 0.0001


class Alternative(Frozen):
    """A case that the reader could have had.

    `begin_by`: the last moment at which it could be begun, None where that is over or nobody
    comes; `last_at`: until when a quick reading may still save it; `owed_at`: when its report is.
    `able`: how many there may read it. `seen`: the reader has
    read the patient before.
    """

    case_id: CaseId
    subspecialty: Code
    right: bool
    begin_by: AwareDatetime | None
    last_at: AwareDatetime | None = None
    owed_at: AwareDatetime
    able: int
    modalities: tuple[str, ...] = ()
    reason: Code | None = None
    language: str = ""
    seen: bool = False
    score: float
    terms: tuple[ScoreTerm, ...]


class HeldBack(Frozen):
    """A case that this reader may read, held for the right subspecialist forecast to begin it.

    `put_off`: it is held for nobody else, but may wait, and the reader is kept ready for urgent
    cases that nobody else is forecast to begin in time.
    """

    case_id: CaseId
    begin_by: AwareDatetime | None
    awaited: ReaderId | None
    awaited_at: AwareDatetime | None
    put_off: bool = False


class Chosen(Frozen):
    """The choice: the best first among `cases`, and the most urgent first among `held_back`.

    `track` is what was known of the reader; `form`: which terms a score had then.
    """

    reader: ReaderId
    at: AwareDatetime
    policy: Policy
    cases: tuple[Alternative, ...]
    held_back: tuple[HeldBack, ...]
    track: Track | None = None
    form: Code = "pair_1"


def chosen(directed: Directed, choice: Choice, now: datetime) -> Chosen:
    """Keep what a choice was made of, before anything else changes."""
    reader, pool = choice.reader, directed.pool
    at = now.timestamp()
    rows = directed.free_for(reader, at)
    terms = directed.terms(rows, reader, at)
    weights = pool.policy.weights.of(terms)
    scores = weighed(terms, weights, len(rows))
    best = np.lexsort((-scores, rows != choice.row))[:SHOWN]
    some = {name: value[best] for name, value in terms.items()}
    back = directed.held_back(reader, at)
    back = back[np.argsort(pool.latest[back], kind="stable")][:SHOWN]
    return Chosen(
        reader=pool.staff.readers[reader].id,
        at=now,
        policy=pool.policy,
        cases=tuple(_alternatives(directed, rows[best], reader, some)),
        held_back=tuple(held(directed, int(row), reader) for row in back),
        track=directed.likings.track(reader) if directed.likings.tracks else None,
        form=FORM,
    )


def _alternatives(
    directed: Directed, rows: Rows, reader: int, terms: Mapping[str, Seconds]
) -> Iterator[Alternative]:
    pool = directed.pool
    able = (pool.able[rows] & directed.present).sum(axis=1)
    for n, row in enumerate(map(int, rows)):
        entry = pool.entry(row)
        need = entry.need
        of = {name: float(value[n]) for name, value in terms.items()}
        yield Alternative(
            case_id=CaseId(need.case_id),
            subspecialty=need.subspecialty,
            right=bool(pool.right[row, reader]),
            begin_by=moment(float(pool.latest[row])),
            last_at=moment(float(pool.last[row])),
            owed_at=datetime.fromtimestamp(float(pool.owed[row]), UTC),
            able=int(able[n]),
            modalities=need.modalities,
            reason=need.reason_for_review,
            language=need.language,
            seen=pool.staff.readers[reader].id in entry.seen_by,
            score=_score(of, pool.policy),
            terms=_told(of, pool.policy),
        )


def held(directed: Directed, row: int, reader: int) -> HeldBack:
    """Say for whom a case is held that this reader may read."""
    pool, awaited = directed.pool, int(directed.pool.awaited[row])
    return HeldBack(
        case_id=CaseId(pool.entry(row).need.case_id),
        begin_by=moment(float(pool.latest[row])),
        awaited=pool.staff.readers[awaited].id if awaited >= 0 else None,
        awaited_at=moment(float(pool.awaited_at[row])),
        put_off=bool(pool.right[row, reader] or pool.released[row]),
    )


def differences(kept: Chosen, roster: Mapping[ReaderId, Reader]) -> Iterator[str]:
    """Make the choice again from what was kept; name what comes out otherwise."""
    reader = roster.get(kept.reader)
    if reader is None or kept.form != FORM:
        yield "policy" if reader else "reader"
        return
    again = [_again(one, reader, kept.track, kept, seen=one.seen) for one in kept.cases]
    scores = [_score(of, kept.policy) for of in again]
    for of, was, score in zip(again, kept.cases, scores, strict=True):
        if abs(score - was.score) > NEARLY or not _same(_told(of, kept.policy), was.terms):
            yield "scores"
    if scores and scores[0] < max(scores) - NEARLY:
        yield "choice"


def once_more(kept: Chosen, reader: Reader, track: Track, *, seen: bool) -> dict[str, float]:
    """Work out what the case that was chosen would have been worth to a reader."""
    known = None if kept.track is None else track
    return _again(kept.cases[0], reader, known, kept, seen=seen)


def _same(new: tuple[ScoreTerm, ...], old: tuple[ScoreTerm, ...]) -> bool:
    return {one.term: one.weight for one in new} == {one.term: one.weight for one in old} and all(
        abs(a.value - b.value) <= NEARLY for a, b in zip(_sorted(new), _sorted(old), strict=True)
    )


def _sorted(terms: tuple[ScoreTerm, ...]) -> list[ScoreTerm]:
    return sorted(terms, key=lambda one: one.term)


def _again(
    one: Alternative, reader: Reader, track: Track | None, kept: Chosen, *, seen: bool
) -> dict[str, float]:
    known = (
        {}
        if track is None
        else {
            "experience": experienced(track, one.modalities, one.reason or ""),
            "continuity": float(seen),
            "language": float(one.language in reader.languages),
        }
    )
    return known | {
        "urgency": urgency_then(one.begin_by, one.last_at, one.owed_at, kept.at, kept.policy),
        "depth": depth(one.subspecialty, reader.subspecialties),
        "scarcity": 1 / max(1, one.able),
    }


def worth(likings: Likings, asking: Asking, choice: Choice, who: Rows) -> dict[str, Seconds]:
    """Give each term of the chosen case for other readers, as if they had asked for it."""
    need, columns = asking.need, likings.staff.columns
    fields = columns.fields.get(need.subspecialty, np.zeros(len(columns.readers)))
    deep = np.ones(len(who)) if need.subspecialty == GENERAL else fields[who]
    alike = {name: np.full(len(who), choice.terms[name]) for name in ("urgency", "scarcity")}
    return likings.paired(need, asking.seen_by, who) | alike | {"depth": deep}


def _score(terms: Mapping[str, float], policy: Policy) -> float:
    weights = policy.weights.of(terms)
    each = (weights[name] * value for name, value in terms.items())
    return round(float(sum(each)), 4)


def _told(terms: Mapping[str, float], policy: Policy) -> tuple[ScoreTerm, ...]:
    return told(terms, policy.weights.of(terms))
