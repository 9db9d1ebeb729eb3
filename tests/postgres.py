"""A PostgreSQL of the test run's own: a fresh cluster on a unix socket, gone when the run ends."""

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=", "max_connections=60")
_PR_SET_PDEATHSIG = 1


@dataclass
class Cluster:
    """A running server. `url` is of its maintenance database; `copy` makes a database from a template."""

    socket: Path
    names: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def create(self, template: str = "template1") -> str:
        name = f"test_{next(self.names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def cluster(programs: Path) -> Iterator[Cluster]:
    """Start a server as somebody who is not root, which PostgreSQL refuses to be."""
    home = Path(tempfile.mkdtemp(prefix="recoup-pg-", dir="/tmp"))  # a socket's path may have 100 letters
    try:
        owner = _owner(home)
        data = home / "data"
        made = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=home, **owner)
        options = [part for option in _FAST for part in ("-c", option)]
        command = [programs / "postgres", "-D", data, "-k", home, *options]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=home,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - nothing runs beside it yet
                **owner,
            )
        try:
            found = Cluster(home)
            _wait_for(found, server, home / "log")
            yield found
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _owner(home: Path) -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    who = pwd.getpwnam("postgres")
    os.chown(home, who.pw_uid, who.pw_gid)
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def _end_with_parent() -> None:
    if sys.platform == "linux":  # a killed test run leaves no server behind
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_for(found: Cluster, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-500:]}")
        try:
            return found.execute("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not answer within 15 seconds")
