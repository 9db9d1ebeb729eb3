"""The two forms that Recoup opens in Slack, and what was filled in. Pure, like `blocks`.

What a form is about travels in its private metadata: the discrepancy, and the card to bring up to date.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot import ids
from bot.text import or_dash, plain
from claims import words
from errors import InvalidInput
from models import RejectReason

View = dict[str, Any]

TITLE_LIMIT = 24
OPTION_LIMIT = 75
NOTE_MOST = 2_000
LARGEST_ID = 2**63
OTHER_NEEDS_NOTE = "Say in the note what the other reason is."
NOTE_IS_MISSING = "Say how you made sure, for whoever reads this later."


@dataclass(frozen=True)
class About:
    """What a form is about, and where the card stands that was pressed."""

    discrepancy_id: int
    channel: str | None = None
    message_ts: str | None = None

    def packed(self) -> str:
        """Return it as a form's private metadata."""
        return json.dumps(asdict(self))


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
    options = [_option(reason.value, words.reject_reason_name(reason.value)) for reason in RejectReason]
    return _form(
        ids.REJECT_VIEW, "Reject", title, about.packed(), [_select(ids.REASON, "Why?", options), _note("Note")]
    )


def clear_form(about: About, *, title: str, caveats: Sequence[str]) -> View:
    """Return the form that clears one caveat: the only one there is, or the one chosen."""
    said = [_said(f"{words.caveat_name(c)}. {words.caveat_line(c)}".rstrip()) for c in caveats]
    if len(caveats) == 1:
        metadata = json.dumps({**asdict(about), ids.CAVEAT: caveats[0]})
        fields = []
    else:
        metadata = about.packed()
        fields = [_select(ids.CAVEAT, "Which one did you check?", [_option(c, words.caveat_name(c)) for c in caveats])]
    note = _note("What did you find?", needed=True)
    return _form(ids.CLEAR_VIEW, "Clear", title, metadata, [*said, *fields, note])


def notice(text: str) -> View:
    """Return a form that only says something: a sent form has no message to answer on."""
    return {
        "type": "modal",
        "title": _text("Recoup", TITLE_LIMIT),
        "close": _text("Close", TITLE_LIMIT),
        "blocks": [_said(text)],
    }


def about(view: View) -> About:
    """Return what a sent form is about. Raises InvalidInput where its metadata is none of ours."""
    found = _metadata(view)
    number, channel, message_ts = (found.get(name) for name in ("discrepancy_id", "channel", "message_ts"))
    if type(number) is not int or not 0 < number < LARGEST_ID:
        raise _not_ours()
    return About(number, _text_or_none(channel), _text_or_none(message_ts))


def rejection(view: View) -> Rejection:
    """Read a sent Reject form."""
    chosen, note = _chosen(view, ids.REASON), _written(view)
    if chosen not in set(RejectReason):
        return Rejection(None, None, {ids.REASON: "Choose a reason."})
    reason = RejectReason(chosen)
    if reason is RejectReason.OTHER and not note:
        return Rejection(reason, None, {ids.NOTE: OTHER_NEEDS_NOTE})
    return Rejection(reason, note, {})


def clearance(view: View) -> Clearance:
    """Read a sent Clear form."""
    code = _text_or_none(_metadata(view).get(ids.CAVEAT)) or _chosen(view, ids.CAVEAT) or ""
    note = _written(view) or ""
    errors = {}
    if not code:
        errors[ids.CAVEAT] = "Choose what you checked."
    if not note:
        errors[ids.NOTE] = NOTE_IS_MISSING
    return Clearance(code, note, errors)


def _metadata(view: View) -> dict[str, Any]:
    try:
        found = json.loads(view.get("private_metadata") or "")
    except (ValueError, RecursionError) as error:
        raise _not_ours() from error
    if not isinstance(found, dict):
        raise _not_ours()
    return found


def _not_ours() -> InvalidInput:
    return InvalidInput("This form names no discrepancy.", todo="Decide in the back office.")


def _field(view: View, name: str) -> dict[str, Any]:
    return _within(_within(_within(_within(view, "state"), "values"), name), name)


def _within(holder: dict[str, Any], name: str) -> dict[str, Any]:
    held = holder.get(name)
    return held if isinstance(held, dict) else {}


def _chosen(view: View, name: str) -> str | None:
    return _text_or_none(_within(_field(view, name), "selected_option").get("value"))


def _written(view: View) -> str | None:
    return (_text_or_none(_field(view, ids.NOTE).get("value")) or "").strip() or None


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _form(callback_id: str, verb: str, title: str, metadata: str, fields: list[View]) -> View:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": metadata,
        "title": _text(f"{verb} a discrepancy", TITLE_LIMIT),
        "submit": _text(verb, TITLE_LIMIT),
        "close": _text("Cancel", TITLE_LIMIT),
        "blocks": [_said(title), *fields],
    }


def _said(text: str) -> View:
    return {"type": "section", "text": _text(text, 600)}


def _select(name: str, label: str, options: list[View]) -> View:
    element = {"type": "static_select", "action_id": name, "options": options, "placeholder": _text("Choose one", 150)}
    return {"type": "input", "block_id": name, "label": _text(label, 150), "element": element}


def _note(label: str, *, needed: bool = False) -> View:
    element = {"type": "plain_text_input", "action_id": ids.NOTE, "multiline": True, "max_length": NOTE_MOST}
    return {
        "type": "input",
        "block_id": ids.NOTE,
        "label": _text(label, 150),
        "element": element,
        "optional": not needed,
    }


def _option(value: str, label: str) -> View:
    return {"text": _text(label, OPTION_LIMIT), "value": value}


def _text(text: str, limit: int) -> View:
    return {"type": "plain_text", "text": or_dash(plain(text, limit)), "emoji": False}
