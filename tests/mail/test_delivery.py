"""Mail out of the outbox: none lost, none sent twice by itself, whatever the server does meanwhile."""

import ssl
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult

import outbox
from claims.access import system_actor
from clock import real_now, utcnow
from db import transaction
from mail import delivery, smtp
from mail.delivery import deliver_due
from models import Medium, OutboxState
from sandbox.mail.inbox import SmtpServer
from sandbox.ports import free_port
from tests.factories import NOW
from tests.mail.certificates import make_certificate
from tests.mail.conftest import PDF, SENDER, Faulty, Post


@pytest.fixture
def later(set_clock: Callable[[datetime], None]) -> Callable[..., None]:
    return lambda **step: set_clock(utcnow() + timedelta(**step))


def test_a_mail_is_handed_over_once_with_all_its_headers(post_on_both: Post) -> None:
    post = post_on_both
    post.letter = {"subject": "Ihre Woche: 37,02 € \r\nBcc: all@seller.example", "attachments": (PDF,)}
    post.put()
    assert post.deliver().sent == 1
    assert post.deliver().sent == 0
    mail = post.mail
    assert (mail.sender, mail.recipients) == ("desk@agency.example", ("owner@seller.example",))
    assert mail.header("From") == SENDER
    assert mail.header("To") == "owner@seller.example"
    assert mail.header("Subject") == "Ihre Woche: 37,02 € Bcc: all@seller.example"
    assert mail.parsed["Bcc"] is None
    assert mail.header("Date") == "Mon, 23 Nov 2026 09:14:00 +0000"
    row = post.row()
    assert mail.header("Message-ID") == f"<recoup.{row.id}.{int(NOW.timestamp())}@agency.example>"
    assert not [name for name in mail.parsed if name.lower().startswith("list-")]
    assert mail.body("plain").startswith("37.02 USD came in.\n\nOne more thing.\n")
    assert 'href="http://127.0.0.1:5000/portal/"' in mail.body("html")
    assert [(file.get_filename(), file.get_content()) for file in mail.attachments] == [(PDF.name, PDF.content)]
    assert (row.state, row.channel) == (OutboxState.SENT, "owner@seller.example")


@pytest.mark.parametrize(
    ("setting", "letter", "answers_to"),
    [
        ("", "ann@agency.example", "ann@agency.example"),
        ("Desk <reply@agency.example>", "ann@agency.example", "Desk <reply@agency.example>"),
        ("", None, ""),
    ],
)
def test_answers_go_to_the_case_manager_unless_the_settings_say_otherwise(
    post: Post, settings_of_the_test: Callable[..., None], setting: str, letter: str | None, answers_to: str
) -> None:
    if setting:
        settings_of_the_test(MAIL_REPLY_TO=setting)
    post.letter = {"reply_to": letter}
    post.put()
    post.deliver()
    assert post.mail.header("Reply-To") == answers_to


def test_while_mail_is_off_nothing_is_touched(post: Post, monkeypatch, settings_of_the_test) -> None:
    post.put()
    monkeypatch.delenv("SMTP_URL")
    settings_of_the_test()
    assert post.deliver().sent == 0
    assert (post.row().state, post.row().attempts) == (OutboxState.PENDING, 0)


def test_slacks_sender_leaves_mails_alone_and_the_other_way_round(post: Post) -> None:
    post.put()
    with transaction() as session:
        outbox.enqueue(session, outbox.CARD, "card:1", now=NOW)
    with transaction() as session:
        assert [row.key for row in outbox.claim_batch(session, "slack", 10, utcnow())] == ["card:1"]
    assert post.deliver().sent == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_puts_a_mail_off_gets_it_again_after_a_pause_that_doubles(post: Post, later, step: str) -> None:
    post.inbox.answers[step] = "451 4.7.1 Greylisted, come back"
    post.put()
    [(key, why)] = post.deliver().left
    assert (key, why) == ("mail:1", "The mail server said: 451 4.7.1 Greylisted, come back.")
    assert post.deliver().left == []
    later(minutes=1)
    assert len(post.deliver().left) == 1
    later(minutes=1)
    assert post.deliver().left == []
    post.inbox.answers.clear()
    later(minutes=1)
    assert post.deliver().sent == 1
    assert len(post.mails) == 1


def test_what_is_put_off_for_two_days_is_given_up_with_the_last_reason(post: Post, later, monkeypatch) -> None:
    monkeypatch.setattr(delivery, "_MOST_TRIES", 2)
    post.inbox.answers["RCPT"] = "452 Mailbox full"
    post.put()
    post.deliver()
    later(hours=1)
    post.deliver()
    assert post.row().state is OutboxState.FAILED
    assert post.row().last_error == "Given up after 2 tries: The mail server said: 452 Mailbox full."


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_what_the_server_refuses_is_not_tried_again_and_keeps_its_words(post: Post, later, step: str) -> None:
    post.inbox.answers[step] = "550 5.1.1 No such user here"
    post.put("mail:1", "mail:2")
    assert len(post.deliver().left) == 2
    row = post.row()
    assert row.state is OutboxState.FAILED
    assert "The mail server said: 550 5.1.1 No such user here." in str(row.last_error)
    later(days=1)
    assert post.deliver().left == []


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_a_line_that_breaks_before_the_content_loses_nothing(post: Post, later, step: str) -> None:
    post.inbox.hangs_up = step
    post.put()
    assert "connection to the mail server was lost" in post.deliver().left[0][1]
    post.inbox.hangs_up = None
    later(minutes=1)
    assert post.deliver().sent == 1


@pytest.mark.parametrize("step", ["DATA", "KEPT"])
def test_a_line_that_breaks_after_the_content_is_left_to_a_person(post_on_both: Post, later, step: str) -> None:
    post = post_on_both
    post.inbox.hangs_up = step
    post.put()
    assert "It may have arrived" in post.deliver().left[0][1]
    assert (post.row().state, post.row().is_unsure) == (OutboxState.UNSURE, True)
    post.inbox.hangs_up = None
    later(days=30)
    assert post.deliver() == outbox.Delivered()
    assert len(post.mails) == (1 if step == "KEPT" else 0)


def test_after_a_lost_answer_the_other_mails_are_not_risked_in_the_same_delivery(post: Post) -> None:
    post.inbox.hangs_up = "KEPT"
    post.put("mail:1", "mail:2")
    assert len(post.deliver().left) == 1
    assert (post.row("mail:2").state, post.row("mail:2").attempts) == (OutboxState.PENDING, 0)
    post.inbox.hangs_up = None
    assert post.deliver().sent == 1


@pytest.mark.parametrize(("step", "state"), [("RCPT", OutboxState.PENDING), ("KEPT", OutboxState.UNSURE)])
def test_a_server_that_stalls_is_not_waited_for(
    post: Post, monkeypatch: pytest.MonkeyPatch, step: str, state: OutboxState
) -> None:
    monkeypatch.setattr(smtp, "_STEP_SECONDS", 0.2)
    monkeypatch.setattr(smtp, "_CONTENT_SECONDS", 0.2)
    post.inbox.stalls = step
    post.put()
    assert "no answer in time" in post.deliver().left[0][1]
    assert post.row().state is state


def test_a_server_that_is_down_is_asked_once_and_the_rest_stays_untried(
    post: Post, settings_of_the_test: Callable[..., None], later
) -> None:
    settings_of_the_test(SMTP_URL=f"smtp://127.0.0.1:{free_port(0)}")
    post.put("mail:1", "mail:2")
    [(key, why)] = post.deliver().left
    assert (key, "cannot be used (Connection refused)" in why) == ("mail:1", True)
    assert (post.row("mail:2").attempts, post.row("mail:2").state) == (0, OutboxState.PENDING)
    settings_of_the_test(SMTP_URL=f"smtp://127.0.0.1:{post.server.port}")
    later(minutes=1)
    assert post.deliver().sent == 2


def test_a_mail_that_cannot_be_written_does_not_stop_the_next(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.put("mail:1")
    with transaction() as session:
        outbox.enqueue(session, "unheard_of", "mail:0", now=NOW, medium=Medium.MAIL)
        outbox.enqueue(session, "broken", "mail:b", now=NOW, medium=Medium.MAIL)
    monkeypatch.setitem(delivery.RENDERERS, "broken", lambda *_: 1 / 0)
    delivered = post.deliver()
    assert delivered.sent == 1
    assert post.row("mail:0").state is OutboxState.FAILED
    assert (post.row("mail:b").state, "see the log, reference" in post.row("mail:b").last_error) == (
        OutboxState.PENDING,
        True,
    )


@pytest.mark.parametrize("address", ["ö@seller.example", "a..b@seller.example", "", "a@b.example, c@b.example"])
def test_an_address_that_no_mail_can_go_to_is_told_and_not_tried(post: Post, address: str) -> None:
    post.letter = {"to": address}
    post.put()
    assert f"No mail can go to {address!r}" in post.deliver().left[0][1]
    assert post.row().state is OutboxState.FAILED


def test_a_sender_that_died_leaves_its_mail_to_a_person(post_on_both: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post = post_on_both
    post.put("mail:1", "mail:2")
    with transaction() as session:
        outbox.claim_batch(session, "dead", 1, utcnow(), medium=Medium.MAIL)
    monkeypatch.setattr(outbox, "real_now", lambda: real_now() + outbox.HOLD + timedelta(seconds=1))
    assert post.deliver().sent == 1
    assert (post.row("mail:1").state, post.row("mail:2").state) == (OutboxState.UNSURE, OutboxState.SENT)
    assert "may have arrived" in str(post.row("mail:1").last_error)
    assert len(post.mails) == 1


def test_a_sender_that_is_too_slow_hands_nothing_over(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.put()

    def let_the_hold_pass() -> None:
        with monkeypatch.context() as patched, transaction() as session:
            patched.setattr(outbox, "real_now", lambda: real_now() + outbox.HOLD + timedelta(seconds=1))
            assert outbox.claim_batch(session, "other", 1, utcnow(), medium=Medium.MAIL) == []

    post.inbox.meanwhile = let_the_hold_pass
    assert post.deliver() == outbox.Delivered()
    assert post.mails == []
    assert post.row().state is OutboxState.UNSURE


def test_two_senders_at_once_send_each_mail_once(post_on_both: Post) -> None:
    post = post_on_both
    post.put(*(f"mail:{n}" for n in range(1, 13)))
    sent: list[int] = []
    senders = [threading.Thread(target=lambda: sent.append(deliver_due().sent)) for _ in range(2)]
    for each in senders:
        each.start()
    for each in senders:
        each.join(timeout=60)
    assert sum(sent) == len(post.mails) == 12
    assert len({mail.header("Message-ID") for mail in post.mails}) == 12


def test_sent_again_it_is_the_same_mail_and_says_who_asked(post: Post) -> None:
    post.inbox.hangs_up = "KEPT"
    post.put()
    post.deliver()
    post.inbox.hangs_up = None
    with transaction() as session:
        outbox.resend(session, post.row().id, actor=system_actor(), now=utcnow())
    assert post.deliver().sent == 1
    assert len({mail.header("Message-ID") for mail in post.mails}) == 1
    assert [asked["by"] for asked in post.row().payload["resent"]] == ["Recoup"]


@pytest.fixture
def foreign_server(
    post: Post, settings_of_the_test: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., SmtpServer]:
    """A server under an address that does not count as this machine, though it is; its certificate is trusted."""
    key, certificate = make_certificate(tmp_path, "0.0.0.0")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def start(scheme: str, *, has_tls: bool) -> SmtpServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        starttls = {"tls_context": context, "require_starttls": True} if has_tls and scheme == "smtp" else {}
        server = SmtpServer(Faulty(), tls=context if has_tls and scheme == "smtps" else None, **starttls)
        settings_of_the_test(SMTP_URL=f"{scheme}://0.0.0.0:{server.port}")
        return server

    return start


def test_nothing_is_said_to_a_foreign_server_that_cannot_encrypt(post: Post, foreign_server) -> None:
    post.put()
    with foreign_server("smtp", has_tls=False) as server:
        [(_, why)] = post.deliver().left
        assert "offers no encryption (STARTTLS), so nothing was sent" in why
        assert len(server.handler) == 0


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_foreign_server_is_spoken_to_in_private(post: Post, foreign_server, scheme: str) -> None:
    post.put()
    with foreign_server(scheme, has_tls=True) as server:
        assert post.deliver().sent == 1
        assert len(server.handler) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(post: Post, foreign_server, monkeypatch) -> None:
    post.put()
    with foreign_server("smtps", has_tls=True) as server:
        monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
        assert "its certificate cannot be trusted" in post.deliver().left[0][1]
        assert len(server.handler) == 0


def test_a_password_that_is_refused_is_told_without_it_and_the_mail_waits(
    post: Post, settings_of_the_test: Callable[..., None]
) -> None:
    post.put()
    no = AuthResult(success=False, handled=False)
    with SmtpServer(Faulty(), auth_require_tls=False, authenticator=lambda *_: no) as server:
        settings_of_the_test(SMTP_URL=f"smtp://bob:s3cret@127.0.0.1:{server.port}")
        [(_, why)] = post.deliver().left
    assert "refused user and password: 535" in why
    assert "s3cret" not in why
    assert post.row().state is OutboxState.PENDING
