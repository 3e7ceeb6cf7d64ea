"""What does the integrator send? A chest CT without a first report, and the study it announced."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import orjson

from services.intake.api.answers import Taken
from services.intake.api.edge import Edge
from services.intake.api.once import Asking, once
from services.intake.api.schema import Submission
from services.intake.api.translate import Sender, to_input
from services.intake.domain.inputs import StudyReceived
from services.intake.gateways.attach import Attacher
from services.intake.gateways.vault import put_manifest
from services.intake.store import partners
from services.intake.store.partners import Terms
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.envelope import derived_id
from shared.runtime import clock
from shared.runtime.objects import ObjectStore
from shared.runtime.sandbox import Sandbox
from shared.runtime.service import Core
from shared.testing import chest
from shared.testing.chest import tiny_image

PARTNER = "st-brigid"
AT_ONCE = 16
ISSUER = "BENCH-MPI"


@dataclass(frozen=True)
class Integrator:
    """Submits through the edge's own parts."""

    edge: Edge

    @classmethod
    def of(cls, core: Core[Any]) -> Self:
        objects = ObjectStore.open(core.settings.objects, reads={"raw"}, writes={"raw"})
        return cls(Edge(core, core.settings, objects, Sandbox(1), Attacher(core, objects)))

    async def submit(self, numbers: Iterable[int], rate: float) -> None:
        """Submit at an even pace, or as fast as it goes with AT_ONCE under way."""
        room = asyncio.Semaphore(AT_ONCE)
        async with self.edge.core.pool.acquire() as db:
            terms = await partners.find(db, PARTNER)
        assert terms is not None, "the seed holds the partner"
        began = clock.ticks()
        async with asyncio.TaskGroup() as group:
            for nth, number in enumerate(numbers):
                if rate:
                    await asyncio.sleep(max(0.0, began + nth / rate - clock.ticks()))
                await room.acquire()
                task = group.create_task(self._case(number, terms))
                task.add_done_callback(lambda _: room.release())

    async def _case(self, number: int, terms: Terms) -> Taken:
        digests = self.edge.digests(PARTNER)
        asked = Submission.model_validate_json(orjson.dumps(submission(number)))
        sender = Sender(PARTNER, terms, PARTNER)
        key = digests.of("key", f"event benchmark {number}")
        asking = Asking(PARTNER, key, digests.of("body", asked.model_dump_json()))
        case_id = digests.case_id(asking.key)
        answer = await once(
            self.edge, asking, case_id, lambda: to_input(self.edge, sender, case_id, asked)
        )
        await self._study(case_id, number)
        return answer

    async def _study(self, case_id: CaseId, number: int) -> None:
        digests = self.edge.digests(PARTNER)
        received = StudyReceived(
            case_id=case_id,
            patient=digests.patient(f"MRN-{number}", ISSUER),
            study=digests.study(study_uid(number)),
            modality="CT",
            body_region="CHEST",
            instances=1,
            images=True,
            manifest=await self._stored(case_id),
        )
        input_id = derived_id(case_id, "benchmark study")
        await self.edge.core.runner.submit(received, input_id=input_id)

    async def _stored(self, case_id: CaseId) -> ObjectRef:
        objects = self.edge.objects
        image = await objects.put("raw", case_id, tiny_image(), "application/dicom")
        return await put_manifest(objects, case_id, [image])


def study_uid(number: int) -> str:
    return f"2.999.78.{number}"


def submission(number: int) -> dict[str, Any]:
    patient = {
        "name": {"family": f"Bench{number}", "given": "Mark"},
        "id": f"MRN-{number}",
        "issuer": ISSUER,
    }
    clinician = {"name": "Dr. Watt", "email": "watt@clinic.example"}
    return chest.submission(patient, clinician, {"study_instance_uid": study_uid(number)})
