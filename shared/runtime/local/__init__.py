"""How does all of Overread run on one machine, on real Postgres and real Kafka?"""

from shared.runtime.local.database import drop_database, init_database
from shared.runtime.local.failure import SetupError
from shared.runtime.local.topics import create_topics, delete_topics

__all__ = ["SetupError", "create_topics", "delete_topics", "drop_database", "init_database"]
