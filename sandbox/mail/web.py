"""The mailbox as a web page for people, and as JSON for checks. A mail is shown as what it is: foreign."""

from datetime import UTC
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template, request, url_for

from sandbox.mail.inbox import Inbox, Mail
from sandbox.web import add_page

_PAGE = Path(__file__).resolve().parent / "page"
# A mail may look as it likes and do nothing; its links open beside the mailbox.
_FOREIGN = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)


def create_app(inbox: Inbox, *, smtp_address: str) -> Flask:
    """Return the page as a Flask app. `smtp_address` is where mails are taken, to be shown."""
    app = Flask(__name__, static_folder=None, template_folder=str(_PAGE))
    add_page(app, _PAGE)
    _lead_elsewhere(app)

    @app.get("/")
    def index() -> str:
        return render_template("index.html", mails=[_listed(mail) for mail in inbox][::-1], smtp_address=smtp_address)

    @app.get("/mails/<int:number>/")
    def one(number: int) -> str:
        mail = _found(inbox, number)
        return render_template("mail.html", mail=_listed(mail), has_html=bool(mail.body("html")))

    @app.get("/mails/<int:number>/html")
    def html(number: int) -> Response:
        page = _found(inbox, number).body("html").replace("<head>", '<head><base target="_blank">', 1)
        return Response(page, mimetype="text/html", headers={"Content-Security-Policy": _FOREIGN})

    @app.get("/mails/<int:number>/files/<int:position>")
    def file(number: int, position: int) -> Response:
        files = _found(inbox, number).attachments
        if position >= len(files):
            abort(404)
        return _download(files[position])

    @app.get("/_mails")
    def mails() -> Response:
        return jsonify([_listed(mail) for mail in inbox])

    return app


def _lead_elsewhere(app: Flask) -> None:
    """Give every page what pages are written with, among it the addresses of the demo's other pages once told."""
    others: dict[str, str] = {}

    @app.context_processor
    def in_every_page() -> dict[str, Any]:
        return {"others": others, "moment": _moment, "who": _who}

    @app.post("/_links")
    def links() -> Response:
        others.update({str(name): str(url) for name, url in request.get_json().items()})
        return jsonify(ok=True)


def _found(inbox: Inbox, number: int) -> Mail:
    mail = inbox.get(number)
    if mail is None:
        abort(404)
    return mail


def _listed(mail: Mail) -> dict[str, Any]:
    """Return what is shown of a mail, as JSON knows it; `files` have the addresses to fetch them from."""
    return {
        "number": mail.number,
        "subject": mail.header("Subject"),
        "from": mail.header("From"),
        "to": mail.header("To") or ", ".join(mail.recipients),
        "reply_to": mail.header("Reply-To"),
        "date": mail.header("Date"),
        "message_id": mail.header("Message-ID"),
        "text": mail.body("plain"),
        "url": url_for("one", number=mail.number),
        "files": [
            {
                "name": file.get_filename() or "without a name",
                "type": file.get_content_type(),
                "size": len(_bytes(file)),
                "url": url_for("file", number=mail.number, position=position),
            }
            for position, file in enumerate(mail.attachments)
        ],
    }


def _moment(date: str) -> str:
    """Return a mail's date as Recoup writes it: "30 Nov 2026, 16:05 UTC"; as it came where it is none."""
    try:
        at = parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return date
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _who(address: str) -> str:
    """Return the name of a sender, the address where there is none."""
    return parseaddr(address)[0] or address


def _download(file: EmailMessage) -> Response:
    response = Response(_bytes(file), mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=file.get_filename() or "file")
    return response


def _bytes(file: EmailMessage) -> bytes:
    content = file.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
