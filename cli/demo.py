"""What would a hospital do? `overread demo` does it: two cases, through the public edges only."""

import asyncio
import hashlib
import io
import shutil
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pydicom
import typer

from cli import proof, screen
from cli.players import Operator, Partner, Reader
from cli.receiver import Mailbox, WebhookReceiver, listening, taking_mail
from cli.story import Scene, confirmed_ct, missed_fracture
from shared.contracts.report import ReportDocument
from shared.contracts.topics import SERVICES, topic
from shared.runtime import clock
from shared.runtime.local import preflight, supervisor
from shared.runtime.local.clients import read_seed
from shared.runtime.local.places import DEFAULT_ROOT, Places
from shared.runtime.local.stack import Plan, Stack

PARTNER = "st-brigid"
OPERATOR = "operator"
FOLDER = DEFAULT_ROOT / "demo"


def demo(
    folder: Annotated[Path, typer.Option(help="where it all happens; emptied first")] = FOLDER,
) -> None:
    """Play two cases from submission to delivered report, then prove that no name leaked."""
    began = clock.ticks()
    stack = _stack(folder.absolute())
    screen.heading("Starting Postgres, Kafka, the issuer and five services on this machine")
    stack.start()
    try:
        clean = asyncio.run(Demo(stack, folder.absolute() / "show").play())
    finally:
        stack.stop()
    screen.CONSOLE.print(
        f"\n  done in {clock.ticks() - began:.0f} s; pictures in {folder / 'show'}"
    )
    if not clean:
        raise typer.Exit(1)


def _stack(folder: Path) -> Stack:
    places = Places(folder)
    if folder.exists():
        supervisor.sweep(places)
        shutil.rmtree(folder)
    places.make()
    plan = Plan(folder)
    preflight.check(plan)
    return Stack(plan, tell=lambda step: screen.said("set-up", step))


@dataclass
class Demo:
    """One run. `show` is the folder for pictures."""

    stack: Stack
    show: Path
    receiver: WebhookReceiver = field(default_factory=WebhookReceiver)
    mailbox: Mailbox = field(default_factory=Mailbox)
    names: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    async def play(self) -> bool:
        """Tell both stories; give whether the proof found nothing outside the vault."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(listening(self.receiver))
            await stack.enter_async_context(taking_mail(self.mailbox, self.stack.ports["smtp"]))
            partner = await stack.enter_async_context(Partner(*self._client(PARTNER)))
            operator = await stack.enter_async_context(Operator(*self._client(OPERATOR)))
            readers = [
                await stack.enter_async_context(Reader(*self._client(name)))
                for name in (one.id for one in read_seed() if "reader" in one.scopes)
            ]
            self.receiver.secrets.append(await operator.set_channels(PARTNER, self.receiver.url))
            watching = asyncio.create_task(self._watch(partner))
            stack.push_async_callback(_ended, watching)
            scenes = [missed_fracture(), confirmed_ct()]
            for scene in scenes:
                await self._tell(scene, partner, operator, readers)
        return await self._prove(scenes)

    def _client(self, name: str) -> tuple[Mapping[str, str], str, str]:
        return self.stack.urls, name, self.stack.clients[name]

    async def _watch(self, partner: Partner) -> None:
        """Print the partner's own timeline as it happens."""
        async for told in partner.timeline():
            entry = told["data"]
            name = self.names.get(entry["case_id"], entry["case_id"][:8])
            self.seen.append(entry["type"])
            screen.event(name, entry["at"], entry["type"].removeprefix("org.overread."))

    async def _tell(
        self, scene: Scene, partner: Partner, operator: Operator, readers: list[Reader]
    ) -> None:
        screen.heading(scene.title)
        case_id = await self._send(scene, partner)
        await self._look(scene, case_id, operator)
        reader = await self._assign(case_id, readers)
        report = await self._read(scene, case_id, reader)
        arrived = await self.receiver.result_of(case_id)
        mail = await self.mailbox.mail_about(case_id)
        await partner.acknowledge(case_id)
        await asyncio.sleep(0.3)  # lets the live timeline print its last lines before the tables
        screen.comparison(report)
        screen.fhir(arrived.bundle)
        screen.said("mail", f"“{mail['Subject']}” arrived, with a link and no name")

    async def _send(self, scene: Scene, partner: Partner) -> str:
        answer = await partner.submit(f"demo-{scene.patient.key}", scene.submission)
        case_id = str(answer["case_id"])
        self.names[case_id] = scene.submission["modality"] + " case"
        missing = ", ".join(one["code"] for one in answer["missing"]) or "nothing"
        screen.said("partner", f"submitted a case: 202, still missing: {missing}")
        await partner.store([scene.image])
        screen.said("partner", f"sent {len(scene.image) / 1e6:.1f} MB of DICOM by STOW-RS")
        return case_id

    async def _look(self, scene: Scene, case_id: str, operator: Operator) -> None:
        """Let the operator look at what is held, and release it."""
        for item in await operator.held(case_id):
            if item["subject"] == "instance":
                await self._look_at_image(scene, case_id, item, operator)
            else:
                await self._look_at_text(case_id, item, operator)

    async def _look_at_image(
        self, scene: Scene, case_id: str, item: Mapping[str, Any], operator: Operator
    ) -> None:
        why = ", ".join(one["code"] for one in item["findings"])
        screen.said("operator", f"looks at an image that is held: {why}")
        [frame] = await operator.pictures(item)
        path = screen.saved(frame, self.show / f"held-{scene.patient.key}.png")
        await operator.decide(case_id, item, "release", "no_identifiers_seen")
        screen.said("operator", f"sees no name in {path.name}, releases it")

    async def _look_at_text(
        self, case_id: str, item: Mapping[str, Any], operator: Operator
    ) -> None:
        shown = await operator.text(item)
        text, doubts = shown["text"], [one for one in shown["marks"] if not one["replacement"]]
        clean = str(shown["proposed"])
        for one in doubts:
            clean = clean.replace(text[one["start"] : one["end"]], "[PLACE]")
        await operator.decide(case_id, item, "release", "identifiers_removed", text=clean)
        said = f"reads the {item['kind']}, takes out {len(doubts)} doubtful word, releases it"
        screen.said("operator", said)

    async def _assign(self, case_id: str, readers: list[Reader]) -> Reader:
        waiting = [asyncio.create_task(_offered(reader, case_id)) for reader in readers]
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        for task in pending:
            task.cancel()
        reader, offer = done.pop().result()
        await reader.accept(offer["assignment"])
        screen.said("reader", f"{reader.client_id} accepts the offer")
        return reader

    async def _read(self, scene: Scene, case_id: str, reader: Reader) -> ReportDocument:
        view = await reader.start(case_id)
        view = await reader.view(case_id)
        href = view["studies"][0]["instances"][0]["href"]
        clean = pydicom.dcmread(io.BytesIO(await reader.instance(href)))
        before = pydicom.dcmread(io.BytesIO(scene.image))
        path = screen.picture(clean, self.show / f"read-{scene.patient.key}.png")
        screen.headers(before, clean)
        screen.said("reader", f"sees {path.name}; the first report is still hidden")
        await reader.draft(case_id, scene.opinion)
        await reader.lock(case_id)
        shown = await reader.reveal(case_id)
        available = shown["first_report"]["available"]
        screen.said("reader", f"locks the opinion; first report revealed: {available}")
        comparison = {"first_claims": scene.first_claims, "pairs": scene.pairs}
        await reader.compare(case_id, comparison)
        await reader.finalize(case_id)
        content = await reader.report(case_id)
        report = ReportDocument.model_validate_json(content)
        digest = hashlib.sha256(content).hexdigest()
        screen.said("reader", f"signs: {report.verdict}, SHA-256 {digest[:16]}…")
        return report

    async def _prove(self, scenes: list[Scene]) -> bool:
        """Look for both patients everywhere; the same search has to find them in the vault."""
        screen.heading("Proof: does either patient's identity stand anywhere outside the vault?")
        identifiers = [one for scene in scenes for one in scene.patient.identifiers()]
        needles = proof.Needles(identifiers)
        places = self.stack.places
        names = [topic(service, self.stack.plan.topic_prefix) for service in SERVICES]
        zones = [places.objects / zone for zone in ("clean", "reports")]
        outside = [
            await proof.topics(self.stack.bootstrap, names, needles),
            proof.files("logs", [places.logs], needles),
            proof.files("traces", [places.telemetry], needles),
            proof.files("objects outside the vault", zones, needles),
            await proof.tables(self._database(), SERVICES, needles),
        ]
        vault = [proof.files("the vault (raw objects)", [places.objects / "raw"], needles)]
        screen.proof(outside, vault, len(identifiers))
        looked = all(one.pieces for one in outside)
        return looked and not any(one.hits for one in outside) and bool(vault[0].hits)

    def _database(self) -> str:
        return self.stack.admin_dsn.rsplit("/", 1)[0] + f"/{self.stack.plan.database}"


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _offered(reader: Reader, case_id: str) -> tuple[Reader, dict[str, Any]]:
    return reader, await reader.offer_for(case_id)
