"""What did operators order of a case?"""

import json
from typing import Any
from uuid import UUID

from shared.runtime.postgres import Db

# A case's orders, in order.
OF_CASE = """
    SELECT seq, subject, what, terms, ordered_at FROM orders WHERE case_id = $1 ORDER BY seq
"""


async def of_case(db: Db, case_id: UUID) -> list[dict[str, Any]]:
    rows = await db.fetch(OF_CASE, case_id)
    return [dict(row) | {"terms": json.loads(row["terms"])} for row in rows]
