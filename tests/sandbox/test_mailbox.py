"""The mailbox takes every mail and shows it as what it is, without running anything of it."""

import json
import smtplib
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.error import HTTPError

import pytest

import config
from sandbox.demo.browser import Browser
from sandbox.mailbox import Mailbox
from tests.waiting import wait_until


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as running:
        yield running


def make_mail(subject: str = "Ihre Woche: 37,02 €") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "Agency <desk@agency.example>", "owner@seller.example"
    mail["Message-ID"], mail["Date"] = "<one@agency.example>", "Mon, 23 Nov 2026 08:00:00 -0800"
    mail.set_content("37.02 USD came in.\n")
    mail.add_alternative("<html><head></head><body><script>alert(1)</script><b>37.02 USD</b></body></html>", "html")
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="invoice-7.pdf")
    return mail


def send(smtp_url: str, *mails: EmailMessage) -> None:
    host, _, port = smtp_url.removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port), "test", timeout=10) as smtp:
        for mail in mails:
            smtp.send_message(mail)


def get(url: str) -> tuple[str, dict[str, str]]:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return answer.read().decode(), dict(answer.headers)


def test_what_came_can_be_checked_by_a_program(mailbox: Mailbox) -> None:
    assert json.loads(get(f"{mailbox.url}/_mails")[0]) == []
    send(mailbox.smtp_url, make_mail(), make_mail("Second"))
    first, second = json.loads(get(f"{mailbox.url}/_mails")[0])
    assert second["subject"] == "Second"
    assert first == {
        "number": 1,
        "subject": "Ihre Woche: 37,02 €",
        "from": "Agency <desk@agency.example>",
        "to": "owner@seller.example",
        "reply_to": "",
        "date": "Mon, 23 Nov 2026 08:00:00 -0800",
        "message_id": "<one@agency.example>",
        "text": "37.02 USD came in.\n",
        "url": "/mails/1/",
        "files": [{"name": "invoice-7.pdf", "type": "application/pdf", "size": 8, "url": "/mails/1/files/0"}],
    }


def test_a_person_sees_a_list_and_each_mail_with_its_parts(mailbox: Mailbox) -> None:
    assert "No mail yet" in get(mailbox.url)[0]
    send(mailbox.smtp_url, make_mail())
    assert "1 mail came" in get(mailbox.url)[0]
    page = get(f"{mailbox.url}/mails/1/")[0]
    assert "37.02 USD came in." in page
    assert 'href="/mails/1/files/0" download' in page
    assert "<b>37.02" not in page


def test_each_page_leads_to_the_demos_other_pages_once_they_are_known(mailbox: Mailbox) -> None:
    assert "flask digest" in get(mailbox.url)[0]
    Browser(mailbox.url).post_json("/_links", {"Calendar and Seller Support": "http://127.0.0.1:5002"})
    assert 'Press <em>To Monday</em> on the <a href="http://127.0.0.1:5002"' in get(mailbox.url)[0]
    send(mailbox.smtp_url, make_mail())
    listed = get(mailbox.url)[0]
    assert "<td>Agency</td>" in listed
    assert "23 Nov 2026, 16:00 UTC" in listed
    assert ">Calendar and Seller Support</a>" in get(f"{mailbox.url}/mails/1/")[0]


def test_a_mail_runs_nothing_and_sits_in_a_frame_of_its_own(mailbox: Mailbox) -> None:
    send(mailbox.smtp_url, make_mail())
    page, headers = get(f"{mailbox.url}/mails/1/html")
    assert "<b>37.02 USD</b>" in page
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy + get(f"{mailbox.url}/mails/1/")[0]
    assert "default-src 'none'" in policy


def test_an_attachment_is_downloaded_whatever_it_claims_to_be(mailbox: Mailbox) -> None:
    send(mailbox.smtp_url, make_mail())
    content, headers = get(f"{mailbox.url}/mails/1/files/0")
    assert content == "%PDF-1.4"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment; filename=invoice-7.pdf"


@pytest.mark.parametrize("path", ["/mails/7/", "/mails/1/files/9"])
def test_what_is_not_there_is_not_found(mailbox: Mailbox, path: str) -> None:
    send(mailbox.smtp_url, make_mail())
    with pytest.raises(HTTPError, match="404"):
        get(mailbox.url + path)


def test_as_a_process_it_says_when_it_listens_and_keeps_its_mails(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.mailbox", "--state", str(tmp_path / "mails.json")]
    for count in (1, 2):
        with subprocess.Popen(command, cwd=config.HOME, stdout=subprocess.PIPE, text=True) as process:
            word, url, smtp_url = process.stdout.readline().split()
            assert word == "READY"
            send(smtp_url, make_mail())
            wait_until(lambda url=url, count=count: len(json.loads(get(f"{url}/_mails")[0])) == count)
            process.terminate()
            assert process.wait(timeout=20) == 0
