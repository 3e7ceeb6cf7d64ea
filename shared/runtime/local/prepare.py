"""Are the servers we were given fit to work on, and if not, what does a person do about it?"""

from collections.abc import Mapping
from urllib.parse import urlsplit

import asyncpg
from aiokafka.errors import KafkaError

from shared.runtime.local.database import init_database
from shared.runtime.local.failure import SetupError
from shared.runtime.local.topics import create_topics


async def prepare_postgres(admin_dsn: str, passwords: Mapping[str, str], database: str) -> None:
    """Make roles and schemas; raises SetupError without the DSN's password."""
    parts = urlsplit(admin_dsn)
    where = f"Postgres at {parts.hostname}:{parts.port or 5432}"
    try:
        await init_database(admin_dsn, passwords, database)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        raise SetupError(
            f"{where} refuses the user {parts.username}", mend="correct OVERREAD_POSTGRES"
        ) from None
    except asyncpg.InsufficientPrivilegeError:
        raise SetupError(
            f"{where}: {parts.username} may not make roles and databases",
            mend="name an administrator with CREATEROLE and CREATEDB in OVERREAD_POSTGRES",
        ) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise SetupError(
            f"{where} can't be used ({type(error).__name__})",
            mend="start it, or correct OVERREAD_POSTGRES",
        ) from None


async def prepare_kafka(bootstrap: str, prefix: str) -> None:
    try:
        await create_topics(bootstrap, prefix)
    except (OSError, KafkaError) as error:
        raise SetupError(
            f"Kafka at {bootstrap} can't be used ({type(error).__name__})",
            mend="start it, or correct OVERREAD_KAFKA",
        ) from None
