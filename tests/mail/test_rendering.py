"""A letter as HTML and as text: nothing from outside is a mark, and both say all of it."""

import re
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mail.letter import Attachment, Button
from mail.rendering import compose, html_of, one_line, text_of
from tests.factories import NOW
from tests.mail.conftest import make_letter

WILD = st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=200)
TAGS = {"html", "head", "meta", "title", "body", "div", "table", "tr", "td", "p", "h1", "a"}


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(**more: Any) -> _Seen:
    parser = _Seen()
    parser.feed(html_of(make_letter(**more)))
    return parser


@settings(max_examples=60, deadline=None)
@given(lead=WILD, said=WILD, signed=WILD, subject=WILD, label=WILD)
def test_no_text_from_outside_becomes_markup(lead: str, said: str, signed: str, subject: str, label: str) -> None:
    words = {"lead": lead, "paragraphs": (said,), "signed": signed, "subject": subject}
    found = seen(**words, button=Button(label, "http://127.0.0.1/?a=1&b=2"))
    assert set(found.tags) <= TAGS | {"span"}
    assert found.tags.count("span") == sum("-" in word for word in lead.split())  # such a word is kept in one piece
    assert found.tags.count("a") == 1
    assert not [name for name, _ in found.attributes if name.startswith("on")]


@settings(max_examples=60, deadline=None)
@given(subject=WILD, name=WILD, lead=WILD)
def test_no_text_from_outside_becomes_a_header_and_all_of_it_arrives(subject: str, name: str, lead: str) -> None:
    letter = make_letter(subject=subject, lead=lead, attachments=(Attachment(name, b"%PDF"),))
    mail = compose(letter, sender="A <a@b.example>", reply_to=None, message_id="<1@b.example>", now=NOW)
    content = mail.as_bytes()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.isascii()
    back = message_from_bytes(content, policy=default)
    assert set(back.keys()) == {"Subject", "From", "To", "Date", "Message-ID", "MIME-Version", "Content-Type"}
    assert str(back["To"]) == "owner@seller.example"
    [file] = back.iter_attachments()
    assert file.get_content() == b"%PDF"


def test_the_preview_is_hidden_and_comes_first() -> None:
    page = html_of(make_letter(preview="Before all"))
    body = page.partition("<body")[2]
    assert re.search(r'<div style="display:none[^"]*">Before all', body)
    assert body.index("Before all") < body.index("37.02 USD came in.")


def test_without_a_preview_the_lead_is_it() -> None:
    assert html_of(make_letter()).count("37.02 USD came in.") == 2


def test_the_text_has_every_part_of_the_letter() -> None:
    text = text_of(make_letter(paragraphs=("One.", "Two & three."), footer="Reply to Ann."))
    assert text == (
        "37.02 USD came in.\n\nOne.\n\nTwo & three.\n\nOpen the portal:\nhttp://127.0.0.1:5000/portal/\n\n"
        "Reply to Ann.\n\n-- \nOur agency\n"
    )


def test_a_letter_without_a_button_has_none() -> None:
    letter = make_letter(button=None, paragraphs=())
    assert "<a " not in html_of(letter)
    assert text_of(letter) == "37.02 USD came in.\n\n-- \nOur agency\n"


def test_a_line_is_one_line_and_not_too_long() -> None:
    assert one_line(" a\r\nBcc: b\x00c\t ", 100) == "a Bcc: b c"
    assert one_line("x" * 151, 150) == "x" * 149 + "…"
