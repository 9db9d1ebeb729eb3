"""A letter as a mail: HTML and plain text, each written for its reader, and the headers that mail servers want."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from claims import words
from config import mail_address
from mail.letter import Letter

_LONGEST_SUBJECT = 150
# Seven bits: no server on the way has to know of eight.
_POLICY: "EmailPolicy[EmailMessage]" = SMTP.clone(cte_type="7bit")


def compose(letter: Letter, *, sender: str, reply_to: str | None, message_id: str, now: datetime) -> EmailMessage:
    """Return the mail. `sender` and `reply_to` are addresses such as `Agency <desk@agency.example>`.

    Its structure is mixed(alternative(plain, html), attachments…). Raises ValueError for an address that is none.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = one_line(letter.subject, _LONGEST_SUBJECT)
    mail["From"] = mail_address(sender)
    mail["To"] = Address(addr_spec=letter.to)
    if reply_to:
        mail["Reply-To"] = mail_address(reply_to)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id
    mail.set_content(text_of(letter))
    mail.add_alternative(html_of(letter), subtype="html")
    for file in letter.attachments:
        main, _, sub = file.content_type.partition("/")
        mail.add_attachment(file.content, maintype=main, subtype=sub, filename=one_line(file.name, _LONGEST_SUBJECT))
    return mail


def html_of(letter: Letter) -> str:
    """Return the letter for a mail program."""
    return _templates().get_template(f"{letter.template}.html").render(letter=letter, **letter.data)


def text_of(letter: Letter) -> str:
    """Return the letter for who reads plain text; it is written, not stripped."""
    return _templates().get_template(f"{letter.template}.txt").render(letter=letter, **letter.data).strip() + "\n"


def one_line(text: str, longest: int) -> str:
    """Return the text on one line without control characters, cut with an ellipsis: a line break ends a header."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("mail"),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["words"] = words
    return made
