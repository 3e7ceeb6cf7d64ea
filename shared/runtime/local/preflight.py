"""Can a set-up start on this machine at all? Everything that is missing, before anything starts."""

import shutil
from collections.abc import Iterator

from shared.runtime.local import ports
from shared.runtime.local.failure import SetupError
from shared.runtime.local.kafka.jars import find_java, jars_folder
from shared.runtime.local.places import Places
from shared.runtime.local.stack import Plan

MINIMUM_FREE = 10**9  # bytes: Kafka's and Postgres's logs, and room for a few studies
# The variable that moves each listener to another port.
PORT_VARIABLES = {
    "intake": "INTAKE_PORT",
    "deid": "DEID_PORT",
    "matching": "MATCHING_PORT",
    "reporting": "REPORTING_PORT",
    "notify": "NOTIFY_PORT",
    "issuer": "ISSUER_PORT",
    "kafka": "OVERREAD_KAFKA_PORT",
    "kafka_controller": "OVERREAD_KAFKA_CONTROLLER_PORT",
    "postgres": "OVERREAD_POSTGRES_PORT",
    "smtp": "OVERREAD_SMTP_PORT",
}


def check(plan: Plan) -> None:
    """Raises SetupError for the first thing that is missing, with its mend."""
    demand_room(Places(plan.folder))
    if plan.kafka is None:
        find_java()
        jars_folder()
    for name in _listeners(plan):
        if name in plan.ports:
            ports.demand_free(plan.ports[name], name, PORT_VARIABLES[name])


def demand_room(places: Places, minimum: int = MINIMUM_FREE) -> None:
    free = shutil.disk_usage(places.root).free
    if free < minimum:
        raise SetupError(
            f"the disk is full: {free // 10**6} MB are free, {minimum // 10**6} MB are needed",
            mend=f"make room where {places.root} stands",
        )


def _listeners(plan: Plan) -> Iterator[str]:
    yield from plan.services
    if plan.issuer is None:
        yield "issuer"
    if plan.kafka is None:
        yield from ("kafka", "kafka_controller")
    if plan.postgres is None:
        yield "postgres"
    if plan.mailbox:
        yield "smtp"
