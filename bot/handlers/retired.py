"""What no other handler takes: buttons that lead somewhere, and those of older versions. Cards live for years."""

import re
from typing import Any

from slack_bolt import Ack, App

from bot import ids
from bot.form_parts import notice
from bot.handlers.answering import answers_errors
from bot.handlers.commands import HELP
from bot.press import Press
from claims.links import to_decide_link

_ANYTHING = re.compile("")


def register(app: App) -> None:
    """Listen for everything that is left. To be called last."""
    app.action(ids.OPEN_PAGE)(follow_link)
    app.action(_ANYTHING)(retired_button)
    app.view(_ANYTHING)(retired_form)
    app.view_closed(_ANYTHING)(follow_link)
    app.shortcut(_ANYTHING)(retired_button)
    app.command(_ANYTHING)(other_command)


def follow_link(ack: Ack) -> None:
    """Acknowledge what needs nothing more: the browser opens the page by itself, or a form was closed."""
    ack()


@answers_errors
def retired_button(ack: Ack, body: dict[str, Any]) -> None:
    """Say where to go instead."""
    ack()
    Press.of(body).answer(f"This button is no longer in use. Decide in the back office: {to_decide_link()}")


@answers_errors
def retired_form(ack: Ack, body: dict[str, Any]) -> None:  # noqa: ARG001  the decorator asks for it
    """Say where to go instead, in place of the form: it has no message to answer on."""
    said = f"This form is no longer in use. Decide in the back office: {to_decide_link()}"
    ack(response_action="update", view=notice(said))


@answers_errors
def other_command(ack: Ack, body: dict[str, Any]) -> None:
    """Say which command there is."""
    ack()
    Press.of(body).answer(HELP)
