"""Does the clinician get a mail that says nothing about the patient, and what if not?"""

import socket
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from cli.receiver import Mailbox, taking_mail
from services.notify.gateways.mail import Letter, MailServer, send
from shared.contracts.base import CaseId
from shared.runtime.webhooks.attempt import Ended
from shared.testing.spec import NOON

CASE = CaseId(UUID(int=7))
LETTER = Letter("msg_1", CASE, 0, "results@overread.invalid", "https://edge.example/cases")
TO = "alice@hospital.example"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with taking_mail(Mailbox()) as one:
        yield one


def server(port: int) -> MailServer:
    return MailServer.read(f"smtp://127.0.0.1:{port}")


async def test_the_mail_is_a_link_and_nothing_else(mailbox: Mailbox) -> None:
    ended = await send(server(mailbox.port), LETTER, TO, NOON)

    assert ended == Ended("delivered", "smtp-250")
    [mail] = mailbox.mails
    assert mailbox.recipients == [TO]
    assert mail["Message-ID"] == "<msg_1@overread.invalid>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "A second opinion is ready"
    assert f"https://edge.example/cases/{CASE}" in mail.get_content()


async def test_sent_again_it_is_the_same_mail(mailbox: Mailbox) -> None:
    for _ in range(2):
        await send(server(mailbox.port), LETTER, TO, NOON)

    first, second = mailbox.mails
    assert bytes(first) == bytes(second)


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        ("451 greylisted", Ended("failed", "smtp-451")),
        ("550 no such user", Ended("impossible", "smtp-550")),
    ],
)
async def test_a_refusal_for_now_is_retried_and_one_for_good_is_not(
    mailbox: Mailbox, answer: str, ended: Ended
) -> None:
    mailbox.refuse = answer

    assert await send(server(mailbox.port), LETTER, TO, NOON) == ended


async def test_a_mail_server_that_is_away_is_a_failure() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port

        ended = await send(server(held.getsockname()[1]), LETTER, TO, NOON)

    assert ended == Ended("failed", "no-mail-server")


@pytest.mark.parametrize(
    "address", [None, "", "nobody", "a@b\r\nBcc: eve@evil.example", "a b@c.example", "@", "a@"]
)
async def test_what_is_no_address_is_never_sent(mailbox: Mailbox, address: str | None) -> None:
    ended = await send(server(mailbox.port), LETTER, address, NOON)

    assert ended == Ended("impossible", "no-address")
    assert mailbox.mails == []


def test_the_server_is_read_with_its_login() -> None:
    assert MailServer.read("smtp+starttls://us%40er:p%2Fw@mail.example:587") == MailServer(
        "smtp+starttls", "mail.example", 587, "us@er", "p/w"
    )
