"""How often somebody may try something, counted in windows that move along."""

import time
from collections.abc import Sequence

import structlog
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

log = structlog.get_logger()

_ANSWERS_WITHIN_SECONDS = 1
_ASK_AGAIN_SECONDS = 15


class Tries:
    """Counts in Redis, for all web processes together; here alone without one, and while it does not answer."""

    def __init__(self, redis_url: str | None, prefix: str) -> None:
        """Count in the Redis at `redis_url`, under keys that begin with `prefix`. Nothing is connected yet."""
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_redis(redis_url, prefix)) if redis_url else None
        self._ask_again_at = 0.0

    def count(self, limits: Sequence[RateLimitItem], who: str) -> None:
        """Count one try of `who`. Raises TooManyRequests, with the seconds to wait, where there were too many."""
        for limit in limits:
            if not self._is_within(limit, who):
                raise TooManyRequests(retry_after=limit.get_expiry())

    def _is_within(self, limit: RateLimitItem, who: str) -> bool:
        if self._shared and time.monotonic() >= self._ask_again_at:
            try:
                return self._shared.hit(limit, who)
            except StorageError:
                log.warning("tries_counted_here_alone", exc_info=True)
                self._ask_again_at = time.monotonic() + _ASK_AGAIN_SECONDS
        return self._here.hit(limit, who)


def _redis(url: str, prefix: str) -> RedisStorage:
    return RedisStorage(
        "redis+" + url if url.startswith("unix://") else url,
        key_prefix=prefix,
        wrap_exceptions=True,
        socket_timeout=_ANSWERS_WITHIN_SECONDS,
        socket_connect_timeout=_ANSWERS_WITHIN_SECONDS,
    )
