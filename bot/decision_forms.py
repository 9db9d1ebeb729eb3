"""The forms *Reject* and *Clear* of a discrepancy, and what was filled in. Pure, like `blocks`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot import form_parts as parts
from bot import ids
from bot.form_parts import About, View
from claims import words
from errors import InvalidInput
from models import RejectReason

NOTE_MOST = 2_000
OTHER_NEEDS_NOTE = "Say in the note what the other reason is."
NOTE_IS_MISSING = "Say how you made sure, for whoever reads this later."


@dataclass(frozen=True)
class Rejection:
    """A filled-in Reject form. `errors` names the fields to correct; then nothing else counts."""

    reason: RejectReason | None
    note: str | None
    errors: dict[str, str]


@dataclass(frozen=True)
class Clearance:
    """A filled-in Clear form. `errors` names the fields to correct; then nothing else counts."""

    code: str
    note: str
    errors: dict[str, str]


def reject_form(about: About, *, title: str) -> View:
    """Return the form that asks why; `title` says of what."""
    options = [parts.option(reason.value, words.reject_reason_name(reason.value)) for reason in RejectReason]
    fields = [parts.said(title), parts.select(ids.REASON, "Why?", options), _note("Note")]
    return parts.form(ids.REJECT_VIEW, "Reject a discrepancy", "Reject", about.packed(), fields)


def clear_form(about: About, *, title: str, caveats: Sequence[str]) -> View:
    """Return the form that clears one caveat: the only one there is, or the one chosen."""
    said = [parts.said(f"{words.caveat_name(c)}. {words.caveat_line(c)}".rstrip()) for c in caveats]
    if len(caveats) == 1:
        metadata = json.dumps({**asdict(about), ids.CAVEAT: caveats[0]})
        fields = []
    else:
        metadata = about.packed()
        options = [parts.option(c, words.caveat_name(c)) for c in caveats]
        fields = [parts.select(ids.CAVEAT, "Which one did you check?", options)]
    note = _note("What did you find?", needed=True)
    blocks = [parts.said(title), *said, *fields, note]
    return parts.form(ids.CLEAR_VIEW, "Clear a discrepancy", "Clear", metadata, blocks)


def about(view: View) -> About:
    """Return what a sent form is about. Raises InvalidInput where its metadata is none of ours."""
    found = _metadata(view)
    if not parts.is_id(found.get("discrepancy_id")):
        raise _not_ours()
    channel, message_ts = (parts.text_or_none(found.get(name)) for name in ("channel", "message_ts"))
    return About(found["discrepancy_id"], channel, message_ts)


def rejection(view: View) -> Rejection:
    """Read a sent Reject form."""
    chosen, note = parts.chosen_in(view, ids.REASON), parts.written_in(view, ids.NOTE)
    if chosen not in set(RejectReason):
        return Rejection(None, None, {ids.REASON: "Choose a reason."})
    reason = RejectReason(chosen)
    if reason is RejectReason.OTHER and not note:
        return Rejection(reason, None, {ids.NOTE: OTHER_NEEDS_NOTE})
    return Rejection(reason, note, {})


def clearance(view: View) -> Clearance:
    """Read a sent Clear form."""
    code = parts.text_or_none(_metadata(view).get(ids.CAVEAT)) or parts.chosen_in(view, ids.CAVEAT) or ""
    note = parts.written_in(view, ids.NOTE) or ""
    errors = {}
    if not code:
        errors[ids.CAVEAT] = "Choose what you checked."
    if not note:
        errors[ids.NOTE] = NOTE_IS_MISSING
    return Clearance(code, note, errors)


def _metadata(view: View) -> dict[str, Any]:
    found = parts.metadata_of(view)
    if found is None:
        raise _not_ours()
    return found


def _note(label: str, *, needed: bool = False) -> View:
    return parts.written(ids.NOTE, label, longest=NOTE_MOST, needed=needed)


def _not_ours() -> InvalidInput:
    return InvalidInput("This form names no discrepancy.", todo="Decide in the back office.")
