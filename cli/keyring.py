"""Which keys does `overread deid --key FILE` name? A secret, or all that `overread keys` keeps."""

import base64
import binascii
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from services.deid.domain.identity import Key, Keyring
from services.deid.settings import KEY_BYTES
from shared.runtime.local.failure import SetupError
from shared.runtime.local.keys import OlderKey


class _Kept(BaseModel):
    """What de-identification needs of a set-up's keys.json; the other secrets are passed over."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    deid_pseudonym: str
    deid_version: str
    deid_older: tuple[OlderKey, ...] = ()


def read_keyring(file: Path | None) -> Keyring:
    """The keys of all pseudonyms, UIDs and date shifts; a fresh one when no file is named."""
    if file is None:
        return Keyring((Key("unkept", secrets.token_bytes(KEY_BYTES)),))
    mend = f"make one: head -c {KEY_BYTES} /dev/urandom | base64 > {file}"
    if not file.is_file():
        raise SetupError(f"--key: {file} is no file", mend=mend)
    content = file.read_bytes().strip()
    if content.startswith(b"{"):
        return _ring(content, file)
    return Keyring((Key("1", _secret(content, f"{file}", mend)),))


def _ring(content: bytes, file: Path) -> Keyring:
    mend = "name the keys.json of the folder that `overread keys list` reads"
    try:
        kept = _Kept.model_validate_json(content)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise SetupError(f"--key: {file}: {fields or 'no JSON'} is wrong", mend=mend) from None
    versions = [(kept.deid_version, kept.deid_pseudonym)]
    versions += [(one.version, one.key) for one in kept.deid_older]
    return Keyring(
        tuple(
            Key(version, _secret(key.encode(), f"{file}: version {version}", mend))
            for version, key in versions
        )
    )


def _secret(content: bytes, where: str, mend: str) -> bytes:
    try:
        secret = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise SetupError(f"--key: {where} is not base64", mend=mend) from None
    if len(secret) < KEY_BYTES:
        raise SetupError(f"--key: {where} holds fewer than {KEY_BYTES} bytes", mend=mend)
    return secret
