"""What do a case's texts say without the patient? Scrubbed in a child, of what its images know."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.deid.domain.events import WorkPlanned
from services.deid.domain.state import ScrubbedText, Text, TextFinding
from services.deid.domain.text.kinds import Scrubbed
from services.deid.domain.text.known import Known
from services.deid.gateways.instance import Task
from services.deid.gateways.known import known_in
from services.deid.gateways.scrubbing import scrub_all
from services.deid.gateways.vault import Vault
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.intake import RawStudy
from shared.runtime.dicom import UnreadableError
from shared.runtime.errors import Unprocessable
from shared.runtime.sandbox import Sandbox

_LIGHT = 64 << 20  # bytes
_ASKED = 5  # instances of a study whose headers are asked: they name the same people


@dataclass(frozen=True)
class Texts:
    """Scrubs the texts of one case after the other."""

    vault: Vault
    sandbox: Sandbox

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

    async def known(self, studies: Sequence[RawStudy], task: Task, *, heavy: bool = True) -> Known:
        """Whom and what the images of the case know; an unreadable one knows nobody.

        `heavy`: large files are asked too where a study has no other.
        """
        known = Known()
        for study in studies:
            for raw in _spread(_light(await self.vault.instances(study), heavy=heavy)):
                known += await self._known_in(raw, task)
        return known

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

    async def _known_in(self, raw: ObjectRef, task: Task) -> Known:
        async with self.vault.fetched(raw) as path:
            try:
                return await self.sandbox.run(known_in, path, task.key, task.partner, task.others)
            except UnreadableError:
                return Known()


def _light(instances: Sequence[ObjectRef], *, heavy: bool) -> Sequence[ObjectRef]:
    """Those that cost little to fetch for their header; a heavy one where there is no other."""
    return [one for one in instances if one.size <= _LIGHT] or instances[: int(heavy)]


def _spread(instances: Sequence[ObjectRef]) -> Sequence[ObjectRef]:
    """The first and the last, and some between, evenly."""
    if len(instances) <= _ASKED:
        return instances
    step = (len(instances) - 1) / (_ASKED - 1)
    return [instances[round(step * n)] for n in range(_ASKED)]
