"""What becomes of each file of the input? Cleaned in a child, then put away or quarantined.

Nothing is parsed in this process. Released files are named by pseudonym and new UIDs only;
quarantined ones are copies as they came, so their folder needs the care of the input.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import create_task_group

from cli.faults import copied, of_one_file
from cli.headers import patients_of
from cli.intray import Found, found_in
from cli.texts import Texts
from services.deid.domain.certificate import (
    Certificate,
    CertifiedInstance,
    codes,
    sealed,
    total,
)
from services.deid.domain.identity import Keyring, Subject
from services.deid.domain.policy import Policy
from services.deid.gateways.certifying import certified
from services.deid.gateways.children import batches, cleaned
from services.deid.gateways.cleaner import IMPLEMENTATION_VERSION
from services.deid.gateways.instance import Receipt, Task, table
from services.deid.gateways.patients import Patients
from services.deid.gateways.verify import CHECKS
from shared.runtime.local.failure import SetupError
from shared.runtime.sandbox import Sandbox

MEMORY = 512 << 20  # bytes one file may take
SECONDS = 120.0  # that one batch may take
_PRIVATE = 0o700
Held = list[tuple[str, str]]  # codes and details of doubts
Moved = Callable[[int, int], None]


@dataclass(frozen=True)
class Asked:
    """What the person asked for."""

    source: Path
    output: Path
    keys: Keyring
    partner: str
    policy: Policy
    reports: tuple[Path, ...] = ()
    jobs: int = 1

    @property
    def task(self) -> Task:
        """New patients go under the newest key; what an older one made stays."""
        newest, *older = self.keys.keys
        return Task(newest, self.partner, None, self.policy, others=tuple(older))

    def check(self) -> None:
        """Raise SetupError for what can't be done without touching the input."""
        if not self.source.exists():
            raise SetupError(f"INPUT: {self.source} does not exist")
        if not self.source.is_dir() and not self.source.is_file():
            raise SetupError(f"INPUT: {self.source} is neither a file nor a folder")
        if self.output.exists() and (not self.output.is_dir() or any(self.output.iterdir())):
            raise SetupError(f"OUTPUT: {self.output} is not empty", mend="name a new folder")
        if self.source.resolve() in (self.output.resolve(), *self.output.resolve().parents):
            raise SetupError("OUTPUT lies inside INPUT", mend="name a folder elsewhere")
        for report in self.reports:
            if not report.is_file():
                raise SetupError(f"--report: {report} is no file")
            if not os.access(report, os.R_OK):
                raise SetupError(f"--report: {report} can't be read")


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of it, images and texts. `size`: bytes of images; `duplicates`: released once."""

    files: int
    released: int
    duplicates: int
    quarantined: int
    reports: int
    patients: int
    studies: int
    size: int
    policy: str
    key_version: str
    reasons: dict[str, int]


@dataclass
class Run:
    """One run of `overread deid`."""

    asked: Asked
    moved: Moved = lambda _done, _total: None
    reasons: Counter[str] = field(default_factory=Counter)
    certified: dict[tuple[str, str], list[CertifiedInstance]] = field(default_factory=dict)
    quarantined: int = 0
    duplicates: int = 0
    reports: int = 0
    subjects: dict[str, Subject] = field(default_factory=dict)
    patients: Patients = field(default_factory=lambda: Patients.of({}))
    _hashes: dict[Path, str] = field(default_factory=dict)
    _done: int = 0
    _total: int = 0

    async def finish(self) -> Summary:
        """Clean everything. One sync at the end makes all of it outlive a power cut."""
        asked = self.asked
        with self._spool() as spool:
            found = await found_in(asked.source, spool, MEMORY)
            if not found:
                raise SetupError(f"INPUT: {asked.source} holds no file")
            self._total = len(found) + len(asked.reports)
            for one in found:
                if one.path is None:
                    self._quarantine(one, [("not_opened", one.fault)])
            async with Sandbox(asked.jobs, MEMORY, SECONDS) as sandbox:
                paths = [one.path for one in found if one.path]
                self.patients = await patients_of(paths, asked.task, sandbox, asked.jobs)
                await self._clean(found, spool, sandbox)
                await self._texts(Texts(self.patients.everyone, self.subjects, sandbox))
        self._certify()
        os.sync()
        return self._summary()

    @contextmanager
    def _spool(self) -> Iterator[Path]:
        """A folder of the run's own on the output's disk, gone afterwards."""
        output = self.asked.output
        new = not output.exists()
        output.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        try:
            with TemporaryDirectory(prefix=".work-", dir=output) as folder:
                yield Path(folder)
        finally:
            if new and not any(output.iterdir()):
                output.rmdir()

    async def _clean(self, found: list[Found], spool: Path, sandbox: Sandbox) -> None:
        """One task more than processes, so that none of them waits for this one."""
        sized = [(one, one.size) for one in found if one.path]
        waiting = batches(sized, self.asked.jobs)
        async with create_task_group() as group:

            async def worker(number: int) -> None:
                for batch in waiting:
                    await self._batch(batch, spool / f"clean-{number}", sandbox)

            for number in range(self.asked.jobs + 1):
                group.start_soon(worker, number)

    async def _batch(self, batch: list[Found], stem: Path, sandbox: Sandbox) -> None:
        targets = [stem.with_name(f"{stem.name}-{number}") for number in range(len(batch))]
        pairs = [(one.path, target) for one, target in zip(batch, targets, strict=True) if one.path]
        told = {str(source): self.patients.known_to(source) for source, _ in pairs}
        try:
            receipts = await cleaned(sandbox, pairs, replace(self.asked.task, told=told))
        except OSError as error:
            await self._apart(batch, stem, sandbox, error)
            return
        for one, target, receipt in zip(batch, targets, receipts, strict=True):
            held: Held = [(doubt.code, doubt.detail) for doubt in receipt.doubts]
            self._advance(one, receipt, held or self._release(target, receipt))
            target.unlink(missing_ok=True)

    async def _apart(
        self, batch: list[Found], stem: Path, sandbox: Sandbox, error: OSError
    ) -> None:
        """One of them can't be read: it is held, and the others are cleaned without it."""
        fault = of_one_file(error)
        if fault is None:
            raise error
        for one in batch if len(batch) > 1 else ():
            await self._batch([one], stem, sandbox)
        if len(batch) == 1:
            self._advance(batch[0], Receipt("", "", "", "", 0, (), ()), [("not_opened", fault)])

    def _advance(self, one: Found, receipt: Receipt, held: Held) -> None:
        if receipt.subject:
            self.subjects[receipt.subject.pseudonym] = receipt.subject
        if held:
            self._quarantine(one, held, receipt.raw_sha256)
        self._done += 1
        self.moved(self._done, self._total)
        if one.ours and one.path:
            one.path.unlink(missing_ok=True)

    async def _texts(self, texts: Texts) -> None:
        """A text is clean only when the images say whose it is; each has a number for a name."""
        scrubbed = await texts.scrubbed(self.asked.reports)
        for number, one in enumerate(scrubbed, start=1):
            if one.clean is None:
                held = Found(one.source, f"--report {one.source}")
                self._quarantine(held, list(one.held), one.raw_sha256)
            else:
                folder = self.asked.output / one.pseudonym
                folder.mkdir(mode=_PRIVATE, exist_ok=True)
                (folder / f"report-{number}.txt").write_bytes(one.clean.encode("utf-8"))
                self.reports += 1
            self._done += 1
            self.moved(self._done, self._total)

    def _release(self, clean: Path, receipt: Receipt) -> Held:
        """Put a clean file in its place; gives a doubt when another one stands there."""
        patient = receipt.subject.pseudonym if receipt.subject else ""
        folder = self.asked.output / patient / receipt.study_instance
        name = folder / f"{receipt.sop_instance}.dcm"
        if self._hashes.setdefault(name, receipt.sha256) != receipt.sha256:
            return [("duplicate_instance", "another file has the same SOP Instance UID")]
        if name.exists():
            self.duplicates += 1
            return []
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        clean.rename(name)
        self.certified.setdefault((patient, receipt.study_instance), []).append(certified(receipt))
        return []

    def _quarantine(self, one: Found, held: Held, raw_sha256: str = "") -> None:
        """A copy of what came, and beside it why it was held."""
        folder = self.asked.output / "quarantine"
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        name = sha256(one.name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        if one.path is not None:
            copied(one.path, folder / f"{name}.held")
        told = {
            "source": one.name,
            **({"member": one.member} if one.member else {}),
            "raw_sha256": raw_sha256,
            "reasons": [{"code": code, "detail": detail} for code, detail in held],
        }
        (folder / f"{name}.json").write_text(json.dumps(told, indent=2), encoding="utf-8")
        self.quarantined += 1
        self.reasons.update(code for code, _ in held)

    def _certify(self) -> None:
        for (patient, study), instances in self.certified.items():
            certificate = Certificate(
                edition=table().edition,
                policy=self.asked.policy.name,
                policy_sha256=self.asked.policy.digest,
                codes=codes(self.asked.policy),
                key_version=self.asked.keys.newest.version,
                engine=IMPLEMENTATION_VERSION,
                partner=self.asked.partner,
                study=study,
                pseudonym=patient,
                instances=tuple(sorted(instances, key=lambda one: one.sop_instance)),
                rejected=(),
                actions=total(instances),
                checks=CHECKS,
            )
            file = self.asked.output / patient / study / "certificate.json"
            certificate = sealed(certificate, self.asked.keys.newest)
            file.write_text(certificate.model_dump_json(indent=2), encoding="utf-8")

    def _summary(self) -> Summary:
        released = [one for several in self.certified.values() for one in several]
        return Summary(
            files=self._total,
            released=len(released) + self.reports,
            duplicates=self.duplicates,
            quarantined=self.quarantined,
            reports=self.reports,
            patients=len({patient for patient, _ in self.certified}),
            studies=len(self.certified),
            size=sum(one.size for one in released),
            policy=self.asked.policy.name,
            key_version=self.asked.keys.newest.version,
            reasons=dict(sorted(self.reasons.items())),
        )
