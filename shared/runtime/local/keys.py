"""Which secrets does a set-up need, and how are they made once and kept?"""

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.contracts.topics import SERVICES
from shared.runtime.local.failure import SetupError
from shared.runtime.local.files import write_private
from shared.runtime.sealing import new_key_pair


class OlderKey(BaseModel):
    """A pseudonym key that was replaced. Whom it named keeps the name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    key: str


class Keys(BaseModel):
    """All secrets of one set-up. Each service is handed only its own (environment.py).

    `postgres_admin` opens the embedded Postgres, `passwords` the services' roles in any.
    `sealing`: notify's private JWKs, newest first: what was sealed to an older one still opens.
    The symmetric keys are 32 random bytes in base64; `deid_older` are newest first. Folders that
    were made before there was `matching_store` get it when they are read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    postgres_admin: str
    passwords: dict[str, str]
    sealing: tuple[dict[str, Any], ...]
    sealing_public: dict[str, Any]
    intake_digest: str
    deid_pseudonym: str
    notify_store: str
    matching_store: str = ""
    deid_version: str = "1"
    deid_older: tuple[OlderKey, ...] = ()


def read_or_make_keys(path: Path, passwords: Mapping[str, str] | None = None) -> Keys:
    """The folder's keys, made the first time. Who loses them can open no sealed identity again."""
    if path.exists():
        return _completed(path, read_keys(path))
    private, public = new_key_pair()
    keys = Keys(
        postgres_admin=secrets.token_urlsafe(24),
        passwords=dict(passwords or {service: secrets.token_urlsafe(24) for service in SERVICES}),
        sealing=(private,),
        sealing_public=public,
        intake_digest=_random_key(),
        deid_pseudonym=_random_key(),
        notify_store=_random_key(),
        matching_store=_random_key(),
    )
    write_private(path, keys.model_dump_json(indent=2))
    return keys


def _completed(path: Path, keys: Keys) -> Keys:
    if keys.matching_store:
        return keys
    whole = keys.model_copy(update={"matching_store": _random_key()})
    write_private(path, whole.model_dump_json(indent=2))
    return whole


def read_keys(path: Path) -> Keys:
    """The folder's keys; raises SetupError when there are none, or no whole ones."""
    try:
        return Keys.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise SetupError(f"{path} is missing", mend="run `overread up` or `init` first") from None
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise SetupError(
            f"{path} is damaged ({fields or 'no JSON'})",
            mend="restore it, or remove the whole folder with its data",
        ) from None


def rotate_sealing(path: Path) -> Keys:
    """Seal to a new key from the next start on; older keys stay, to open what is under way."""
    keys = read_or_make_keys(path)
    private, public = new_key_pair()
    rotated = keys.model_copy(
        update={"sealing": (private, *keys.sealing), "sealing_public": public}
    )
    write_private(path, rotated.model_dump_json(indent=2))
    return rotated


def rotate_pseudonyms(path: Path) -> Keys:
    """Name new patients under a new key from the next start on; known ones keep their names."""
    keys = read_or_make_keys(path)
    before = OlderKey(version=keys.deid_version, key=keys.deid_pseudonym)
    rotated = keys.model_copy(
        update={
            "deid_pseudonym": _random_key(),
            "deid_version": str(int(keys.deid_version) + 1),
            "deid_older": (before, *keys.deid_older),
        }
    )
    write_private(path, rotated.model_dump_json(indent=2))
    return rotated


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
