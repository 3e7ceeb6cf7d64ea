"""How does the roster know those who made the first reports of some cases?"""

from collections.abc import Iterable

from services.matching.domain.author import Author, author_of
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from shared.contracts.base import CaseId
from shared.runtime.postgres import Db

# The readers of the roster who have one of these names.
NAMED = "SELECT reader FROM readers WHERE id = ANY($1::text[]) OR reader -> 'identifiers' ?| $1"


async def authors(db: Db, needs: Iterable[Need]) -> dict[CaseId, Author]:
    """Give them by case; a case whose first reader is nobody of the roster's has none."""
    named = [(one, one.first_reader) for one in needs if one.first_reader is not None]
    if not named:
        return {}
    rows = await db.fetch(NAMED, list({name for _, name in named}))
    known = [Reader.model_validate_json(row["reader"]) for row in rows]
    return {one.case_id: author_of(one, known) for one, _ in named} if known else {}
