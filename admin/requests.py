"""What clients are asked for: who is waited for since when, one request with its answer, and the form that asks."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, ClassVar

from flask import redirect, request, send_file
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import InstrumentedAttribute, Session

from admin import deadlines
from admin.listing import CLIENT, EVERY, Listing, Narrow, Rows
from admin.people import current_actor
from admin.portal.requests import MOST_AT_ONCE_BYTES, uploads
from admin.security import takes_files
from admin.staff import told
from claims import documents, queries, questions, requests, words
from clock import utcnow
from config import settings
from db import reading
from errors import InvalidInput, NotFound
from models import Claim, ClaimStatus, Client, Request, RequestKind, RequestStatus

_ONE = "/<id:request_id>/"
_ASK = "/ask/<id:claim_id>"
_FORM_BYTES = 1024 * 1024
_TITLES = {"asked": "wait for the client", "answered": "are answered", "closed": "are closed", EVERY: "in all"}
_TITLES_OF_ONE = {"asked": "waits for the client", "answered": "is answered", "closed": "is closed", EVERY: "in all"}


def _in_state(rows: Rows, value: str) -> Rows:
    return rows if value == EVERY else rows.where(Request.status == RequestStatus(value))


class RequestView(Listing):
    """Requests to clients, the one that waits longest first; they move through `claims.requests` alone."""

    list_template = "asked.html"
    column_list = ("kind", "client", "asked_at", "closes_on", "status")
    column_labels: ClassVar[Mapping[str, str]] = {
        "kind": "Asked for",
        "client": "Client",
        "asked_at": "Since",
        "closes_on": "File by",
        "status": "State",
    }
    sort_columns: ClassVar[Mapping[str, InstrumentedAttribute[Any]]] = {
        "kind": Request.kind,
        "client": Client.name,
        "asked_at": Request.asked_at,
        "status": Request.status,
    }
    search_columns = (Request.question,)
    column_filters = (
        Narrow("status", "State", _in_state, {*(status.value for status in RequestStatus), EVERY}.__contains__),
        CLIENT,
    )

    def statement(self) -> Rows:
        """Return the requests that exist for this person: those that wait, unless another state is asked for."""
        wanted = None if self.active("status") else RequestStatus.ASKED
        return requests.request_list(current_actor(), status=wanted)

    def ordered(self, rows: Rows) -> Rows:
        """Return what waits longest first."""
        return rows.order_by(Request.asked_at, Request.id)

    @expose(_ASK, methods=("GET", "POST"))
    def ask(self, claim_id: int) -> ResponseReturnValue:
        """Ask the client about a claim; what is wrong comes back at its field."""
        entered = {name: request.form.get(name, "") for name in ("kind", "question")}
        if request.method == "GET":
            return self._ask_page(claim_id, entered, {})
        if entered["kind"] not in set(RequestKind):
            return self._ask_page(claim_id, entered, {"kind": "Choose what the client is asked for."})

        def move(session: Session) -> str:
            asked = requests.ask(
                session,
                claim_id,
                kind=RequestKind(entered["kind"]),
                question=entered["question"],
                actor=current_actor(),
                now=utcnow(),
            )
            held = " The claim is held until the answer." if asked.holds_claim else ""
            return f"{asked.client.name} is asked.{held}"

        try:
            told(move)
        except InvalidInput as error:
            return self._ask_page(claim_id, entered, {error.field: str(error)})
        return redirect(self.get_url("claims.one", claim_id=claim_id), 303)

    @expose(_ONE)
    def one(self, request_id: int) -> ResponseReturnValue:
        """Show one request with its answer, and what can be done."""
        return self._page(request_id)

    @expose(_ONE + "answer", methods=("POST",))
    @takes_files(MOST_AT_ONCE_BYTES + _FORM_BYTES)
    def answer(self, request_id: int) -> ResponseReturnValue:
        """Answer for the client, who told it in another way."""
        text = request.form.get("text", "")
        try:
            files = uploads()

            def move(session: Session) -> str:
                requests.answer(session, request_id, text=text, files=files, actor=current_actor(), now=utcnow())
                return "Answered for the client."

            return self._made(request_id, move)
        except InvalidInput as error:
            return self._page(request_id, text=text, wrong={error.field: str(error)})

    @expose(_ONE + "close", methods=("POST",))
    def close(self, request_id: int) -> ResponseReturnValue:
        """End the request."""

        def move(session: Session) -> str:
            requests.close(session, request_id, actor=current_actor(), now=utcnow())
            return "Closed: nothing is waited for any more."

        return self._made(request_id, move)

    @expose(_ONE + "files/<id:document_id>")
    def file(self, request_id: int, document_id: int) -> ResponseReturnValue:
        """Send a file that came with the answer, to be saved and not to be opened here."""
        with reading() as session:
            found = documents.load(session, document_id, current_actor())
        if found.request_id != request_id:
            raise NotFound(f"There is no document {document_id}.")
        return send_file(
            BytesIO(found.content), mimetype=found.content_type, as_attachment=True, download_name=found.name
        )

    def _made(self, request_id: int, move: Callable[[Session], str]) -> ResponseReturnValue:
        told(move)
        return redirect(self.get_url(".one", request_id=request_id), 303)

    def _page(self, request_id: int, *, text: str = "", wrong: Mapping[str, str] | None = None) -> ResponseReturnValue:
        with reading() as session:
            found = requests.load(session, request_id, current_actor())
        page = self.render(
            "asked_one.html",
            r=found,
            now=utcnow(),
            today=deadlines.marketplace_today(found.claim.account.marketplace, utcnow()),
            is_to_file=found.claim.status is ClaimStatus.TO_SUBMIT,
            is_by_client=found.answered_by is not None and found.answered_by.client_id is not None,
            text=text,
            wrong=wrong or {},
            most_files=requests.MOST_FILES,
            longest=requests.LONGEST_TEXT,
            largest=documents.LARGEST_IN_WORDS,
            size=documents.size_in_words,
        )
        return page, 422 if wrong else 200

    def _ask_page(self, claim_id: int, entered: Mapping[str, str], wrong: Mapping[str, str]) -> ResponseReturnValue:
        with reading() as session:
            claim = queries.load_claim(session, claim_id, current_actor())
        page = self.render(
            "ask.html",
            c=claim,
            kinds=[(kind.value, words.request_kind_name(kind.value)) for kind in RequestKind],
            usual=_usual(claim),
            will_hold=claim.account.client.requests_hold_claims and claim.status is ClaimStatus.TO_SUBMIT,
            mail_is_on=settings().mail_is_on,
            longest=requests.LONGEST_TEXT,
            entered=entered,
            wrong=wrong,
        )
        return page, 422 if wrong else 200

    def around(self, _shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return the states to choose from, and the time."""
        state = self.active("status") or RequestStatus.ASKED.value
        return {
            "state": state,
            "title_end": _TITLES[state],
            "title_end_of_one": _TITLES_OF_ONE[state],
            "states": [*words.REQUEST_STATUSES.items(), (EVERY, "All")],
            "now": utcnow(),
        }


def _usual(claim: Claim) -> list[tuple[str, str]]:
    """Return the usual questions about a claim: what is asked for, and the words."""
    found = ((kind, questions.usual(kind, claim.discrepancies)) for kind in RequestKind)
    return [(words.request_kind_name(kind.value), text) for kind, text in found if text]
