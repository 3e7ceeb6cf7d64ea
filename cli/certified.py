"""Has a byte changed since a certificate was written? Hashes tell; nothing is parsed here.

And is the certificate itself as it was written? Only whoever has the key can ask.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from services.deid.domain.certificate import Certificate, is_sealed
from services.deid.domain.identity import Keyring
from shared.runtime.local.failure import SetupError


@dataclass(frozen=True, slots=True)
class Finding:
    """What a certificate says of a file, or a file of a certificate."""

    line: str
    unchanged: bool


def verified(certificate: Path, file: Path, keys: Keyring | None = None) -> list[Finding]:
    """Compare a file, or a study's folder, with the certificate, and that with its seal.

    In a folder every certified instance must be there, and nothing else but the certificate.
    """
    try:
        raw = certificate.read_bytes()
        proof = Certificate.model_validate_json(raw)
    except (OSError, ValidationError):
        raise SetupError(
            f"CERT: {certificate} is no certificate", mend="take a study's certificate.json"
        ) from None
    if not file.exists():
        raise SetupError(f"FILE: {file} does not exist")
    hashes = {one.sha256: one.sop_instance for one in proof.instances}
    seals = [_seal(raw, proof, certificate, keys)] if keys else []
    if file.is_dir():
        return [*seals, *_folder(hashes, file, certificate)]
    return [*seals, _one(hashes, file)]


def _seal(raw: bytes, proof: Certificate, certificate: Path, keys: Keyring) -> Finding:
    if proof.seal is None:
        return Finding(f"not sealed: {certificate}", unchanged=False)
    if any(is_sealed(raw, key) for key in keys.keys if key.version == proof.key_version):
        return Finding(f"sealed by key {proof.key_version}: {certificate}", unchanged=True)
    return Finding(f"changed, or sealed by another key: {certificate}", unchanged=False)


def _one(hashes: dict[str, str], file: Path) -> Finding:
    if _sha256(file) in hashes:
        return Finding(f"unchanged: {file}", unchanged=True)
    return Finding(f"changed, or of another study: {file}", unchanged=False)


def _folder(hashes: dict[str, str], folder: Path, certificate: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        if file.samefile(certificate):
            continue
        seen.add(_sha256(file))
        yield _one(hashes, file)
    for sha256 in sorted(hashes.keys() - seen):
        yield Finding(f"missing, or changed: {hashes[sha256]}", unchanged=False)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
