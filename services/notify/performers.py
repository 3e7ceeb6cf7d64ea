"""What is done outside any transaction: choose the routes of a report, and try a delivery."""

from dataclasses import dataclass

import httpx
from opentelemetry.trace import SpanKind

from services.notify.domain.inputs import DeliveryAttempted, RoutesChosen
from services.notify.domain.state import Delivery, Dossier, State, dossier_of
from services.notify.gateways import mail
from services.notify.gateways.mail import Letter, MailServer
from services.notify.gateways.result import NoResultError, Purpose, Results
from services.notify.store import partners
from services.notify.store.partners import PartnerRow
from shared.contracts.base import CaseId
from shared.contracts.notify import Channel
from shared.runtime import clock, telemetry
from shared.runtime.jobs import ClaimedJob, Performer
from shared.runtime.postgres import Pool
from shared.runtime.submissions import Submissions
from shared.runtime.webhooks import sending
from shared.runtime.webhooks.attempt import Ended, failed, impossible
from shared.runtime.webhooks.network import Network
from shared.runtime.webhooks.secrets import Safe, SecretsUnreadableError, signing

CLIENT = SpanKind.CLIENT


@dataclass(frozen=True, slots=True)
class Sender:
    """How mails are sent: through which server, as whom, and where their link leads."""

    server: MailServer
    sender: str
    link: str


@dataclass(frozen=True)
class Performers:
    """Performs notify's jobs."""

    pool: Pool
    runner: Submissions[State]
    results: Results
    safe: Safe
    http: httpx.AsyncClient
    mail: Sender
    allowed: tuple[Network, ...] = ()

    def table(self) -> dict[str, Performer]:
        return {"route": self.route, "attempt": self.attempt}

    async def route(self, job: ClaimedJob) -> RoutesChosen:
        """Choose by the partner's settings; a partner without any fails where people see it."""
        dossier = dossier_of(await self.runner.state(job.case_id))
        row = await self._settings(dossier) if dossier else None
        wanted: dict[Channel, bool] = {
            "webhook": row is None or row.webhook is not None or not row.mail,
            "mail": row is None or row.mail,
        }
        return RoutesChosen(
            case_id=job.case_id,
            report_sha256=job.payload["report_sha256"],
            channels=tuple(channel for channel, on in wanted.items() if on),
        )

    async def attempt(self, job: ClaimedJob) -> DeliveryAttempted:
        dossier = dossier_of(await self.runner.state(job.case_id))
        one = _due(dossier, job)
        with telemetry.span("notify attempt", job.traceparent, kind=CLIENT, case_id=job.case_id):
            ended = await self._try(job, dossier, one) if dossier and one else failed("not-due")
        return DeliveryAttempted(
            case_id=job.case_id,
            delivery=job.payload["delivery"],
            attempt=job.payload["attempt"],
            outcome=ended.outcome,
            cause=ended.cause,
            retry_after=ended.retry_after,
        )

    async def _try(self, job: ClaimedJob, dossier: Dossier, one: Delivery) -> Ended:
        try:
            if one.channel == "mail":
                return await self._mail(job.case_id, dossier, one)
            return await self._webhook(job, dossier, one)
        except NoResultError as error:
            invalid = error.cause == "result-invalid"
            return impossible(error.cause) if invalid else failed(error.cause)

    async def _webhook(self, job: ClaimedJob, dossier: Dossier, one: Delivery) -> Ended:
        row = await self._settings(dossier)
        now = clock.now()
        if row is None or row.webhook is None:
            return failed("no-endpoint")
        if row.disabled_at is not None:
            return failed("endpoint-disabled")
        try:
            secrets = signing(self.safe.open(row.partner, row.secrets), now)
        except SecretsUnreadableError:
            return failed("secrets-unreadable")
        if not secrets:
            return failed("no-secret")
        purpose = Purpose(who="notify", why=f"delivery:{one.delivery}")
        body = await self.results.fhir(job.case_id, dossier, purpose, one.report_sha256)
        trace = telemetry.traceparent() or job.traceparent
        message = sending.Message(one.delivery, body, now, trace)
        ended = await sending.post(self.http, row.webhook, secrets, message, self.allowed)
        if ended.cause == "gone":
            async with self.pool.acquire() as db:
                await partners.disable(db, row.partner, row.webhook, clock.now())
        return ended

    async def _mail(self, case_id: CaseId, dossier: Dossier, one: Delivery) -> Ended:
        if dossier.request is None:
            return failed("not-ready")
        purpose = Purpose(who="notify", why=f"delivery:{one.delivery}")
        identity = await self.results.identity(case_id, dossier.request, purpose)
        part = next(r.part for r in dossier.reports if r.ref.sha256 == one.report_sha256)
        letter = Letter(one.delivery, case_id, part, self.mail.sender, self.mail.link)
        return await mail.send(self.mail.server, letter, identity.clinician.email, clock.now())

    async def _settings(self, dossier: Dossier) -> PartnerRow | None:
        async with self.pool.acquire() as db:
            return await partners.find(db, dossier.partner)


def _due(dossier: Dossier | None, job: ClaimedJob) -> Delivery | None:
    """Find the delivery if this very attempt is due; one that was recorded is not made again."""
    wanted = (job.payload["delivery"], job.payload["attempt"], "attempting")
    found = (d for d in (dossier.deliveries if dossier else ()))
    return next((d for d in found if (d.delivery, d.attempts + 1, d.progress) == wanted), None)
