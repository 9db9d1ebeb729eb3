"""The way to the mail server. What it says, and when a line breaks, decides whether a mail may be sent again.

Until the content is handed over nothing has arrived. From then on only the server's answer tells: where that is lost,
nobody knows, and sending again could deliver the mail twice.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from config import SmtpServer
from errors import RecoupError

# Of each step: a server that stalls must not hold up a worker.
_STEP_SECONDS = 10
# Of the answer to the content: servers look through an attachment before they say yes. Less than `outbox.HOLD`.
_CONTENT_SECONDS = 45
_LONGEST_WORDS = 300
_OK, _FIRST_PERMANENT = 250, 500
_ACCEPTED = (_OK, 251)
_GREETED = 220


class ServerTrouble(RecoupError):
    """The server cannot be used now, for this mail or any other; nothing was handed over."""


class MailPutOff(RecoupError):
    """The server did not take this mail for now; nothing was handed over."""


class MailRefused(RecoupError):
    """The server will never take this mail. `code` is its own."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message, todo="Correct the address or the mail, then send it again.")
        self.code = code


class MailUnsure(RecoupError):
    """The mail was handed over and the answer was lost: it may have arrived."""


class NotOurs(RecoupError):
    """Another sender has the mail meanwhile."""


def send(server: SmtpServer, mail: EmailMessage, *, sender: str, to: str, may_send: Callable[[], bool]) -> None:
    """Hand one mail over, in a connection of its own.

    `may_send` is asked right before the content goes out. Raises ServerTrouble and MailPutOff (send it later),
    MailRefused (never), MailUnsure (it may have arrived), and NotOurs where `may_send` says no.
    """
    content = mail.as_bytes()
    with _connected(server, sender.rpartition("@")[2]) as smtp:
        _address(smtp, sender, to)
        if not may_send():
            raise NotOurs("Another sender has it.")
        _hand_over(smtp, content)


def _address(smtp: smtplib.SMTP, sender: str, to: str) -> None:
    try:
        for code, said in (smtp.mail(sender), smtp.rcpt(to)):
            if code not in _ACCEPTED:
                raise _refused(code, said)
    except (smtplib.SMTPException, OSError) as error:
        raise MailPutOff(f"The connection to the mail server was lost ({_kind(error)}).") from error


def _hand_over(smtp: smtplib.SMTP, content: bytes) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(_CONTENT_SECONDS)
    try:
        code, said = smtp.data(content)
    except smtplib.SMTPDataError as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailUnsure(
            f"The mail was handed over, and the server's answer was lost ({_kind(error)}). It may have arrived.",
            todo="Ask the recipient, or send it again: a mail program shows the two as one.",
        ) from error
    if code not in _ACCEPTED:
        raise _refused(code, said)


@contextmanager
def _connected(server: SmtpServer, own_name: str) -> Iterator[smtplib.SMTP]:
    smtp = None
    try:
        try:
            smtp = _dialled(server, own_name)
            _make_private(smtp, server)
            if server.user:
                smtp.login(server.user, server.password)
        except smtplib.SMTPAuthenticationError as error:
            raise ServerTrouble(
                f"The mail server refused user and password: {_words(error.smtp_code, error.smtp_error)}.",
                todo="Correct SMTP_URL.",
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise ServerTrouble("The mail server takes no sign-in.", todo="Leave user and password out.") from error
        except (smtplib.SMTPException, OSError) as error:
            raise ServerTrouble(
                f"The mail server {server.host}:{server.port} cannot be used ({_kind(error)}).",
                todo="Check that it runs and that SMTP_URL is right.",
            ) from error
        yield smtp
    finally:
        if smtp is not None:
            _hang_up(smtp)


def _dialled(server: SmtpServer, own_name: str) -> smtplib.SMTP:
    if server.is_tls:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, own_name, timeout=_STEP_SECONDS, context=context)
    return smtplib.SMTP(server.host, server.port, own_name, timeout=_STEP_SECONDS)


def _make_private(smtp: smtplib.SMTP, server: SmtpServer) -> None:
    smtp.ehlo_or_helo_if_needed()
    if server.is_tls or server.is_loopback:
        return
    if not smtp.has_extn("starttls"):
        raise ServerTrouble(
            f"The mail server {server.host} offers no encryption (STARTTLS), so nothing was sent.",
            todo="Use another port, or smtps:// in SMTP_URL.",
        )
    code, said = smtp.starttls(context=ssl.create_default_context())
    if code != _GREETED:
        raise ServerTrouble(f"The mail server did not begin encryption: {_words(code, said)}.")
    smtp.ehlo()


def _hang_up(smtp: smtplib.SMTP) -> None:
    """Say goodbye if the server still listens: what it answers changes nothing about the mail."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        if smtp.sock is not None:
            smtp.sock.settimeout(1)
        smtp.quit()
    smtp.close()


def _refused(code: int, said: bytes | str) -> RecoupError:
    what = f"The mail server said: {_words(code, said)}."
    return MailRefused(what, code=code) if code >= _FIRST_PERMANENT else MailPutOff(what)


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{code} {line}"[:_LONGEST_WORDS].strip().rstrip(".")


def _kind(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {error.verify_message}"
    return (
        (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split()) or type(error).__name__
    )
