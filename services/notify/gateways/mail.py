"""How does a clinician hear that a result is there? By a mail that says nothing about the patient.

It holds an opaque link to the authenticated edge. Its Message-ID is the delivery's, so a mail that
is sent twice after a crash is the same mail to the reader's program.
"""

from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.contracts.base import CaseId
from shared.runtime.webhooks.attempt import Ended, failed, impossible

SECONDS = 20.0
SUBJECT = "A second opinion is ready"
_PERMANENT = 500  # RFC 5321, 4.2.1: 5yz is a permanent negative reply
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - plain text, and only our own link and number go in
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `smtp` is plain and for one's own machine or network only."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = None

    @classmethod
    def read(cls, url: str) -> "MailServer":
        parts = urlsplit(url)
        user, password = parts.username, parts.password
        return cls(
            parts.scheme,
            parts.hostname or "",
            parts.port or 0,
            unquote(user) if user else None,
            unquote(password) if password else None,
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says. `part` is 0 for the report, n for its nth addendum."""

    delivery: str
    case_id: CaseId
    part: int
    sender: str
    link: str

    def to(self, address: str, at: datetime) -> EmailMessage:
        """Write it. Raises ValueError when the address is none."""
        mail = EmailMessage()
        mail["From"] = Address("Overread", addr_spec=self.sender)
        mail["To"] = Address(addr_spec=address)
        mail["Subject"] = SUBJECT
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = f"<{self.delivery}@{self.sender.partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers, please
        link = f"{self.link}/{self.case_id}"
        template = _TEMPLATES.get_template("result_ready.txt")
        mail.set_content(template.render(link=link, part=self.part))
        return mail


async def send(server: MailServer, letter: Letter, address: str | None, at: datetime) -> Ended:
    """Hand it in once; however that ends, it ends with a code."""
    try:
        mail = letter.to(address or "", at)
    except (ValueError, IndexError, MessageError):  # whichever the standard library likes
        return impossible("no-address")
    try:
        await aiosmtplib.send(
            mail,
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.scheme == "smtps",
            start_tls=server.scheme == "smtp+starttls",
            timeout=SECONDS,
        )
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return _answered(min(one.code for one in refused.recipients))
    except aiosmtplib.SMTPResponseException as answer:
        return _answered(answer.code)
    except (aiosmtplib.SMTPException, OSError):
        return failed("no-mail-server")
    return Ended("delivered", "smtp-250")


def _answered(code: int) -> Ended:
    return impossible(f"smtp-{code}") if code >= _PERMANENT else failed(f"smtp-{code}")
