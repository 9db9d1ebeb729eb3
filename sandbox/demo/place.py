"""The demo's folder: what is in it, who may use it, and who signs in there."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.demo.children import DemoFailed
from sandbox.slack_server import ANN, BEN, HARBOR_CHANNEL, OLA

_LOCK = "running"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A person who signs in: of the agency, who is in the Slack stand-in too, or with `client` of that seller."""

    name: str
    role: str
    slack_id: str
    password: str
    client: str = ""
    domain: str = "agency.example"

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.name.split()[0].lower()}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Seller:
    """A client with one account. `scale` is how large its world is; `channel` its own Slack channel, if it has one."""

    name: str
    rate: str
    scale: float
    seed: int
    folder: str
    address: str
    channel: str = ""

    @property
    def domain(self) -> str:
        """Where its people have their addresses."""
        return f"{self.folder}.example"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that holds everything the demo writes."""

    folder: Path

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.folder / "log"

    @property
    def clock(self) -> Path:
        """The offset of the demo's clock, in seconds."""
        return self.folder / "clock"

    @property
    def slack_state(self) -> Path:
        """The messages of the Slack stand-in."""
        return self.folder / "slack.json"

    @property
    def mails(self) -> Path:
        """The mails of the mailbox."""
        return self.folder / "mails.json"

    @property
    def amazon(self) -> Path:
        """What the stand-in for Amazon remembers."""
        return self.folder / "amazon.json"

    @property
    def is_set_up(self) -> bool:
        """Whether a world was made and imported here."""
        return self._known.exists()

    @property
    def _known(self) -> Path:
        return self.folder / "demo.json"

    def begin_anew(self) -> None:
        """Take away what an earlier demo left."""
        for path in self.folder.iterdir():
            if path.name == _LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.logs.mkdir()
        self.clock.write_text("0\n", encoding="utf-8")

    def remember(self, users: Sequence[DemoUser], accounts: Mapping[str, Seller]) -> None:
        """Note that all is set up: who signs in with which password, and whose account is which. For the owner only."""
        known = {
            "users": [asdict(user) for user in users],
            "accounts": {account_id: asdict(seller) for account_id, seller in accounts.items()},
        }
        handle = os.open(self._known, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(known, file, indent=1)

    def remembered(self) -> tuple[list[DemoUser], dict[str, Seller]]:
        """Return the users and the accounts of the demo that is set up here."""
        known = json.loads(self._known.read_text(encoding="utf-8"))
        accounts = {account_id: Seller(**row) for account_id, row in known["accounts"].items()}
        return [DemoUser(**row) for row in known["users"]], accounts

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Use the folder. Raises DemoFailed while another demo does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise DemoFailed(f"A demo is running in {self.folder} already.", todo="End that one first.") from error
            yield


def new_users(clients: Sequence[Seller]) -> list[DemoUser]:
    """Return the agency's people with passwords of today, and somebody of the first client."""
    client = clients[0]
    return [
        DemoUser("Ola Lindqvist", "admin", OLA, _password()),
        DemoUser("Ann Moreau", "case_manager", ANN, _password()),
        DemoUser("Ben Adeyemi", "case_manager", BEN, _password()),
        DemoUser("Hana Kimura", "client", "", _password(), client.name, client.domain),
    ]


def sellers(seed: int) -> list[Seller]:
    """Return the clients of the demo: a large one, whose cards do not all fit, and a small one."""
    return [
        Seller(
            "Harbor Home Goods",
            "0.20",
            1,
            seed,
            "harbor",
            "Harbor Home Goods LLC\n12 Pier Road\nPortland, OR 97209",
            HARBOR_CHANNEL,
        ),
        Seller("Pine & Paper", "0.15", 0.1, seed + 1, "pine", "Pine & Paper Co.\n4 Mill Street\nAsheville, NC 28801"),
    ]


def _password() -> str:
    return f"demo-{secrets.token_hex(6)}"
