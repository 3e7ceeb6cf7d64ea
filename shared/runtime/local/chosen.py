"""What did a person choose for this machine, in the environment of `overread up`?"""

from pathlib import Path

from shared.contracts.topics import SERVICES
from shared.runtime.local.environment import own_settings, variable
from shared.runtime.local.failure import SetupError
from shared.runtime.local.places import DEFAULT_ROOT
from shared.runtime.local.preflight import PORT_VARIABLES
from shared.runtime.local.stack import Plan

DEFAULT_PORTS = {
    "issuer": 8100,
    "intake": 8101,
    "deid": 8102,
    "matching": 8103,
    "reporting": 8104,
    "notify": 8105,
    "kafka": 19092,
    "kafka_controller": 19093,
    "postgres": 15432,
    "smtp": 18025,
}


def chosen_plan(folder: Path = DEFAULT_ROOT) -> Plan:
    """The usual ports and embedded servers, unless the environment says otherwise.

    A service's own variables (INTAKE_QUIET_SECONDS=2, ...) are handed on to it.
    """
    return Plan(
        folder=folder,
        ports={name: _port(PORT_VARIABLES[name], usual) for name, usual in DEFAULT_PORTS.items()},
        kafka=variable("OVERREAD_KAFKA"),
        postgres=variable("OVERREAD_POSTGRES"),
        objects=variable("OVERREAD_OBJECTS"),
        issuer=variable("OVERREAD_ISSUER"),
        topic_prefix=variable("OVERREAD_TOPIC_PREFIX") or "overread",
        extra={service: _handed_on(service) for service in SERVICES},
        mailbox=variable("NOTIFY_SMTP") is None,
    )


def _handed_on(service: str) -> dict[str, str]:
    """Without the port, which the plan holds already."""
    return {k: v for k, v in own_settings(service).items() if k != PORT_VARIABLES[service]}


def _port(name: str, usual: int) -> int:
    told = variable(name)
    if told is None:
        return usual
    if told.isdecimal() and 0 < int(told) < 2**16:
        return int(told)
    raise SetupError(f"{name}={told} is no port", mend="a number from 1 to 65535")
