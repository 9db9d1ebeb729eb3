"""Where the archive's files lie: written once, whole, under the hash of their content, and never changed."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from config import HOME

_INCOMING = ".incoming"


class Folder:
    """An archive in a folder. Keys are paths below it, with `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def at(cls, url: str) -> "Folder":
        """Return the archive that `ARCHIVE_URL` names; a relative path starts at the program's folder."""
        return cls(HOME / url)

    def path(self, key: str) -> Path:
        """Return where the file of a key lies."""
        return self.root / key

    def incoming(self) -> Path:
        """Return a fresh path for a file or folder that is being written; `keep` moves it to its key."""
        folder = self.root / _INCOMING
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / uuid.uuid4().hex

    def keep(self, written: Path, key: str) -> None:
        """Move a written file to its key, so that after a crash it is there whole or not at all."""
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync(written)
        # The same content may lie there already; replacing it by itself also makes it young for the sweep.
        written.replace(target)
        _sync(target.parent)

    def unused_since(self, moment: datetime) -> Iterator[str]:
        """Yield the keys of files written before `moment` (aware, by the machine's own clock)."""
        for parent, _, names in os.walk(self.root):
            for name in names:
                path = Path(parent, name)
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment:
                    yield path.relative_to(self.root).as_posix()

    def remove(self, key: str) -> None:
        """Remove the file of a key; one that is gone already is fine."""
        self.path(key).unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
