"""How does a stored study reach its case, whichever came first?

After a study was filed, and after a case announced one, both look for the other: whoever
committed second finds the first. What a crash left between the two is found by `attach_for_ever`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.domain.inputs import StudyReceived
from services.intake.domain.state import State, Unknown
from services.intake.gateways.digests import NAMESPACE
from services.intake.gateways.vault import put_manifest
from services.intake.store import arrivals
from services.intake.store.arrivals import Pending
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.envelope import derived_id
from shared.runtime import clock
from shared.runtime.failpoints import failpoint
from shared.runtime.objects import ObjectStore
from shared.runtime.postgres import Db
from shared.runtime.service import Core

Find = Callable[[Db], Awaitable[list[Pending]]]
RECENT = timedelta(hours=1)  # a live replica finishes within seconds what it began
LOOK_AGAIN_SECONDS = 5.0
AWAY = timedelta(days=30)  # no installation stands still for longer without being asked why


@dataclass(frozen=True)
class Attacher:
    """Hands filed studies to the deciders of the cases that want them."""

    core: Core[State]
    objects: ObjectStore

    async def of_case(self, case_id: CaseId) -> None:
        await self._all(lambda db: arrivals.pending_of_case(db, case_id))

    async def of_study(self, partner: str, study: str) -> None:
        await self._all(lambda db: arrivals.pending_of_study(db, partner, study))

    async def since(self, moment: datetime) -> None:
        await self._all(lambda db: arrivals.pending_since(db, moment))

    async def attach_for_ever(self) -> None:
        """Look far back once, as this replica may have been away for long; then at what is new."""
        await self.since(clock.now() - AWAY)
        while True:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            await self.since(clock.now() - RECENT)

    async def _all(self, find: Find) -> None:
        """Attach until nothing is left; each round sees at most a page."""
        seen: set[tuple[int, CaseId]] = set()
        while True:
            async with self.core.pool.acquire() as db:
                pending = await find(db)
            fresh = [one for one in pending if (one.arrival, one.case_id) not in seen]
            if not fresh:
                return
            for one in fresh:
                await self._hand(one)
                seen.add((one.arrival, one.case_id))

    async def _hand(self, pending: Pending) -> None:
        async with self.core.pool.acquire() as db:
            instances = await arrivals.instances(db, pending.arrival)
        misfiled = bool(instances) and await self._submit(pending, instances)
        async with self.core.pool.acquire() as db:
            await arrivals.hand(db, pending, misfiled=misfiled)

    async def _submit(self, pending: Pending, instances: Sequence[ObjectRef]) -> bool:
        """Submit a transmission; tell whether the case refused it as another patient's."""
        manifest = await put_manifest(self.objects, pending.case_id, instances)
        study = pending.study
        received = StudyReceived(
            case_id=pending.case_id,
            patient=study.patient,
            study=study.study,
            accession=study.accession,
            modality=study.modality,
            body_region=study.body_region,
            laterality=study.laterality,
            instances=len(instances),
            images=study.images,
            manifest=manifest,
        )
        input_id = derived_id(NAMESPACE, "arrival", pending.arrival, pending.case_id)
        await failpoint("intake.listed")
        outcome = await self.core.runner.submit(received, input_id=input_id)
        await failpoint("intake.attached")
        state = outcome.state
        return not isinstance(state, Unknown) and any(
            stray.manifest == manifest.sha256 for stray in state.file.misfiled
        )
