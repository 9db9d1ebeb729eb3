"""What Block Kit allows, said as data: each block and element, its fields, and how long they may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[Any, str, list[str]], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields an object may have, and those it must have."""

    fields: Mapping[str, Check]
    required: tuple[str, ...] = ()


def complain(errors: list[str], pointer: str, words: str) -> None:
    """Add an error in Slack's own form."""
    errors.append(f"[ERROR] {words} [json-pointer:{pointer}]")


def string(most: int, *, least: int = 1) -> Check:
    """Return a check for a string of `least` to `most` characters."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, str):
            complain(errors, pointer, "must be a string")
        elif len(value) > most:
            complain(errors, pointer, f"must be less than {most + 1} characters")
        elif len(value) < least:
            complain(errors, pointer, f"must be more than {least - 1} characters")

    return check


def boolean(value: Any, pointer: str, errors: list[str]) -> None:
    """Check for true or false."""
    if not isinstance(value, bool):
        complain(errors, pointer, "must be a boolean")


def number(value: Any, pointer: str, errors: list[str]) -> None:
    """Check for a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        complain(errors, pointer, "must be an integer")


def one_of(*allowed: str) -> Check:
    """Return a check for one of some words."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if value not in allowed:
            complain(errors, pointer, f"must be one of: {', '.join(allowed)}")

    return check


def items(inner: Check, most: int, *, least: int = 1) -> Check:
    """Return a check for a list of `least` to `most` entries."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, list):
            complain(errors, pointer, "must be an array")
            return
        if len(value) > most:
            complain(errors, pointer, f"no more than {most} items allowed")
        if len(value) < least:
            complain(errors, pointer, f"no fewer than {least} items allowed")
        for position, entry in enumerate(value):
            inner(entry, f"{pointer}/{position}", errors)

    return check


def shaped(shape: Shape) -> Check:
    """Return a check for an object with just the fields of `shape`."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            complain(errors, pointer, "must be an object")
            return
        for name in shape.required:
            if name not in value:
                complain(errors, pointer, f"missing required field: {name}")
        for name, part in value.items():
            inner = shape.fields.get(name)
            if inner is None:
                complain(errors, pointer, f"invalid additional property: {name}")
            else:
                inner(part, f"{pointer}/{name}", errors)

    return check


def by_type(shapes: Mapping[str, Shape]) -> Check:
    """Return a check for an object whose `type` says which shape it has."""

    def check(value: Any, pointer: str, errors: list[str]) -> None:
        kind = str(value.get("type")) if isinstance(value, dict) else "none"
        if kind not in shapes:
            complain(errors, f"{pointer}/type", f"unsupported type: {kind}")
            return
        shaped(shapes[kind])(value, pointer, errors)

    return check


def text(most: int, *, plain: bool = False) -> Check:
    """Return a check for a text object."""
    plain_text = Shape({"type": one_of("plain_text"), "text": string(most), "emoji": boolean}, ("text",))
    mrkdwn = Shape({"type": one_of("mrkdwn"), "text": string(most), "verbatim": boolean}, ("text",))
    return by_type({"plain_text": plain_text} if plain else {"plain_text": plain_text, "mrkdwn": mrkdwn})


_TYPE = {"type": string(50)}
_ID = string(255)
_CONFIRM = shaped(
    Shape(
        {
            "title": text(100, plain=True),
            "text": text(300),
            "confirm": text(30, plain=True),
            "deny": text(30, plain=True),
            "style": one_of("primary", "danger"),
        },
        ("title", "text", "confirm", "deny"),
    )
)
_OPTION = shaped(
    Shape(
        {
            "text": text(75),
            "value": string(150),
            "description": text(75),
            "url": string(3000),
        },
        ("text", "value"),
    )
)
_GROUP = shaped(Shape({"label": text(75, plain=True), "options": items(_OPTION, 100)}, ("label", "options")))
_IMAGE = {"image_url": string(3000), "alt_text": string(2000), "slack_file": shaped(Shape({}))}
_INTERACTIVE = {"action_id": _ID, "confirm": _CONFIRM, "focus_on_load": boolean}
_PLACEHOLDER = {"placeholder": text(150, plain=True)}

ELEMENTS = {
    "button": Shape(
        {
            **_TYPE,
            "action_id": _ID,
            "confirm": _CONFIRM,
            "text": text(75, plain=True),
            "value": string(2000),
            "url": string(3000),
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
        },
        ("text",),
    ),
    "static_select": Shape(
        {
            **_TYPE,
            **_INTERACTIVE,
            **_PLACEHOLDER,
            "options": items(_OPTION, 100),
            "option_groups": items(_GROUP, 100),
            "initial_option": _OPTION,
        }
    ),
    "overflow": Shape(
        {**_TYPE, "action_id": _ID, "confirm": _CONFIRM, "options": items(_OPTION, 5)},
        ("options",),
    ),
    "checkboxes": Shape(
        {**_TYPE, **_INTERACTIVE, "options": items(_OPTION, 10), "initial_options": items(_OPTION, 10)},
        ("options",),
    ),
    "radio_buttons": Shape(
        {**_TYPE, **_INTERACTIVE, "options": items(_OPTION, 10), "initial_option": _OPTION},
        ("options",),
    ),
    "users_select": Shape({**_TYPE, **_INTERACTIVE, **_PLACEHOLDER, "initial_user": string(20)}),
    "datepicker": Shape({**_TYPE, **_INTERACTIVE, **_PLACEHOLDER, "initial_date": string(10)}),
    "plain_text_input": Shape(
        {
            **_TYPE,
            **_PLACEHOLDER,
            "action_id": _ID,
            "focus_on_load": boolean,
            "initial_value": string(3000, least=0),
            "multiline": boolean,
            "min_length": number,
            "max_length": number,
            "dispatch_action_config": shaped(Shape({"trigger_actions_on": items(string(50), 2)})),
        }
    ),
    "image": Shape({**_TYPE, **_IMAGE}, ("alt_text",)),
}
_INPUT_KINDS = ("static_select", "checkboxes", "radio_buttons", "users_select", "datepicker", "plain_text_input")
_INPUTS = {name: ELEMENTS[name] for name in _INPUT_KINDS}
_ACTIONS = {name: shape for name, shape in ELEMENTS.items() if name not in {"image", "plain_text_input"}}
_CONTEXT = by_type(
    {
        "image": ELEMENTS["image"],
        "plain_text": Shape({**_TYPE, "text": string(3000), "emoji": boolean}, ("text",)),
        "mrkdwn": Shape({**_TYPE, "text": string(3000), "verbatim": boolean}, ("text",)),
    }
)
_BLOCK = {**_TYPE, "block_id": _ID}

BLOCKS = {
    "header": Shape({**_BLOCK, "text": text(150, plain=True)}, ("text",)),
    "section": Shape(
        {
            **_BLOCK,
            "text": text(3000),
            "fields": items(text(2000), 10),
            "accessory": by_type({**_ACTIONS, "image": ELEMENTS["image"]}),
            "expand": boolean,
        }
    ),
    "context": Shape({**_BLOCK, "elements": items(_CONTEXT, 10)}, ("elements",)),
    "actions": Shape({**_BLOCK, "elements": items(by_type(_ACTIONS), 25)}, ("elements",)),
    "divider": Shape(_BLOCK),
    "image": Shape({**_BLOCK, **_IMAGE, "title": text(2000, plain=True)}, ("alt_text",)),
    "input": Shape(
        {
            **_BLOCK,
            "label": text(2000, plain=True),
            "element": by_type(_INPUTS),
            "hint": text(2000, plain=True),
            "optional": boolean,
            "dispatch_action": boolean,
        },
        ("label", "element"),
    ),
}
VIEW = Shape(
    {
        **_TYPE,
        "title": text(24, plain=True),
        "blocks": items(by_type(BLOCKS), 100),
        "submit": text(24, plain=True),
        "close": text(24, plain=True),
        "private_metadata": string(3000, least=0),
        "callback_id": string(255, least=0),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "external_id": string(255, least=0),
        "submit_disabled": boolean,
    },
    ("title", "blocks"),
)
