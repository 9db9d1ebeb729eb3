"""Setting the stage: the seller's world, the database, the people, the processes, and the first import."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPException
from pathlib import Path

from config import Settings
from sandbox import world
from sandbox.demo.browser import Browser
from sandbox.demo.children import Child, Children, DemoFailed
from sandbox.demo.place import Place, Seller, Staff
from sandbox.ports import free_port
from sandbox.slack_server import BOT_TOKEN, REVIEW_CHANNEL, SIGNING_SECRET

_READY_SECONDS = 60
_PORTS_TRIED = 20
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")


@dataclass(slots=True)
class Stage:
    """The demo as it runs: its processes, and where a person finds what."""

    place: Place
    children: Children
    backoffice: str = ""
    slack: str = ""


def environment(place: Place, given: Mapping[str, str], *, keeps_redis: bool) -> dict[str, str]:
    """Return what every process of the demo sees: this machine's environment with our settings in place of its own."""
    ours = {str(field.validation_alias) for field in Settings.model_fields.values()}
    dropped = {name for name in ours if not (keeps_redis and name == "REDIS_URL")}
    kept = {name: value for name, value in given.items() if name not in dropped and name.lower() not in _PROXIES}
    folder = place.folder.resolve()
    return kept | {
        "DATABASE_URL": f"sqlite:///{folder}/recoup.db",
        "ARCHIVE_URL": str(folder / "archive"),
        "RECOUP_CLOCK_FILE": str(folder / "clock"),
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_REVIEW_CHANNEL": REVIEW_CHANNEL,
        "FLASK_SKIP_DOTENV": "1",
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
    }


def start_slack(stage: Stage, *, port: int) -> Child:
    """Start the Slack stand-in on the first free port from `port` on; `wait_for_slack` says which that is."""
    command = [sys.executable, "-m", "sandbox.slack_server", "--port", str(port), "--app", "http://127.0.0.1:9/"]
    return stage.children.start("slack", [*command, "--state", str(stage.place.slack_state.resolve())])


def wait_for_slack(stage: Stage, child: Child) -> None:
    """Wait until the Slack stand-in says where it listens, and answers there."""

    def said() -> list[str]:
        return child.log.read_text(encoding="utf-8").split()

    if not wait_for(stage.children, lambda: said()[:1] == ["READY"] and len(said()) > 1, seconds=_READY_SECONDS):
        raise DemoFailed(f"The stand-in for Slack did not start: {child.last_line()}", todo=f"See {child.log}.")
    stage.slack = said()[1]
    stage.children.environment["SLACK_API_URL"] = f"{stage.slack}/api/"
    _wait_for_page(stage.children, child, Browser(stage.slack), "/_healthz")


def start_web(stage: Stage, *, port: int) -> Child:
    """Start the web process on the first free port from `port` on; `wait_for_web` says when it answers."""
    chosen = free_port(port)
    stage.backoffice = f"http://127.0.0.1:{chosen}"
    stage.children.environment["PUBLIC_URL"] = stage.backoffice
    Browser(stage.slack).post_json("/_app", {"url": f"{stage.backoffice}/slack/events"})
    return stage.children.start("web", [*_FLASK, "web", "--port", str(chosen)])


def wait_for_web(stage: Stage, child: Child, *, port: int) -> None:
    """Wait until the web process answers; where somebody was faster at its port, take another."""
    for _ in range(_PORTS_TRIED):
        try:
            _wait_for_page(stage.children, child, Browser(stage.backoffice), "/readyz")
        except DemoFailed:
            if child.process.poll() is None or "is in use" not in child.last_line():
                raise
            stage.children.forget(child)
            child = start_web(stage, port=port + 1)
        else:
            return
    raise DemoFailed("No free port was found.", todo="Give another --port.")


def start_workers(stage: Stage) -> None:
    """Start the worker and cron."""
    for name in ("worker", "cron"):
        stage.children.start(name, [*_FLASK, name])


def begin_setting_up(stage: Stage, staff: Sequence[Staff], sellers: Sequence[Seller]) -> Child:
    """Start to make the tables and to add the people, the clients and their accounts. See `account_ids`."""
    commands = [_command("db", "upgrade"), *map(_user, staff)]
    for seller in sellers:
        commands += [_client(seller, case_manager=staff[1].email), _account(seller)]
    command = [sys.executable, "-m", "sandbox.demo.commands"]
    return stage.children.begin("setting-up", command, given=json.dumps(commands))


def account_ids(stage: Stage, setting_up: Child, sellers: Sequence[Seller]) -> dict[str, Seller]:
    """Wait until all is set up. Returns the sellers by the id of their account."""
    written: list[str] = json.loads(stage.children.finish(setting_up))
    ids = [text.strip() for text in written if text.strip().isdigit()]
    return dict(zip(ids, sellers, strict=True))


def make_tables(stage: Stage) -> None:
    """Make the database's tables, or bring them up to date."""
    ask_flask(stage, "db", "db", "upgrade")


def write_worlds(place: Place, sellers: Iterable[Seller], *, until: date) -> None:
    """Simulate each seller's trade up to `until`.

    One event a page: evidence is a line of the delivered file, and so shows that event and no others.
    """
    for seller in sellers:
        world.write(world_folder(place, seller), seed=seller.seed, until=until, scale=seller.scale, page_size=1)


def world_folder(place: Place, seller: Seller) -> Path:
    """Return where a seller's world is."""
    return place.folder / "world" / seller.folder


def begin_import(stage: Stage, seller: Seller, account_id: str) -> Child:
    """Start to import a seller's reports."""
    reports = str(world_folder(stage.place, seller) / "reports")
    command = [*_FLASK, "import", "--account", account_id, reports]
    return stage.children.begin(f"import-{seller.folder}", command)


def ask_flask(stage: Stage, name: str, *words: str) -> str:
    """Run a `flask` command and return what it wrote."""
    return stage.children.run(name, [*_FLASK, *words])


def last_whole_day(today: date) -> date:
    """Return the day up to which reports can be complete."""
    return today - timedelta(days=1)


def wait_for(children: Children, condition: Callable[[], bool], *, seconds: float, pause: float = 0.1) -> bool:
    """Wait until something holds; return whether it does. Raises DemoFailed where a process ends meanwhile."""
    until = time.monotonic() + seconds
    while not condition():
        children.check()
        if time.monotonic() > until:
            return False
        time.sleep(pause)
    return True


def _wait_for_page(children: Children, child: Child, browser: Browser, path: str) -> None:
    def answers() -> bool:
        try:
            return browser.get(path).status == 200  # noqa: PLR2004 - HTTP's own number
        except (OSError, HTTPException):
            return False

    if not wait_for(children, answers, seconds=_READY_SECONDS):
        raise DemoFailed(f"{child.name} did not answer: {child.last_line()}", todo=f"See {child.log}.")


def _command(*words: str, given: str = "") -> dict[str, object]:
    return {"words": words, "given": given}


def _user(person: Staff) -> dict[str, object]:
    options = ("--role", person.role, "--name", person.name, "--slack-id", person.slack_id, "--password-stdin")
    return _command("users", "add", person.email, *options, given=person.password + "\n")


def _client(seller: Seller, *, case_manager: str) -> dict[str, object]:
    options = ("--email", f"accounts@{seller.folder}.example", "--commission-rate", seller.rate)
    return _command("clients", "add", seller.name, *options, "--case-manager", case_manager)


def _account(seller: Seller) -> dict[str, object]:
    return _command("accounts", "add", "Amazon.com", "--client", seller.name, "--marketplace", "US")
