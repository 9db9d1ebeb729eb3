"""The page of one claim: what is to be filed, what Amazon said, and the forms that record what a person did."""

from collections.abc import Callable, Mapping
from datetime import date
from io import BytesIO
from typing import Any

from flask import Response, redirect, request, send_file
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import deadlines, evidence
from admin.ids import id_from_form
from admin.people import STAFF, current_actor
from admin.security import takes_files
from admin.staff import told
from admin.timeline import timeline
from claims import documents, filing, outcomes, queries, words
from claims.packet import evidence_csv, evidence_name, packet
from claims.steps import next_step
from clock import utcnow
from db import reading
from errors import InvalidInput
from models import Claim, ClaimStatus, DocumentKind, RequestStatus, User

_ONE = "/<id:claim_id>/"
_LARGEST_REQUEST = documents.LARGEST + 64 * 1024  # the file and the fields around it

_Move = Callable[[Session], str]


class ClaimPage:
    """The addresses below one claim. Each form calls one service in one transaction."""

    render: Callable[..., str]
    get_url: Callable[..., str]

    @expose(_ONE)
    def one(self, claim_id: int) -> ResponseReturnValue:
        """Show one claim with what it was made of, what is to be filed, and what became of it."""
        return self._page(claim_id)

    @expose(f"{_ONE}evidence.csv")
    def evidence_file(self, claim_id: int) -> ResponseReturnValue:
        """Send the lines that it rests on, for Seller Support."""
        with reading() as session:
            found = queries.load_claim(session, claim_id, current_actor())
        headers = {"Content-Disposition": f"attachment; filename={evidence_name(found)}"}
        return Response("".join(evidence_csv(found)), mimetype="text/csv", headers=headers)

    @expose(f"{_ONE}file", methods=("POST",))
    def file(self, claim_id: int) -> ResponseReturnValue:
        """Record that it was filed."""
        return self._made(claim_id, "file", lambda session: self._filed(session, claim_id))

    @expose(f"{_ONE}late", methods=("POST",))
    def late(self, claim_id: int) -> ResponseReturnValue:
        """Record that it was filed on an earlier day."""
        return self._made(claim_id, "late", lambda session: self._filed(session, claim_id, is_late=True))

    @expose(f"{_ONE}case", methods=("POST",))
    def case(self, claim_id: int) -> ResponseReturnValue:
        """Put right under which case it was filed."""
        case_id = request.form.get("case_id", "")

        def move(session: Session) -> str:
            claim = filing.correct_case(session, claim_id, case_id=case_id, actor=current_actor(), now=utcnow())
            return f"The case is {claim.case_id}."

        return self._made(claim_id, "case", move)

    @expose(f"{_ONE}reply", methods=("POST",))
    def reply(self, claim_id: int) -> ResponseReturnValue:
        """Keep what Amazon wrote, and what it comes to."""
        return self._made(claim_id, "reply", lambda session: self._replied(session, claim_id))

    @expose(f"{_ONE}outcome", methods=("POST",))
    def outcome(self, claim_id: int) -> ResponseReturnValue:
        """Record what was done about it."""
        return self._made(claim_id, "outcome", lambda session: self._recorded(session, claim_id))

    @expose(f"{_ONE}note", methods=("POST",))
    def note(self, claim_id: int) -> ResponseReturnValue:
        """Keep a note of ours."""

        def move(session: Session) -> str:
            filing.add_note(session, claim_id, note=request.form.get("note", ""), actor=current_actor(), now=utcnow())
            return "Note kept."

        return self._made(claim_id, "note", move)

    @expose(f"{_ONE}assign", methods=("POST",))
    def assign(self, claim_id: int) -> ResponseReturnValue:
        """Give it to somebody."""
        assignee_id = id_from_form("assignee_id") if request.form.get("assignee_id") else None

        def move(session: Session) -> str:
            filing.assign(session, claim_id, assignee_id=assignee_id, actor=current_actor(), now=utcnow())
            return "Assigned."

        return self._made(claim_id, "assign", move)

    @expose(f"{_ONE}documents", methods=("POST",))
    @takes_files(_LARGEST_REQUEST)
    def add_document(self, claim_id: int) -> ResponseReturnValue:
        """Put a file to it. It is read and checked before the transaction begins."""
        try:
            upload = _upload()
            kind = DocumentKind(_choice("kind", {each.value for each in DocumentKind}, "Say what the file is."))
        except InvalidInput as error:
            return self._refused(claim_id, "document", error)

        def move(session: Session) -> str:
            documents.add_to_claim(session, claim_id, upload, kind=kind, actor=current_actor(), now=utcnow())
            return f"Kept: {upload.name}."

        return self._made(claim_id, "document", move)

    @expose(f"{_ONE}documents/<id:document_id>")
    def document(self, claim_id: int, document_id: int) -> ResponseReturnValue:
        """Send a file that was put to it, to be saved and not to be opened here."""
        with reading() as session:
            found = documents.load(session, document_id, current_actor(), claim_id=claim_id)
        return send_file(
            BytesIO(found.content), mimetype=found.content_type, as_attachment=True, download_name=found.name
        )

    def _filed(self, session: Session, claim_id: int, *, is_late: bool = False) -> str:
        on = _day("filed_on") if is_late else None
        if is_late and on is None:
            raise InvalidInput("The day of filing is missing.", field="filed_on", todo="Say when it was filed.")
        case_id = request.form.get("case_id", "")
        claim = filing.submit(session, claim_id, case_id=case_id, filed_on=on, actor=current_actor(), now=utcnow())
        return f"Filed as case {claim.case_id}."

    def _replied(self, session: Session, claim_id: int) -> str:
        code = request.form.get("outcome", "")
        if code:
            return self._recorded(session, claim_id)
        filing.add_reply(
            session,
            claim_id,
            reply=request.form.get("reply", ""),
            next_action_on=_day("next_action_on"),
            actor=current_actor(),
            now=utcnow(),
        )
        return "Amazon's reply is kept."

    def _recorded(self, session: Session, claim_id: int) -> str:
        outcome = outcomes.chosen(request.form.get("outcome", ""))
        if outcome is None:
            raise InvalidInput("Choose what became of it.", field="outcome")
        seen = request.form.get("seen", "")
        claim = filing.record_outcome(
            session,
            claim_id,
            status=outcome.status,
            reason=outcome.reason,
            reply=request.form.get("reply"),
            next_action_on=_day("next_action_on"),
            note=request.form.get("note"),
            seen=ClaimStatus(seen) if seen in set(ClaimStatus) else None,
            actor=current_actor(),
            now=utcnow(),
        )
        return f"Recorded: {words.claim_status_name(claim.status.value, claim.closed_reason)}."

    def _made(self, claim_id: int, form: str, move: _Move) -> ResponseReturnValue:
        """Make a move and show the page again; wrong input comes back at its field."""
        try:
            told(move)
        except InvalidInput as error:
            return self._refused(claim_id, form, error)
        return redirect(self.get_url(".one", claim_id=claim_id), 303)

    def _refused(self, claim_id: int, form: str, error: InvalidInput) -> ResponseReturnValue:
        return self._page(claim_id, form=form, entered=request.form, wrong={error.field: str(error)})

    def _page(
        self,
        claim_id: int,
        *,
        form: str = "",
        entered: Mapping[str, str] | None = None,
        wrong: Mapping[str, str] | None = None,
    ) -> ResponseReturnValue:
        """Draw the page; `form` is the one that was sent and is not right, with what was entered."""
        now = utcnow()
        with reading() as session:
            found = queries.load_claim(session, claim_id, current_actor())
            people = session.scalars(select(User).where(User.is_active, User.role.in_(STAFF)).order_by(User.name)).all()
        today = deadlines.marketplace_today(found.account.marketplace, now)
        page = self.render(
            "claim.html", people=people, form=form, entered=entered or {}, wrong=wrong or {}, **_shown(found, today)
        )
        return page, 422 if wrong else 200


def _shown(claim: Claim, today: date) -> dict[str, Any]:
    """Return what the page shows of a claim."""
    lines = [line for each in claim.discrepancies for line in each.evidence]
    keys = [key for each in claim.discrepancies for key in (each.fnsku, each.reference_id, each.msku)]
    return {
        "c": claim,
        "today": today,
        "sheets": evidence.sheets(lines, keys=keys),
        "packet": packet(claim) if claim.status is ClaimStatus.TO_SUBMIT or claim.case_id else None,
        "step": next_step(claim),
        "held_by": next((r for r in claim.requests if r.holds_claim and r.status is RequestStatus.ASKED), None),
        "is_to_file": claim.status is ClaimStatus.TO_SUBMIT,
        "has_lapsed": filing.has_lapsed(claim),
        "is_filed": claim.submitted_at is not None,
        "is_changed": any(each.is_changed_since_decision for each in claim.discrepancies),
        "assignee": claim.assignee or claim.account.client.case_manager,
        "outcomes": outcomes.choices(claim.status),
        "reply_outcomes": outcomes.choices_of_reply(claim.status),
        "document_kinds": [(kind.value, words.document_kind_name(kind)) for kind in DocumentKind],
        "size_in_words": documents.size_in_words,
        "largest_file": documents.LARGEST,
        "largest_in_words": documents.LARGEST_IN_WORDS,
        "moments": timeline(claim.history, claim.notes),
    }


def _upload() -> documents.Upload:
    """Return the file that was sent. Raises InvalidInput."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise InvalidInput("Choose a file.", field="file")
    return documents.read(sent.stream, sent.filename)


def _choice(name: str, known: set[str], missing: str) -> str:
    value = request.form.get(name, "")
    if value not in known:
        raise InvalidInput(missing, field=name)
    return value


def _day(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no day.", field=name, todo="Write it as 2026-11-30.") from error
