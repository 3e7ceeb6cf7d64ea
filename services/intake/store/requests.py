"""Was this request made before, and what was it answered?"""

import json
from dataclasses import dataclass
from datetime import datetime

from shared.runtime.postgres import Db

# Take a key, or find it taken; nothing when somebody takes it at this moment.
TAKE = """
    WITH taken AS (
        INSERT INTO requests (partner, key, body, made_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (partner, key) DO NOTHING RETURNING body, answer, made_at)
    SELECT body, answer, made_at FROM taken
    UNION ALL SELECT body, answer, made_at FROM requests WHERE partner = $1 AND key = $2
"""
# What the key was used for.
FIND = "SELECT body, answer, made_at FROM requests WHERE partner = $1 AND key = $2"
# Keep the first answer.
ANSWER = """
    UPDATE requests SET answer = coalesce(answer, $3::jsonb) WHERE partner = $1 AND key = $2
    RETURNING answer
"""
# A refused request had no effect: its key is free again.
RELEASE = "DELETE FROM requests WHERE partner = $1 AND key = $2 AND body = $3 AND answer IS NULL"


@dataclass(frozen=True, slots=True)
class Made:
    """A request by its key. `body` is the keyed digest of what was asked with it."""

    body: str
    made_at: datetime
    answer: dict[str, object] | None = None


async def take(db: Db, partner: str, key: str, body: str, now: datetime) -> Made:
    """Take the key for a body, and give what it was taken for: this body, or an earlier one."""
    row = await db.fetchrow(TAKE, partner, key, body, now)
    row = row or await db.fetchrow(FIND, partner, key)
    if row is None:  # released by a refusal in between: as if it had never been
        return Made(body, now)
    return Made(row["body"], row["made_at"], json.loads(row["answer"]) if row["answer"] else None)


async def answer(db: Db, partner: str, key: str, given: dict[str, object]) -> dict[str, object]:
    """Keep the answer; give the one that counts, the first."""
    kept = await db.fetchval(ANSWER, partner, key, json.dumps(given))
    return json.loads(kept) if kept else given


async def release(db: Db, partner: str, key: str, body: str) -> None:
    await db.execute(RELEASE, partner, key, body)
