"""The doorbell: jobs put into Redis for what is due in the database. To ring twice does no harm."""

from datetime import date
from functools import cache

from redis import Redis
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

MESSAGES, WORK = "messages", "work"  # a worker empties the first before it takes from the second

_JOB_SECONDS = 3600
_FAILED_SECONDS = 60  # while a job's id is known in Redis it cannot be rung again; what went wrong is in the run's row
_ANSWER_SECONDS = 5
_DELIVERIES = ("deliver-1", "deliver-2")


@cache
def connection(redis_url: str) -> Redis:
    """Return a client of this Redis, one a process. Its calls raise RedisError when it is gone."""
    return Redis.from_url(redis_url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)


def queue(name: str, redis: Redis) -> Queue:
    """Return a queue whose jobs carry JSON, never pickles."""
    return Queue(name, connection=redis, serializer=JSONSerializer, default_timeout=_JOB_SECONDS)


def ring_run(redis: Redis, run_id: int, attempts: int) -> bool:
    """Ask a worker to do this run, unless it was asked and has not begun; `attempts` are those begun so far."""
    return _enqueue(queue(WORK, redis), "jobs.tasks.do_run", run_id, job_id=f"run-{run_id}-{attempts}")


def ring_delivery(redis: Redis) -> bool:
    """Ask a worker to deliver what is in the outbox.

    The second id is for a message written while the first job is at work and may have looked already.
    """
    messages = queue(MESSAGES, redis)
    return any(_enqueue(messages, "jobs.tasks.deliver", job_id=job_id) for job_id in _DELIVERIES)


def ring_sweep(redis: Redis, day: date) -> bool:
    """Ask a worker to remove what nothing in the archive names any more. Were it lost, the next day's does it."""
    return _enqueue(queue(WORK, redis), "jobs.tasks.sweep", job_id=f"sweep-{day.isoformat()}")


def _enqueue(target: Queue, function: str, *arguments: int, job_id: str) -> bool:
    try:
        target.enqueue(
            function,
            args=arguments,
            job_id=job_id,
            unique=True,
            retry=Retry(max=3),  # without it, a killed worker's job is given up
            result_ttl=0,  # a finished job's id is free at once
            failure_ttl=_FAILED_SECONDS,
        )
    except DuplicateJobError:
        return False
    return True
