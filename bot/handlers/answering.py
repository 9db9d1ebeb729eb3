"""What stands around every handler: nothing is raised after the acknowledgement, and the person who pressed is told."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any

import structlog

from bot import modals
from bot.cards import bring_up_to_date
from bot.people import link
from bot.press import Press
from bot.text import plain
from claims.access import UnknownSlackUser
from errors import InvalidInput, Moved, RecoupError

log = structlog.get_logger()

_ANSWER = 2_000


def answers_errors(handler: Callable[..., None]) -> Callable[..., None]:
    """Give the person words for what went wrong, and for a bug a reference that the log has too.

    An exception that leaves a listener takes its acknowledgement back: Slack would show an error for work done.
    """

    @wraps(handler)
    def answering(**given: Any) -> None:
        press = _press(given["body"])
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


@contextmanager
def card_follows(press: Press, discrepancy_id: int) -> Iterator[None]:
    """Bring the pressed card up to date after the move; who was too late is told who was faster."""
    try:
        yield
    except Moved as faster:
        press.answer(plain(str(faster), _ANSWER))
    bring_up_to_date(press, discrepancy_id)


def _press(body: dict[str, Any]) -> Press:
    """Return who pressed and where; a sent form says itself on which card it was opened."""
    press = Press.of(body)
    if body.get("view") and not press.channel:
        with suppress(InvalidInput):
            about = modals.about(body["view"])
            return press.at(about.channel, about.message_ts)
    return press


def _is_said_in_form(given: dict[str, Any], words: str) -> bool:
    """Acknowledge; put the words in place of a sent form, as long as Slack waits for what comes of it."""
    ack = given.get("ack")
    if ack is None or ack.response is not None or given["body"].get("type") != "view_submission":
        _acknowledge(given)
        return False
    ack(response_action="update", view=modals.notice(words))
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
