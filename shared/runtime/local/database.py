"""How does an empty Postgres become ours: one database, a role and a schema for each service?"""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

# One key for all set-ups against one server: roles belong to the whole server, and two set-ups
# that alter one role at a time make Postgres answer "tuple concurrently updated".
SETUP_LOCK = 0x0F_E4_EA_D0

DATABASE_EXISTS = "select exists(select from pg_database where datname = $1)"
ROLE_EXISTS = "select exists(select from pg_roles where rolname = $1)"
AM_SUPERUSER = "select rolsuper from pg_roles where rolname = current_user"
# Identifiers and passwords can't be bound in DDL, so the server quotes them for us.
QUOTED = "select format($1, variadic $2::text[])"

LOCK = "select pg_advisory_lock($1)"
# Nobody but the services connects, and nothing can be made in the schema that all could reach.
CLOSE_TO_ALL = """
revoke all on database %1$I from public;
revoke all on schema public from public;
"""
# A service owns its schema and sees it alone; unqualified names mean it.
OPEN_TO_SERVICE = """
grant connect on database %1$I to %2$I;
create schema if not exists %3$I authorization %2$I;
revoke all on schema %3$I from public;
alter role %2$I in database %1$I set search_path = %3$I;
"""


def role_of(service: str) -> str:
    return f"overread_{service}"


async def init_database(
    admin_dsn: str, passwords: Mapping[str, str], database: str = "overread"
) -> dict[str, str]:
    """Make what is missing, and set each role's password; twice is harmless.

    `passwords` is by service. Gives each service's DSN. The administrator needs no superuser:
    CREATEDB and CREATEROLE are enough, as managed servers grant them.
    """
    await _make_roles(admin_dsn, passwords, database)
    inside = await asyncpg.connect(with_database(admin_dsn, database))
    try:
        async with inside.transaction():
            await inside.execute(await _format(inside, CLOSE_TO_ALL, database))
            for service in passwords:
                await _open_to(inside, service, database)
    finally:
        await inside.close()
    return {
        service: service_dsn(admin_dsn, service, password, database)
        for service, password in passwords.items()
    }


async def drop_database(admin_dsn: str, database: str) -> None:
    """Remove a database with all that is in it, also while someone is connected. Roles stay."""
    admin = await asyncpg.connect(admin_dsn)
    try:
        statement = "drop database if exists %1$I with (force)"
        await admin.execute(await _format(admin, statement, database))
    finally:
        await admin.close()


def service_dsn(admin_dsn: str, service: str, password: str, database: str) -> str:
    """The admin's address with the service's name and password: host and options stay."""
    parts = urlsplit(admin_dsn)
    where = parts.netloc.rpartition("@")[2]
    netloc = f"{role_of(service)}:{quote(password, safe='')}@{where}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{database}"))


def with_database(dsn: str, database: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


async def _make_roles(admin_dsn: str, passwords: Mapping[str, str], database: str) -> None:
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.fetchval(LOCK, SETUP_LOCK)
        for service, password in passwords.items():
            await _make_role(admin, role_of(service), password)
        if not await admin.fetchval(DATABASE_EXISTS, database):
            await admin.execute(await _format(admin, "create database %1$I", database))
    finally:
        await admin.close()


async def _make_role(admin: asyncpg.Connection, role: str, password: str) -> None:
    exists = await admin.fetchval(ROLE_EXISTS, role)
    verb = "alter" if exists else "create"
    statement = f"{verb} role %1$I with login nocreatedb nocreaterole password %2$L"
    await admin.execute(await _format(admin, statement, role, password))


async def _open_to(inside: asyncpg.Connection, service: str, database: str) -> None:
    role = role_of(service)
    if not await inside.fetchval(AM_SUPERUSER):
        # Only who is a member of a role may give it a schema.
        await inside.execute(await _format(inside, "grant %1$I to current_user", role))
    await inside.execute(await _format(inside, OPEN_TO_SERVICE, database, role, service))


async def _format(connection: asyncpg.Connection, statement: str, *names: str) -> str:
    return str(await connection.fetchval(QUOTED, statement, list(names)))
