"""Whether the process is up, and whether it can serve."""

import structlog
from flask import Blueprint, Response

from config import settings
from db import DatabaseUnavailable, SchemaMismatch, check_schema

log = structlog.get_logger()
blueprint = Blueprint("health", __name__)
_REDIS_SECONDS = 1.0


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer at all: the process is up."""
    return _lines(["process: ok"])


@blueprint.get("/readyz")
def readyz() -> Response:
    """Answer 200 when all that a page needs is there, else 503; a line for each part."""
    parts = {"database": _database(), "redis": _redis()}
    lines = [f"{part}: {problem or 'ok'}" for part, problem in parts.items()]
    return _lines(lines, status=503 if any(parts.values()) else 200)


def _database() -> str:
    """Return what is wrong with the database, without its address; empty when nothing is."""
    try:
        check_schema()
    except SchemaMismatch as error:
        log.error("schema_mismatch", why=error.message)
        return "has other tables than this program needs. Run `flask db upgrade`."
    except DatabaseUnavailable as error:
        log.error("database_unavailable", why=error.message)
        return "cannot be used. The log says why; look at DATABASE_URL and at the server."
    return ""


def _redis() -> str:
    """Return what is wrong with Redis; empty when nothing is, or when the embedded one is used."""
    url = settings().redis_url
    if url is None:
        return ""
    from redis import Redis, RedisError

    try:
        with Redis.from_url(url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS) as connection:
            connection.ping()
    except (RedisError, ValueError) as error:
        log.error("redis_unreachable", kind=type(error).__name__)
        return "cannot be reached. Look at REDIS_URL and at the server."
    return ""


def _lines(lines: list[str], *, status: int = 200) -> Response:
    return Response("\n".join(lines) + "\n", status=status, mimetype="text/plain")
