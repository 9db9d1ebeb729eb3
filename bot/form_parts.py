"""What forms in Slack are made of, and what was filled in, read with care: a sent form is outside text."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.text import or_dash, plain

View = dict[str, Any]

TITLE_LIMIT = 24
OPTION_LIMIT = 75
_LABEL_LIMIT = 150
_SAID_LIMIT = 600
_HINT_LIMIT = 150
_LARGEST_ID = 2**63


@dataclass(frozen=True)
class About:
    """What a form is about, and where the card stands that was pressed; it travels in the form's private metadata."""

    discrepancy_id: int
    channel: str | None = None
    message_ts: str | None = None

    def packed(self) -> str:
        """Return it as a form's private metadata."""
        return json.dumps(asdict(self))


def form(callback_id: str, heading: str, send: str, metadata: str, blocks: Sequence[View]) -> View:
    """Return a form: `heading` above it, `send` on its button, `metadata` says what it is about."""
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": metadata,
        "title": text(heading, TITLE_LIMIT),
        "submit": text(send, TITLE_LIMIT),
        "close": text("Cancel", TITLE_LIMIT),
        "blocks": list(blocks),
    }


def sheet(heading: str, blocks: Sequence[View]) -> View:
    """Return a form that only shows something."""
    return {
        "type": "modal",
        "title": text(heading, TITLE_LIMIT),
        "close": text("Close", TITLE_LIMIT),
        "blocks": list(blocks),
    }


def notice(words: str) -> View:
    """Return a form that only says something: a sent form has no message to answer on."""
    return sheet("Recoup", [said(words)])


def said(words: str) -> View:
    """Return a block of outside text."""
    return {"type": "section", "text": text(words, _SAID_LIMIT)}


def select(name: str, label: str, options: list[View], *, chosen: View | None = None) -> View:
    """Return a choice of one; `chosen` is what stands there before anybody chose."""
    element = {"type": "static_select", "action_id": name, "options": options, "placeholder": text("Choose one", 150)}
    return _input(name, label, element | ({"initial_option": chosen} if chosen else {}))


def option(value: str, label: str) -> View:
    """Return one thing to choose."""
    return {"text": text(label, OPTION_LIMIT), "value": value}


def written(name: str, label: str, *, longest: int, needed: bool, lines: bool = True, hint: str = "") -> View:
    """Return a field for text, of one line or more, of at most `longest` characters."""
    element = {"type": "plain_text_input", "action_id": name, "multiline": lines, "max_length": longest}
    return _input(name, label, element, needed=needed, hint=hint)


def day(name: str, label: str, *, hint: str = "") -> View:
    """Return a field for a day, which may be left empty."""
    return _input(name, label, {"type": "datepicker", "action_id": name}, needed=False, hint=hint)


def text(words: str, limit: int) -> View:
    """Return outside text as Slack shows it: escaped and cut."""
    return {"type": "plain_text", "text": or_dash(plain(words, limit)), "emoji": False}


def metadata_of(view: View) -> dict[str, Any] | None:
    """Return what a sent form says it is about, None where that is nothing of ours."""
    try:
        found = json.loads(view.get("private_metadata") or "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_id(value: Any) -> bool:
    """Whether a value of the metadata can be a row's id."""
    return type(value) is int and 0 < value < _LARGEST_ID


def chosen_in(view: View, name: str) -> str | None:
    """Return what was chosen in a field."""
    return text_or_none(_within(_field(view, name), "selected_option").get("value"))


def written_in(view: View, name: str) -> str | None:
    """Return what was written into a field, None where it is blank."""
    return (text_or_none(_field(view, name).get("value")) or "").strip() or None


def day_in(view: View, name: str) -> str | None:
    """Return the day of a field as Slack writes it: 2026-11-30."""
    return text_or_none(_field(view, name).get("selected_date"))


def text_or_none(value: Any) -> str | None:
    """Return the value if it is text."""
    return value if isinstance(value, str) else None


def _input(name: str, label: str, element: View, *, needed: bool = True, hint: str = "") -> View:
    field = {"type": "input", "block_id": name, "label": text(label, _LABEL_LIMIT), "element": element}
    return field | ({} if needed else {"optional": True}) | ({"hint": text(hint, _HINT_LIMIT)} if hint else {})


def _field(view: View, name: str) -> dict[str, Any]:
    return _within(_within(_within(_within(view, "state"), "values"), name), name)


def _within(holder: dict[str, Any], name: str) -> dict[str, Any]:
    held = holder.get(name)
    return held if isinstance(held, dict) else {}
