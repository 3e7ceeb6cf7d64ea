"""How is a round of work done? Each instance in a child process, the result as an input.

Done again after a crash, or by a zombie at the same time, it writes the same objects under the
same names and gives the same result.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.deid.domain.certificate import (
    Certificate,
    CertifiedInstance,
    RejectedInstance,
    codes,
    released,
    total,
)
from services.deid.domain.events import WorkPlanned
from services.deid.domain.identity import Identity, Key, Subject
from services.deid.domain.inputs import CleaningFailed, StudiesCleaned
from services.deid.domain.pixels import Doubt
from services.deid.domain.state import Decision, HeldFinding, HeldInstance, item_of
from services.deid.gateways.cleaner import IMPLEMENTATION_VERSION
from services.deid.gateways.instance import Receipt, Task, clean_instance, patient_id, table
from services.deid.gateways.policies import Policies
from services.deid.gateways.vault import Vault
from services.deid.gateways.verify import CHECKS
from shared.contracts.base import CaseId, ObjectRef
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


@dataclass(frozen=True)
class Cleaning:
    """The performer of `clean` jobs."""

    vault: Vault
    sandbox: Sandbox
    key: Key
    workers: int
    policies: Policies = field(default_factory=Policies)
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
            return CleaningFailed(case_id=plan.case_id, round=plan.round, reason=reason)

    async def _clean(self, plan: WorkPlanned) -> StudiesCleaned:
        subject = await self._subject(plan)
        policy = self.policies.of(plan.partner)
        task = Task(self.key, plan.partner, subject, policy)
        clean: list[CleanStudy] = []
        held: list[HeldInstance] = []
        for study in plan.studies:
            done = await self._study(plan, study, task)
            waiting = [one.held for one in done if one.held]
            held += waiting
            if not waiting and (any(one.ref for one in done) or not done):
                clean.append(await self._certify(plan, study, done, task))
        return StudiesCleaned(
            case_id=plan.case_id,
            round=plan.round,
            pseudonym=subject.pseudonym,
            clean=tuple(clean),
            held=tuple(held),
        )

    async def _subject(self, plan: WorkPlanned) -> Subject:
        """The patient of the case's first readable instance; late studies meet the same one."""
        identity, case = Identity(self.key, plan.partner), str(plan.case_id)
        found = identity.subject(await self._patient_id(plan.patient), case)
        if plan.pseudonym in {None, found.pseudonym}:
            return found
        return identity.subject("", case)  # the case was named when it had no image yet

    async def _patient_id(self, study: RawStudy | None) -> str:
        for raw in await self.vault.instances(study) if study else ():
            try:
                async with self.vault.fetched(raw) as path:
                    return await self.sandbox.run(patient_id, path)
            except UnreadableError:
                continue
        return ""

    async def _study(self, plan: WorkPlanned, study: RawStudy, task: Task) -> Sequence[_Done]:
        decisions = {decision.item: decision for decision in plan.decisions}
        instances = await self.vault.instances(study)

        async def one(raw: ObjectRef) -> _Done:
            async with self._turns:
                decision = decisions.get(item_of(plan.case_id, raw))
                return await self._instance(plan.case_id, study, raw, task, decision)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(raw)) for raw in instances]
        except ExceptionGroup as several:
            raise several.exceptions[0] from None  # one tells as much as all
        return [task.result() for task in tasks]

    async def _instance(
        self,
        case_id: CaseId,
        study: RawStudy,
        raw: ObjectRef,
        task: Task,
        decision: Decision | None,
    ) -> _Done:
        async with self.vault.fetched(raw) as source:
            target = source.with_name("clean.dcm")
            receipt = await self._receipt(source, target, task, raw)
            doubts = receipt.doubts
            if decision is not None and decision.decision == "reject":
                return _Done(rejected=_rejected(receipt, decision))
            if doubts and (decision is None or not all(one.releasable for one in doubts)):
                return _Done(held=_held(case_id, study, raw, receipt))
            ref = await self.vault.put_instance(case_id, target)
        return _Done(ref=ref, certified=_certified(receipt, decision if doubts else None))

    async def _receipt(self, source: Path, target: Path, task: Task, raw: ObjectRef) -> Receipt:
        """A child that met its limits proves nothing but that the file is not to be trusted."""
        try:
            return await self.sandbox.run(clean_instance, source, target, task)
        except UnreadableError as error:
            doubt = Doubt("unreadable", error.detail)
            return Receipt("", "", raw.sha256, "", 0, (), (doubt,))

    async def _certify(
        self, plan: WorkPlanned, study: RawStudy, done: Sequence[_Done], task: Task
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
            pseudonym=task.subject.pseudonym,
            instances=certified,
            rejected=tuple(one.rejected for one in done if one.rejected),
            actions=total(certified),
            checks=CHECKS,
        )
        return CleanStudy(
            study=study.study,
            modality=study.modality,
            body_region=study.body_region,
            laterality=study.laterality,
            prior=study.prior,
            instance_count=len(refs),
            manifest=await self.vault.put_manifest(plan.case_id, refs),
            certificate=await self.vault.put_document(plan.case_id, certificate),
        )


def _held(case_id: CaseId, study: RawStudy, raw: ObjectRef, receipt: Receipt) -> HeldInstance:
    return HeldInstance(
        item=item_of(case_id, raw),
        study=study.study,
        raw=raw,
        findings=tuple(HeldFinding(code=one.code, detail=one.detail) for one in receipt.doubts),
    )


def _certified(receipt: Receipt, decision: Decision | None) -> CertifiedInstance:
    by, reason = released(decision)
    return CertifiedInstance(
        sop_instance=receipt.sop_instance,
        raw_sha256=receipt.raw_sha256,
        sha256=receipt.sha256,
        size=receipt.size,
        actions=dict(receipt.actions),
        held_for=tuple(one.code for one in receipt.doubts),
        released_by=by,
        reason=reason,
    )


def _rejected(receipt: Receipt, decision: Decision) -> RejectedInstance:
    return RejectedInstance(
        raw_sha256=receipt.raw_sha256,
        held_for=tuple(one.code for one in receipt.doubts),
        rejected_by=decision.by,
        reason=decision.reason,
    )
