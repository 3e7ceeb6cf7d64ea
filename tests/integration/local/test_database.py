"""Can a service reach anything that is not its own?"""

import itertools

import asyncpg
import pytest

from shared.contracts.topics import SERVICES
from shared.runtime.local.database import init_database, role_of
from shared.testing.fixtures import PASSWORDS, Database

PAIRS = list(itertools.permutations(SERVICES, 2))
INTRUSIONS = (
    "select * from {owner}.secrets",
    "insert into {owner}.secrets values ('mine')",
    "update {owner}.secrets set what = 'mine'",
    "delete from {owner}.secrets",
    "truncate {owner}.secrets",
    "drop table {owner}.secrets",
    "create table {owner}.intruder (a int)",
    "alter schema {owner} rename to stolen",
    "set role overread_{owner}",
)


@pytest.fixture
async def furnished(postgres: Database) -> Database:
    """Each service has made a table of its own, as its migrations would."""
    for service in SERVICES:
        connection = await asyncpg.connect(postgres.dsn(service))
        await connection.execute("create table secrets (what text)")
        await connection.execute("insert into secrets values ($1)", service)
        await connection.close()
    return postgres


@pytest.mark.parametrize(("intruder", "owner"), PAIRS)
async def test_no_role_reaches_into_another_schema(
    furnished: Database, intruder: str, owner: str
) -> None:
    connection = await asyncpg.connect(furnished.dsn(intruder))

    for intrusion in INTRUSIONS:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(intrusion.format(owner=owner))

    assert await connection.fetchval("select what from secrets") == intruder
    await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_no_role_creates_in_public_or_beside_its_schema(
    furnished: Database, service: str
) -> None:
    connection = await asyncpg.connect(furnished.dsn(service))

    for statement in (
        "create table public.meeting_point (a int)",
        "create function public.trap() returns int language sql return 1",
        "create schema another",
        "create role another",
        "create database another",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_an_unqualified_name_means_the_services_own_schema(furnished: Database) -> None:
    found = {}
    for service in SERVICES:
        connection = await asyncpg.connect(furnished.dsn(service))
        found[service] = await connection.fetchval("select what from secrets")
        await connection.close()

    assert found == {service: service for service in SERVICES}


async def test_init_twice_keeps_what_is_there(furnished: Database, postgres_server: str) -> None:
    dsns = await init_database(postgres_server, PASSWORDS, furnished.name)

    connection = await asyncpg.connect(dsns["intake"])
    assert await connection.fetchval("select what from secrets") == "intake"
    await connection.close()


async def test_a_wrong_password_is_refused(furnished: Database) -> None:
    dsn = furnished.dsn("intake").replace(PASSWORDS["intake"], "guess")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn)


async def test_an_administrator_without_superuser_is_enough(
    postgres: Database, postgres_server: str
) -> None:
    """Managed servers grant CREATEDB and CREATEROLE, never superuser."""
    boss = f"boss_{postgres.name[-8:]}"
    tenant = f"t{postgres.name[-8:]}"
    database = f"managed_{postgres.name[-8:]}"
    root = await asyncpg.connect(postgres_server)
    await root.execute(f"create role {boss} login createdb createrole password 'b'")
    scheme_and_host = postgres_server.rpartition("@")[2]
    try:
        dsns = await init_database(
            f"postgresql://{boss}:b@{scheme_and_host}", {tenant: "pw"}, database
        )
        connection = await asyncpg.connect(dsns[tenant])
        await connection.execute("create table mine (a int)")
        await connection.close()
    finally:
        await root.execute(f"drop database if exists {database} with (force)")
        await root.execute(f"drop role if exists {role_of(tenant)}, {boss}")
        await root.close()
