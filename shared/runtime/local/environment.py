"""What does each program of the set-up read from its environment, and which secrets may it see?"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.contracts.topics import SERVICES
from shared.runtime.local.keys import Keys
from shared.runtime.local.places import CHECKOUT
from shared.runtime.local.ports import HOST

OWN_PREFIXES = ("OVERREAD_", "ISSUER_", *(f"{service.upper()}_" for service in SERVICES))


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything listens. `postgres` is each service's own login."""

    kafka: str
    postgres: Mapping[str, str]
    objects: str
    issuer: str
    ports: Mapping[str, int]
    topic_prefix: str = "overread"
    host: str = HOST
    smtp: str = f"{HOST}:18025"
    telemetry: Path | None = None


def service_environment(service: str, addresses: Addresses, keys: Keys) -> dict[str, str]:
    """What this one service reads: its own login and keys, and nobody else's."""
    prefix = service.upper()
    common = {
        "OVERREAD_KAFKA": addresses.kafka,
        "OVERREAD_OBJECTS": addresses.objects,
        "OVERREAD_ISSUER": addresses.issuer,
        "OVERREAD_TOPIC_PREFIX": addresses.topic_prefix,
        f"{prefix}_POSTGRES": addresses.postgres[service],
        f"{prefix}_HOST": addresses.host,
        f"{prefix}_PORT": str(addresses.ports[service]),
        f"{prefix}_MEMBER": f"{service}-1",  # one replica each: it comes back as itself
    }
    if addresses.telemetry:
        common["OVERREAD_TELEMETRY"] = str(addresses.telemetry)
    own = OWN.get(service)
    return common if own is None else {**common, **own(keys, addresses)}


def issuer_environment(addresses: Addresses, folder: Path) -> dict[str, str]:
    return {
        "ISSUER_URL": addresses.issuer,
        "ISSUER_HOST": addresses.host,
        "ISSUER_PORT": str(addresses.ports["issuer"]),
        "ISSUER_FOLDER": str(folder),
    }


def outer_environment() -> dict[str, str]:
    """What any program needs (PATH, locale, S3 credentials), without our own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OWN_PREFIXES)}


def own_settings(program: str) -> dict[str, str]:
    """What a person set for this one program, e.g. INTAKE_COLLECTION_HOURS: it goes over ours."""
    prefix = f"{program.upper()}_"
    return {name: value for name, value in os.environ.items() if name.startswith(prefix)}


def _intake(keys: Keys, _: Addresses) -> dict[str, str]:
    return {
        "INTAKE_NOTIFY_PUBLIC_KEY": json.dumps(keys.sealing_public),
        "INTAKE_DIGEST_KEY": keys.intake_digest,
        "INTAKE_SEED": _seed("intake"),
    }


def _deid(keys: Keys, _: Addresses) -> dict[str, str]:
    older = [one.model_dump() for one in keys.deid_older]
    return {
        "DEID_KEY": keys.deid_pseudonym,
        "DEID_KEY_VERSION": keys.deid_version,
        "DEID_OLDER_KEYS": json.dumps(older),
        "DEID_NOTIFY_PUBLIC_KEY": json.dumps(keys.sealing_public),
    }


def _matching(keys: Keys, _: Addresses) -> dict[str, str]:
    key = {"MATCHING_STORE_KEY": keys.matching_store} if keys.matching_store else {}
    return key | {
        "MATCHING_SEED": _seed("matching"),
        "MATCHING_POLICY": _seed("matching-policy"),
        # A reader's receiver on this machine, as for a partner's below.
        "MATCHING_ALLOW_PRIVATE": "127.0.0.0/8,::1/128",
    }


def _notify(keys: Keys, addresses: Addresses) -> dict[str, str]:
    return {
        "NOTIFY_PRIVATE_KEYS": json.dumps(keys.sealing),
        "NOTIFY_STORE_KEY": keys.notify_store,
        "NOTIFY_SMTP": f"smtp://{addresses.smtp}",
        "NOTIFY_CASE_LINK": f"http://{HOST}:{addresses.ports['notify']}/v1/cases",
        # A partner's receiver on this machine may be reached although private and without TLS.
        "NOTIFY_ALLOW_PRIVATE": "127.0.0.0/8,::1/128",
        "NOTIFY_SEED": _seed("notify"),
    }


OWN: Mapping[str, Callable[[Keys, Addresses], dict[str, str]]] = {
    "intake": _intake,
    "deid": _deid,
    "matching": _matching,
    "notify": _notify,
}


def _seed(service: str) -> str:
    return str(CHECKOUT / "examples" / f"{service}.yaml")


def variable(name: str) -> str | None:
    """What a person set, or None; empty is unset, as Docker Compose passes it."""
    return os.environ.get(name) or None
