"""How is a round of work done? The instances in child processes, the result as an input.

Done again after a crash, or by a zombie at the same time, it writes the same objects under the
same names and gives the same result.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.deid.domain.boxes import Placed
from services.deid.domain.certificate import (
    Certificate,
    CertifiedInstance,
    RejectedInstance,
    codes,
    sealed,
    total,
)
from services.deid.domain.events import WorkPlanned
from services.deid.domain.identity import Identity, Keyring, Subject
from services.deid.domain.inputs import CleaningFailed, StudiesCleaned
from services.deid.domain.state import Decision, HeldFinding, HeldInstance, Place, item_of
from services.deid.domain.text.kinds import Scrubbed
from services.deid.gateways.certifying import certified, rejected
from services.deid.gateways.children import batches, cleaned
from services.deid.gateways.cleaner import IMPLEMENTATION_VERSION
from services.deid.gateways.instance import Receipt, Task, subject_of, table
from services.deid.gateways.naming import Borne, KeyGoneError, Naming, nobody
from services.deid.gateways.originals import Originals
from services.deid.gateways.policies import Policies
from services.deid.gateways.sealing import Sealing
from services.deid.gateways.texts import Texts
from services.deid.gateways.vault import Vault
from services.deid.gateways.verify import CHECKS
from shared.contracts.base import CaseId, ObjectRef, SealedRef
from shared.contracts.deid import CleanStudy
from shared.contracts.intake import RawStudy
from shared.runtime.dicom import UnreadableError
from shared.runtime.errors import Unprocessable
from shared.runtime.jobs import ClaimedJob
from shared.runtime.sandbox import Sandbox


@dataclass(frozen=True)
class _Done:
    """What became of one instance: clean, held or rejected."""

    ref: ObjectRef | None = None
    certified: CertifiedInstance | None = None
    rejected: RejectedInstance | None = None
    held: HeldInstance | None = None
    originals: Originals = field(default=Originals(), repr=False)


@dataclass(frozen=True)
class Cleaning:
    """The performer of `clean` jobs."""

    vault: Vault
    sandbox: Sandbox
    keys: Keyring
    workers: int
    policies: Policies = field(default_factory=Policies)
    borne: Borne = nobody
    sealing: Sealing | None = None
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", asyncio.Semaphore(self.workers * 2))

    async def perform(self, job: ClaimedJob) -> StudiesCleaned | CleaningFailed:
        """Clean what the plan names. What intake promised and the vault lacks ends the round."""
        plan = WorkPlanned.model_validate(job.payload)
        try:
            return await self._clean(plan)
        except Unprocessable:
            reason = "raw_object_missing_or_corrupt"
        except KeyGoneError:
            reason = "pseudonym_key_missing"
        return CleaningFailed(case_id=plan.case_id, round=plan.round, reason=reason)

    async def _clean(self, plan: WorkPlanned) -> StudiesCleaned:
        named = await self._task(plan)
        texts = Texts(self.vault, self.sandbox, self.workers)
        knows = await texts.known(plan.sources, named, texts=bool(plan.texts))
        begin = replace(named, knows=knows)
        subject, begun = await self._begin(plan, begin)
        task = replace(begin, subject=subject)
        clean: list[CleanStudy] = []
        held: list[HeldInstance] = []
        for study in plan.studies:
            done = await self._study(plan, study, task, begun)
            waiting = [one.held for one in done if one.held]
            held += waiting
            if not waiting and (any(one.ref for one in done) or not done):
                clean.append(await self._certify(plan, study, done, task, subject))
        return StudiesCleaned(
            case_id=plan.case_id,
            round=plan.round,
            pseudonym=subject.pseudonym,
            clean=tuple(clean),
            held=tuple(held),
            texts=await texts.of_round(plan, task, subject.shift_days),
        )

    async def read(self, plan: WorkPlanned, text: str, *, shift: bool) -> Scrubbed | None:
        """Scrub one text of the plan's case for an operator; None when the child met its limits.

        A text that an operator wrote has its dates moved already.
        """
        begin = await self._task(plan)
        subject, _ = await self._begin(plan, begin)
        texts = Texts(self.vault, self.sandbox, self.workers)
        known = await texts.known(plan.sources, begin)
        found = await texts.scrubbed([text], known, subject.shift_days if shift else 0)
        return found[0] if found else None

    async def _task(self, plan: WorkPlanned) -> Task:
        """Say whose files these are, but for the patient."""
        policy, case = self.policies.of(plan.partner), str(plan.case_id)
        key = await Naming(self.keys, self.vault, self.sandbox, self.borne).key(plan, policy)
        others = self.keys.identity(key, plan.partner).others
        return Task(
            key, plan.partner, None, policy, case, plan.pseudonym, others, self.sealing is not None
        )

    async def _begin(self, plan: WorkPlanned, task: Task) -> tuple[Subject, dict[str, _Done]]:
        """The patient of the case's first readable instance; late studies meet the same one.

        An instance that is cleaned anyhow is opened once: what became of it comes along.
        """
        begun = dict[str, _Done]()
        for raw in await self.vault.instances(plan.patient) if plan.patient else ():
            if plan.patient in plan.studies:
                (done,), subject = await self._batch(plan, plan.patient, [raw], task)
                begun[raw.address] = done
            else:
                subject = await self._asked(raw, task)
            if subject is not None:
                return subject, begun
        return Identity(task.key, plan.partner).subject("", task.case), begun

    async def _asked(self, raw: ObjectRef, task: Task) -> Subject | None:
        async with self.vault.fetched(raw) as path:
            try:
                return await self.sandbox.run(subject_of, path, task)
            except UnreadableError:
                return None

    async def _study(
        self, plan: WorkPlanned, study: RawStudy, task: Task, begun: Mapping[str, _Done]
    ) -> Sequence[_Done]:
        """What became of each instance, in the order of the manifest."""
        instances = await self.vault.instances(study)
        waiting = [(raw, raw.size) for raw in instances if raw.address not in begun]
        done = dict(begun)

        async def one(batch: list[ObjectRef]) -> None:
            async with self._turns:
                results, _ = await self._batch(plan, study, batch, task)
                done.update((raw.address, one) for raw, one in zip(batch, results, strict=True))

        try:
            async with asyncio.TaskGroup() as group:
                for batch in batches(waiting, self.workers):
                    group.create_task(one(batch))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None  # one tells as much as all
        return [done[raw.address] for raw in instances]

    async def _batch(
        self, plan: WorkPlanned, study: RawStudy, batch: list[ObjectRef], task: Task
    ) -> tuple[list[_Done], Subject | None]:
        """Fetch, clean and put away; the subject is the first readable file's."""
        decisions = {decision.item: decision for decision in plan.decisions}
        async with self.vault.fetched_all(batch) as sources:
            pairs = [(one, one.with_name(f"clean-{one.name}")) for one in sources]
            drawn = _drawn(plan.case_id, batch, sources, decisions)
            hashes = {path.name: raw.sha256 for path, raw in zip(sources, batch, strict=True)}
            here = replace(task, drawn=drawn, hashes=hashes)
            receipts = await cleaned(self.sandbox, pairs, here)
            done = [
                _settled(plan.case_id, study, raw, receipt, decisions)
                for raw, receipt in zip(batch, receipts, strict=True)
            ]
            ready = [target for (_, target), one in zip(pairs, done, strict=True) if one.certified]
            refs = iter(await self.vault.put_instances(plan.case_id, ready))
        done = [replace(one, ref=next(refs)) if one.certified else one for one in done]
        return done, next((one.subject for one in receipts if one.subject), None)

    async def _certify(
        self,
        plan: WorkPlanned,
        study: RawStudy,
        done: Sequence[_Done],
        task: Task,
        subject: Subject,
    ) -> CleanStudy:
        refs = [one.ref for one in done if one.ref]
        certified = tuple(one.certified for one in done if one.certified)
        certificate = Certificate(
            edition=table().edition,
            policy=task.policy.name,
            policy_sha256=task.policy.digest,
            codes=codes(task.policy),
            key_version=task.key.version,
            engine=IMPLEMENTATION_VERSION,
            partner=plan.partner,
            study=study.study,
            pseudonym=subject.pseudonym,
            instances=certified,
            rejected=tuple(one.rejected for one in done if one.rejected),
            actions=total(certified),
            checks=CHECKS,
        )
        manifest, proof = await asyncio.gather(
            self.vault.put_manifest(plan.case_id, refs),
            self.vault.put_document(plan.case_id, sealed(certificate, task.key)),
        )
        return CleanStudy(
            study=study.study,
            modality=study.modality,
            body_region=study.body_region,
            laterality=study.laterality,
            prior=study.prior,
            instance_count=len(refs),
            manifest=manifest,
            certificate=proof,
            way_back=await self._way_back(plan, study, done, replace(task, subject=subject)),
        )

    async def _way_back(
        self, plan: WorkPlanned, study: RawStudy, done: Sequence[_Done], task: Task
    ) -> SealedRef | None:
        """Only of what may be read: nobody has new names of the rest."""
        if self.sealing is None or task.subject is None:
            return None
        old = [one.originals for one in done if one.ref]
        return await self.sealing.keep(plan.case_id, study.study, task, task.subject, old)


def _drawn(
    case_id: CaseId,
    batch: Sequence[ObjectRef],
    sources: Sequence[Path],
    decisions: Mapping[str, Decision],
) -> dict[str, tuple[Placed, ...]]:
    """What operators drew, by the name under which a file is cleaned."""
    decided = [decisions.get(item_of(case_id, raw)) for raw in batch]
    return {
        source.name: tuple(place.placed for place in decision.boxes)
        for source, decision in zip(sources, decided, strict=True)
        if decision is not None and decision.boxes
    }


def _settled(
    case_id: CaseId,
    study: RawStudy,
    raw: ObjectRef,
    receipt: Receipt,
    decisions: Mapping[str, Decision],
) -> _Done:
    """Free to go, held, or rejected by whoever looked at it."""
    decision, doubts = decisions.get(item_of(case_id, raw)), receipt.doubts
    if decision is not None and decision.decision == "reject":
        return _Done(rejected=rejected(raw, receipt, decision))
    if doubts and (decision is None or not all(one.releasable for one in doubts)):
        return _Done(held=_held(case_id, study, raw, receipt))
    proof = certified(receipt, decision if doubts else None)
    return _Done(certified=proof, originals=receipt.originals)


def _held(case_id: CaseId, study: RawStudy, raw: ObjectRef, receipt: Receipt) -> HeldInstance:
    return HeldInstance(
        item=item_of(case_id, raw),
        study=study.study,
        raw=raw,
        findings=tuple(HeldFinding(code=one.code, detail=one.detail) for one in receipt.doubts),
        places=tuple(Place.of(kind, one) for kind, one in receipt.places),
    )
