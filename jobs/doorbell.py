"""Ring when a transaction has made work due or written messages, so that nobody waits for the next turn of cron.

It listens to every session of this process. A bell that is not heard costs seconds: cron rings again.
"""

from collections.abc import Callable

import structlog
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from jobs import queue, redis_server
from models import OutboxMessage, Run

_MESSAGES, _RUNS = "doorbell_messages", "doorbell_runs"

_log = structlog.get_logger()


def listen() -> None:
    """Ring after each commit of this process that made something due. Can be called again."""
    for name, listener in _LISTENERS.items():
        if not event.contains(Session, name, listener):
            event.listen(Session, name, listener)


def _notice_statement(state: ORMExecuteState) -> None:
    if state.is_insert and state.bind_mapper is not None and state.bind_mapper.class_ is OutboxMessage:
        state.session.info[_MESSAGES] = True


def _notice_rows(session: Session, _flush: UOWTransaction) -> None:
    for row in session.new:
        if isinstance(row, OutboxMessage):
            session.info[_MESSAGES] = True
        elif isinstance(row, Run):
            session.info.setdefault(_RUNS, []).append(row.id)


def _forget(session: Session) -> None:
    session.info.pop(_MESSAGES, None)
    session.info.pop(_RUNS, None)


def _ring(session: Session) -> None:
    if session.get_nested_transaction() is not None:  # only a savepoint is released
        return
    has_messages = session.info.pop(_MESSAGES, False)
    run_ids = session.info.pop(_RUNS, [])
    if not has_messages and not run_ids:
        return
    redis_url = redis_server.find()
    if redis_url is None:
        return
    try:
        redis = queue.connection(redis_url)
        for run_id in run_ids:
            queue.ring_run(redis, run_id, attempts=0)
        if has_messages:
            queue.ring_delivery(redis)
    except RedisError as error:
        _log.warning("bell_not_heard", error=type(error).__name__)


_LISTENERS: dict[str, Callable[..., None]] = {
    "do_orm_execute": _notice_statement,
    "after_flush": _notice_rows,
    "after_commit": _ring,
    "after_rollback": _forget,
}
