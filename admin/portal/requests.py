"""What the agency asks the client: the list, and the page on which a question is answered."""

from collections.abc import Mapping
from io import BytesIO

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from admin import deadlines
from admin.people import current_actor
from admin.portal.paging import page_of
from admin.security import takes_files
from claims import documents, requests
from claims.documents import Upload
from clock import utcnow
from db import reading, transaction
from errors import InvalidInput, Moved, NotFound
from models import ClaimStatus, Request, RequestStatus

#: what one answer may bring with it, all files together
MOST_AT_ONCE_BYTES = 2 * documents.LARGEST
_FORM_BYTES = 1024 * 1024
_ONE = "/requests/<id:request_id>/"
_STATES = {"": RequestStatus.ASKED, "answered": RequestStatus.ANSWERED, "closed": RequestStatus.CLOSED}


def register(pages: Blueprint) -> None:
    """Add the pages."""
    pages.add_url_rule("/requests/", "requests", everything)
    pages.add_url_rule(_ONE, "requests_one", one)
    pages.add_url_rule(_ONE, "requests_answer", answer, methods=["POST"])
    pages.add_url_rule(_ONE + "files/<id:document_id>", "requests_file", file)


def everything() -> str:
    """List the questions: those that wait, unless others are asked for."""
    state = request.args.get("state", "")
    state = state if state in _STATES else ""
    rows = requests.request_list(current_actor(), status=_STATES[state])
    order = Request.asked_at.asc() if not state else Request.asked_at.desc()
    with reading() as session:
        page = page_of(session, rows.order_by(order, Request.id))
    return render_template("portal/requests.html", page=page, state=state, now=utcnow())


def one(request_id: int) -> ResponseReturnValue:
    """Show a question, and the form to answer it."""
    return _page(request_id)


@takes_files(MOST_AT_ONCE_BYTES + _FORM_BYTES)
def answer(request_id: int) -> ResponseReturnValue:
    """Take the answer; what is wrong with it comes back at its field, with what was written."""
    text, actor = request.form.get("text", ""), current_actor()
    with reading() as session:
        requests.load(session, request_id, actor)
    try:
        files = uploads()
        with transaction() as session:
            requests.answer(session, request_id, text=text, files=files, actor=actor, now=utcnow())
    except InvalidInput as error:
        return _page(request_id, text=text, wrong={error.field: str(error)})
    except Moved as faster:
        flash(str(faster), "error")
    else:
        flash("Thank you. Your case manager has your answer.", "success")
    return redirect(url_for("portal.requests_one", request_id=request_id), 303)


def file(request_id: int, document_id: int) -> Response:
    """Send back a file that an answer brought. Raises NotFound."""
    actor = current_actor()
    with reading() as session:
        requests.load(session, request_id, actor)
        found = documents.load(session, document_id, actor)
    if found.request_id != request_id:
        raise NotFound(f"There is no document {document_id}.")
    return send_file(BytesIO(found.content), mimetype=found.content_type, as_attachment=True, download_name=found.name)


def uploads() -> list[Upload]:
    """Read the files of the form `files`. Raises InvalidInput, which names the file."""
    sent = [each for each in request.files.getlist("files") if each.filename]
    requests.require_few(sent)
    read = []
    for each in sent:
        try:
            read.append(documents.read(each.stream, each.filename))
        except InvalidInput as error:
            named = error.message if (each.filename or "") in error.message else f"{each.filename}: {error.message}"
            raise InvalidInput(named, field="files", todo=error.todo) from error
    return read


def _page(request_id: int, *, text: str = "", wrong: Mapping[str, str] | None = None) -> ResponseReturnValue:
    actor, now = current_actor(), utcnow()
    with reading() as session:
        found = requests.load(session, request_id, actor)
    page = render_template(
        "portal/request.html",
        r=found,
        is_own=found.answered_by is not None and found.answered_by.client_id == actor.client_id,
        is_to_file=found.claim.status is ClaimStatus.TO_SUBMIT,
        today=deadlines.marketplace_today(found.claim.account.marketplace, now),
        text=text,
        wrong=wrong or {},
        most_files=requests.MOST_FILES,
        longest=requests.LONGEST_TEXT,
        largest=documents.LARGEST_IN_WORDS,
        size=documents.size_in_words,
    )
    return page, 422 if wrong else 200
