"""What do a case's texts say without the patient? Scrubbed in a child, of what its images know."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.deid.domain.events import WorkPlanned
from services.deid.domain.state import ScrubbedText, Text, TextFinding
from services.deid.domain.text.kinds import Scrubbed
from services.deid.domain.text.known import Known
from services.deid.gateways.children import batches
from services.deid.gateways.instance import Task
from services.deid.gateways.patients import told_by_all
from services.deid.gateways.scrubbing import scrub_all
from services.deid.gateways.vault import Vault
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.intake import RawStudy
from shared.runtime.dicom import UnreadableError
from shared.runtime.errors import Unprocessable
from shared.runtime.sandbox import Sandbox


@dataclass(frozen=True)
class Texts:
    """Scrubs the texts of one case after the other."""

    vault: Vault
    sandbox: Sandbox
    workers: int = 1

    async def of_round(
        self, plan: WorkPlanned, task: Task, shift_days: int
    ) -> tuple[ScrubbedText, ...]:
        """Scrub the plan's texts; what is clean is put where readers may see it."""
        if not plan.texts:
            return ()
        raw = [await self._raw(text) for text in plan.texts]
        found = await self.scrubbed([one or "" for one in raw], task.knows, shift_days)
        results = found or [None] * len(raw)
        return tuple(
            [
                await self._settled(plan.case_id, text, one, content)
                for text, one, content in zip(plan.texts, results, raw, strict=True)
            ]
        )

    async def known(self, studies: Sequence[RawStudy], task: Task, *, texts: bool = True) -> Known:
        """Whom and what all images of the case know; an unreadable one knows nobody.

        Without `texts` a lone image tells nobody anything: it knows itself.
        """
        waiting = [raw for study in studies for raw in await self.vault.instances(study)]
        if len(waiting) == 1 and not texts:
            return Known()
        sized = dict.fromkeys((raw, raw.size) for raw in waiting)
        groups = batches(list(sized), self.workers)
        found = dict[Known, None]()
        async with asyncio.TaskGroup() as group:
            for _ in range(self.workers):
                group.create_task(self._ask(groups, task, found))
        return Known.union(found)

    async def _ask(
        self, groups: Iterator[list[ObjectRef]], task: Task, found: dict[Known, None]
    ) -> None:
        for batch in groups:
            async with self.vault.fetched_all(batch) as paths:
                told = await told_by_all(self.sandbox, paths, task)
            found.update((one.known, None) for one in told if one)

    async def scrubbed(
        self, texts: Sequence[str], known: Known, shift_days: int
    ) -> tuple[Scrubbed, ...] | None:
        """One for each text, together; None when the child met its limits."""
        if not texts:
            return ()
        try:
            return await self.sandbox.run(scrub_all, texts, known, shift_days)
        except UnreadableError:
            return None

    async def _raw(self, text: Text) -> str | None:
        """None when the vault lost it: the images go on without it, and a person hears of it."""
        try:
            return await self.vault.text(text.raw)
        except Unprocessable:
            return None

    async def _settled(
        self, case_id: CaseId, text: Text, found: Scrubbed | None, content: str | None
    ) -> ScrubbedText:
        if content is None:
            return ScrubbedText(item=text.item, findings=(TextFinding(code="document_missing"),))
        if found is None:
            return ScrubbedText(item=text.item, findings=(TextFinding(code="scrubber_stopped"),))
        replaced = dict(sorted(Counter(one.kind for one in found.replacements).items()))
        codes = Counter(one.code for one in found.doubts)
        findings = tuple(TextFinding(code=code, places=n) for code, n in sorted(codes.items()))
        ref = None if findings else await self.vault.put_text(case_id, found.text)
        return ScrubbedText(item=text.item, content=ref, findings=findings, replaced=replaced)
