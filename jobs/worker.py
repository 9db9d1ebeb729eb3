"""The worker: takes jobs from Redis and forks for each.

Imported here, and only imported: polars, so that each fork has it ready. Using it before a fork hangs every job.
"""

import contextlib
import time
from types import FrameType

import polars  # noqa: F401
import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

import db
from errors import RecoupError
from jobs import queue as queues
from jobs import redis_server, tasks  # noqa: F401  tasks: ready before the fork

# So that RQ alone does a killed worker's job again within 70 seconds (its own floor is 65).
_WORKER_SECONDS, _MONITORING_SECONDS, _MAINTENANCE_SECONDS = 30, 5, 15
_PAUSE_SECONDS = 2

_log = structlog.get_logger()


class _Worker(Worker):
    """RQ's worker, which says why it ended and comes back soon when Redis does."""

    max_connection_wait_time = 4.0
    log_result_lifespan = False
    is_asked_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_asked_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        _log.info("worker_ready")

    def execute_job(self, job: Job, queue: Queue) -> None:
        # The execution of a killed worker is listed still when its own record has expired; RQ would stumble over it.
        self.connection.delete(job.execution_registry.key)
        super().execute_job(job, queue)


def run() -> None:
    """Work until asked to stop by SIGINT or SIGTERM; a job at hand is ended first, a second signal ends it at once.

    Raises RedisGone where there is no Redis at the start. When it goes later, the worker waits for it.
    """
    redis_url = redis_server.url()
    db.check_schema()
    db.dispose()  # no connection is carried into a fork
    with contextlib.suppress(StopRequested):  # raised here when the signal comes between two workers
        while not _work(redis_url):
            time.sleep(_PAUSE_SECONDS)
            _start_redis_again()
    _log.info("worker_ended")


def _work(redis_url: str) -> bool:
    """Work until something ends it; return whether that was a signal."""
    redis = Redis.from_url(redis_url)
    listened = [queues.queue(name, redis) for name in (queues.MESSAGES, queues.WORK)]
    try:
        worker = _Worker(
            listened,
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=_WORKER_SECONDS,
            job_monitoring_interval=_MONITORING_SECONDS,
            maintenance_interval=_MAINTENANCE_SECONDS,
            log_job_description=False,
        )
        worker.work(logging_level="WARNING")
    except RedisError as error:
        _log.error("redis_gone", error=type(error).__name__)
        return False
    return worker.is_asked_to_stop


def _start_redis_again() -> None:
    try:
        redis_server.url()
    except RecoupError as error:
        _log.error("redis_gone", error=str(error))
