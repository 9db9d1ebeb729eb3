"""What stands around every handler: nothing is raised after the acknowledgement, and the person who pressed is told.

Then what handlers have in common: a sent form is taken or pointed back at, and a move is followed by the card.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import structlog
from slack_bolt import Ack
from sqlalchemy.orm import Session

from bot.cards import bring_up_to_date
from bot.form_parts import notice
from bot.people import link, slack_actor
from bot.press import Press
from bot.text import plain
from claims.access import Actor, UnknownSlackUser
from db import transaction
from errors import InvalidInput, Moved, RecoupError

log = structlog.get_logger()

_ANSWER = 2_000


def answers_errors(handler: Callable[..., None]) -> Callable[..., None]:
    """Give the person words for what went wrong, and for a bug a reference that the log has too.

    An exception that leaves a listener takes its acknowledgement back: Slack would show an error for work done.
    """

    @wraps(handler)
    def answering(**given: Any) -> None:
        press = Press.of(given["body"])
        try:
            handler(**given)
        except UnknownSlackUser as unknown:
            _acknowledge(given)
            _link(press, unknown)
        except RecoupError as problem:
            if isinstance(problem, InvalidInput):  # no form and no button of ours sends what cannot be used
                log.warning("slack_press_unreadable", handler=handler.__module__, problem=problem.message)
            if not _is_said_in_form(given, str(problem)):
                press.answer(plain(str(problem), _ANSWER))
        except Exception:
            _acknowledge(given)
            reference = secrets.token_hex(4)
            log.exception("slack_handler_failed", reference=reference, handler=handler.__module__)
            press.answer(
                "Recoup has made a mistake and may not have done this. Look at the card before you press again, "
                f"and tell your operator the reference {reference}."
            )

    return answering


def is_taken(ack: Ack, errors: dict[str, str]) -> bool:
    """Acknowledge a sent form, pointing at the fields that are wrong; return whether there are none."""
    if errors:
        ack(response_action="errors", errors=errors)
        return False
    ack()
    return True


@contextmanager
def one_move(press: Press, discrepancy_id: int) -> Iterator[tuple[Session, Actor]]:
    """Have the person who pressed make one move, in a transaction, and bring the pressed card up to date after it.

    Who was too late is told who was faster.
    """
    try:
        with transaction() as session:
            yield session, slack_actor(session, press)
    except Moved as faster:
        press.answer(plain(str(faster), _ANSWER))
    bring_up_to_date(press, discrepancy_id)


def _is_said_in_form(given: dict[str, Any], words: str) -> bool:
    """Acknowledge; put the words in place of a sent form, as long as Slack waits for what comes of it."""
    ack = given.get("ack")
    if ack is None or ack.response is not None or given["body"].get("type") != "view_submission":
        _acknowledge(given)
        return False
    ack(response_action="update", view=notice(words))
    return True


def _acknowledge(given: dict[str, Any]) -> None:
    ack = given.get("ack")
    if ack is not None and ack.response is None:
        ack()


def _link(press: Press, unknown: UnknownSlackUser) -> None:
    try:
        press.answer(plain(link(press, unknown), _ANSWER))
    except RecoupError as problem:
        press.answer(plain(str(problem), _ANSWER))
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("slack_linking_failed", reference=reference)
        press.answer(f"{unknown} (Linking you failed: reference {reference}.)")
