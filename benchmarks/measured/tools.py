"""What do de-identifiers take that are programs of their own? Those that are on this machine."""

import resource
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from benchmarks.measured.peers import Ran
from shared.runtime import clock

_SECONDS = 300
_NAMES = ("PatientName", "PatientID", "AccessionNumber", "ReferringPhysicianName", "OperatorsName")
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "PatientBirthDate")
Command = Callable[[Path, Path], list[str]]


@dataclass(frozen=True)
class Tool:
    """A program; `command` tells how it is called for two folders."""

    name: str
    command: Command

    def clean(self, source: Path, out: Path) -> Ran:
        """Processor time for all files, without the program's start: that is in a run of one."""
        files = sorted(source.iterdir())
        one, first = (out.with_name(f"{out.name}-one-{of}") for of in ("raw", "clean"))
        for folder in (one, first, out):
            folder.mkdir(exist_ok=True)
        shutil.copyfile(files[0], one / files[0].name)
        try:
            start, whole = self._seconds(one, first), self._seconds(source, out)
        except subprocess.SubprocessError:
            return Ran(self.name, skipped=f"{self.name} failed on these files")
        faults = tuple(file.name for file in files if not (out / file.name).exists())
        return Ran(self.name, (whole - start) / (len(files) - 1) * len(files), faults)

    def _seconds(self, source: Path, out: Path) -> float:
        command = self.command(source, out)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(  # noqa: S603 - our own argv, no shell
            command, capture_output=True, check=True, timeout=_SECONDS
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def found(name: str, folder: Path) -> Tool | None:
    """A program of this machine; None when it has none. `folder`: for what it needs besides."""
    program = shutil.which(name)
    return None if program is None else Tool(name, TOOLS[name](program, folder))


def _gdcmanon(program: str, folder: Path) -> Command:
    """Its Basic Profile, which seals what it takes out to a certificate's owner."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = folder / "certificate.pem"
    certificate.write_bytes(_certificate())
    return lambda source, out: [
        *(program, "--de-identify", "--certificate", str(certificate)),
        *("--input", str(source), "--output", str(out)),
    ]


def _dcmodify(program: str, _folder: Path) -> Command:
    """It changes a file where it lies: copied before, which is not counted. As the short loop."""
    changes = [*(f"{name}=A" for name in _NAMES), *(f"{name}=19000101" for name in _DATES)]
    asked = [part for change in changes for part in ("--modify-all", change)]

    def command(source: Path, out: Path) -> list[str]:
        copies = [shutil.copyfile(one, out / one.name) for one in sorted(source.iterdir())]
        return [
            *(program, "--no-backup", "--ignore-missing-tags", "--erase-private", *asked),
            *("--gen-stud-uid", "--gen-ser-uid", "--gen-inst-uid", *map(str, copies)),
        ]

    return command


TOOLS: Mapping[str, Callable[[str, Path], Command]] = {
    "gdcmanon": _gdcmanon,
    "dcmodify": _dcmodify,
}


def _certificate() -> bytes:
    """Of nobody, for a day."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
