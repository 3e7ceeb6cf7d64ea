"""Does a patient's identity stand anywhere outside the vault? Look through everything, and say.

The same search is run over the vault, where it has to find them: a search that can't find proves
nothing. Bytes are searched, not fields: topics with keys and headers, log and trace files, objects,
and every table of every schema, as text and in binary.
"""

import base64
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
from aiokafka import AIOKafkaConsumer

# Shorter needles are found in base64 by chance.
LONG_ENOUGH_FOR_BASE64 = 8
TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_schema = ANY($1::text[]) AND table_type = 'BASE TABLE' ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Haystack:
    """Bytes from one place."""

    place: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """One identifier in one place; `needle` is its number: its words must not be printed."""

    place: str
    needle: int


@dataclass(slots=True)
class Searched:
    """What was looked through under one heading."""

    heading: str
    pieces: int = 0
    size: int = 0
    hits: tuple[Hit, ...] = ()

    def add(self, haystack: Haystack, needles: "Needles") -> None:
        self.pieces += 1
        self.size += len(haystack.content)
        self.hits += tuple(Hit(haystack.place, n) for n in needles.found_in(haystack.content))


class Needles:
    """A patient's identifiers in the notations in which a computer may have written them."""

    def __init__(self, identifiers: Sequence[str]) -> None:
        self._folded = [_folded(one) for one in identifiers]
        self._exact = [_base64(one) for one in identifiers]

    def found_in(self, content: bytes) -> list[int]:
        """Give the numbers of those found; upper and lower case are one."""
        lower = content.lower()
        return [
            number
            for number, (folded, exact) in enumerate(zip(self._folded, self._exact, strict=True))
            if any(one in lower for one in folded) or any(one in content for one in exact)
        ]


def _folded(identifier: str) -> set[bytes]:
    low = identifier.lower()
    encodings = ("utf-8", "utf-16-le", "utf-16-be")
    escaped = low.encode("ascii", "backslashreplace")
    return {*(low.encode(one) for one in encodings), escaped, quote(low).lower().encode()}


def _base64(identifier: str) -> set[bytes]:
    """Give what base64 makes of it in the middle of a text, at each of its three alignments."""
    plain = identifier.encode()
    if len(plain) < LONG_ENOUGH_FOR_BASE64:
        return set()
    found = set()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        first = (shift * 8 + 5) // 6
        last = (shift + len(plain)) * 8 // 6
        found.add(coded[first:last])
    return found


def files(heading: str, folders: Iterable[Path], needles: Needles) -> Searched:
    """Search every file under the folders, names included."""
    searched = Searched(heading)
    for folder in folders:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            name = str(path.relative_to(folder))
            searched.add(Haystack(name, name.encode() + b"\n" + path.read_bytes()), needles)
    return searched


async def topics(bootstrap: str, names: Sequence[str], needles: Needles) -> Searched:
    """Search every message that Kafka still has: key, headers, value."""
    searched = Searched("topics")
    async for message in _messages(bootstrap, names):
        headers = b"\n".join(name.encode() + b"=" + value for name, value in message.headers)
        parts = (message.key or b"", headers, message.value or b"")
        searched.add(Haystack(f"{message.topic}@{message.offset}", b"\n".join(parts)), needles)
    return searched


async def _messages(bootstrap: str, names: Sequence[str]) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        wanted = await consumer.end_offsets(consumer.assignment())
        left = {partition for partition, end in wanted.items() if end > 0}
        while left:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    yield record
            left = {one for one in left if await consumer.position(one) < wanted[one]}
    finally:
        await consumer.stop()


async def tables(admin_dsn: str, schemas: Sequence[str], needles: Needles) -> Searched:
    """Search every row of every table, as Postgres writes it and as it stores it."""
    searched = Searched("tables")
    db = await asyncpg.connect(admin_dsn)
    try:
        for row in await db.fetch(TABLES, list(schemas)):
            for form in ("text", "binary"):
                content = io.BytesIO()
                await db.copy_from_table(
                    row["table_name"], schema_name=row["table_schema"], output=content, format=form
                )
                place = f"{row['table_schema']}.{row['table_name']}"
                searched.add(Haystack(place, content.getvalue()), needles)
    finally:
        await db.close()
    return searched
