"""What a mail is made of, before it has a form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to press: a verb with its object, and where it leads."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content: bytes
    content_type: str = "application/pdf"


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one address.

    `lead` is its first sentence, with the total where there is one; `preview` is what a list of mails shows after the
    subject, the lead where it is empty. `template` names two files of mail/templates, NAME.html and NAME.txt: a letter
    with tables has its own, which get `data`; the others are drawn by `letter`. `signed` ends it, the agency's name.
    `reply_to` is where answers go unless MAIL_REPLY_TO says otherwise.
    """

    to: str
    subject: str
    lead: str
    signed: str
    preview: str = ""
    paragraphs: tuple[str, ...] = ()
    button: Button | None = None
    footer: str = ""
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    template: str = "letter"
    data: Mapping[str, Any] = field(default_factory=dict)
