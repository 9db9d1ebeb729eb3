"""A real mail server that can refuse, put off, stall and hang up, and rows of the outbox to send to it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

import outbox
from db import reading, transaction
from mail import letters
from mail.delivery import deliver_due
from mail.letter import Attachment, Button, Letter
from models import Medium, OutboxMessage
from outbox import Delivered
from sandbox.mail.inbox import Inbox, Mail, SmtpServer
from tests.factories import NOW

SENDER = "Our agency <desk@agency.example>"


class Faulty(Inbox):
    """An inbox with moods. `answers` says what it replies at a step instead; `hangs_up` and `stalls` name a step.

    Steps: MAIL, RCPT, DATA (after the content), KEPT (after the mail was kept).
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, str] = {}
        self.hangs_up: str | None = None
        self.stalls: str | None = None
        self.stalled = threading.Event()
        self.meanwhile: Callable[[], None] = lambda: None

    async def handle_MAIL(self, server: Any, _: Any, envelope: Any, address: str, __: Any) -> str:  # noqa: N802
        envelope.mail_from = address  # aiosmtpd leaves that to the hook
        return await self._at("MAIL", server) or "250 OK"

    async def handle_RCPT(self, server: Any, _: Any, envelope: Any, address: str, __: Any) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        await asyncio.get_running_loop().run_in_executor(None, self.meanwhile)
        return await self._at("RCPT", server) or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if said := await self._at("DATA", server):
            return said
        kept = await super().handle_DATA(server, session, envelope)
        return await self._at("KEPT", server) or kept

    async def _at(self, step: str, server: Any) -> str | None:
        if self.stalls == step:
            self.stalled.set()
            await asyncio.sleep(60)
        if self.hangs_up == step:
            server.transport.abort()
            await asyncio.sleep(60)
        return self.answers.get(step)


@dataclass
class Post:
    """What a test does and sees."""

    server: SmtpServer
    inbox: Faulty
    letter: dict[str, Any] = field(default_factory=dict)

    def put(self, *keys: str) -> None:
        with transaction() as session:
            for key in keys or ("mail:1",):
                outbox.enqueue(session, "test_mail", key, now=NOW, medium=Medium.MAIL)

    def deliver(self) -> Delivered:
        return deliver_due()

    def row(self, key: str = "mail:1") -> OutboxMessage:
        with reading() as session:
            return session.scalars(select(OutboxMessage).where(OutboxMessage.key == key)).one()

    @property
    def mails(self) -> list[Mail]:
        return list(self.inbox)

    @property
    def mail(self) -> Mail:
        [only] = self.inbox
        return only


def make_letter(**more: Any) -> Letter:
    values: dict[str, Any] = {
        "to": "owner@seller.example",
        "subject": "Your week",
        "lead": "37.02 USD came in.",
        "signed": "Our agency",
        "paragraphs": ("One more thing.",),
        "button": Button("Open the portal", "http://127.0.0.1:5000/portal/"),
    }
    return Letter(**(values | more))


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    with SmtpServer(Faulty()) as server:
        yield server


@pytest.fixture
def mail_is_on(smtp_server: SmtpServer, settings_of_the_test: Callable[..., None]) -> SmtpServer:
    settings_of_the_test(SMTP_URL=f"smtp://127.0.0.1:{smtp_server.port}", MAIL_FROM=SENDER)
    return smtp_server


def make_post(server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> Post:
    post = Post(server, server.handler)
    monkeypatch.setitem(letters.RENDERERS, "test_mail", lambda *_: make_letter(**post.letter))
    return post


@pytest.fixture
def post(
    sqlite_database: str,
    set_clock: Callable[..., None],
    mail_is_on: SmtpServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Post:
    """Mail on SQLite at NOW."""
    set_clock(NOW)
    return make_post(mail_is_on, monkeypatch)


@pytest.fixture
def post_on_both(
    database: str, set_clock: Callable[..., None], mail_is_on: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> Post:
    """The same, once on each kind of database."""
    set_clock(NOW)
    return make_post(mail_is_on, monkeypatch)


PDF = Attachment("invoice-7.pdf", b"%PDF-1.4 not really")
