"""Setting the stage: the seller's world, the database, the people, the processes, and the first import."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPException
from pathlib import Path

from config import Settings
from sandbox import world
from sandbox.amazon.downloads import Shop
from sandbox.demo.browser import Browser
from sandbox.demo.children import Child, Children, DemoFailed
from sandbox.demo.doors import Doors
from sandbox.demo.office import Office
from sandbox.demo.place import DemoUser, Place, Seller
from sandbox.ports import free_port
from sandbox.slack_server import BOT_TOKEN, REVIEW_CHANNEL, SIGNING_SECRET

_READY_SECONDS = 60
# As it stands on invoices.
AGENCY = {
    "name": "Lindqvist & Partners",
    "time_zone": "America/Los_Angeles",
    "address": "Lindqvist & Partners LLC\n200 Market Street\nSan Francisco, CA 94105",
    "tax_number": "EIN 00-0000000",
    "invoice_prefix": "LP-",
    "review_channel": "",
    "digest_channel": "",
}
# How often the demo's cron looks: nobody who has pressed *Next day* wants to wait a quarter of a minute.
CRON_SECONDS = 1
_PORTS_TRIED = 20
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")


@dataclass(slots=True)
class Stage:
    """The demo as it runs: its processes, and where a person finds what."""

    place: Place
    children: Children
    doors: Doors
    backoffice: str = ""
    slack: str = ""
    days: str = ""
    mailbox: str = ""


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
    [stage.slack] = _addresses_said(stage.children, child)
    stage.children.environment["SLACK_API_URL"] = f"{stage.slack}/api/"
    _wait_for_page(stage.children, child, Browser(stage.slack), "/_healthz")


def start_days(stage: Stage, *, port: int) -> Child:
    """Start the calendar on the first free port from `port` on; all must be set up. See `wait_for_days`."""
    command = [sys.executable, "-m", "sandbox.days_server", "--port", str(port)]
    return stage.children.start("days", [*command, "--folder", str(stage.place.folder.resolve())])


def wait_for_days(stage: Stage, child: Child) -> None:
    """Wait until the calendar answers, and have every page lead to the others."""
    [stage.days] = _addresses_said(stage.children, child)
    pages = {
        "Calendar and Seller Support": stage.days,
        "Slack": stage.slack,
        "Back office": stage.backoffice,
        "The client's portal": portal(stage),
        "Mailbox": stage.mailbox,
    }
    for own in (stage.days, stage.slack, stage.mailbox):
        others = {name: url for name, url in pages.items() if url != own}
        Browser(own).post_json("/_links", others)


def portal(stage: Stage) -> str:
    """Return where a client's people go."""
    return f"{stage.backoffice}/portal/"


def start_mailbox(stage: Stage, *, port: int) -> Child:
    """Start the mailbox on the first free ports from `port` on. See `wait_for_mailbox`."""
    command = [sys.executable, "-m", "sandbox.mailbox", "--port", str(port), "--smtp-port", str(port + 1)]
    return stage.children.start("mailbox", [*command, "--state", str(stage.place.mails.resolve())])


def wait_for_mailbox(stage: Stage, child: Child) -> None:
    """Wait until the mailbox says where it listens; what is started from then on sends its mail there."""
    stage.mailbox, smtp_url = _addresses_said(stage.children, child)
    stage.children.environment |= {"SMTP_URL": smtp_url, "MAIL_FROM": f"{AGENCY['name']} <claims@agency.example>"}


def _addresses_said(children: Children, child: Child) -> list[str]:
    """Wait until a stand-in says READY and where it listens; return that."""

    def said() -> list[str]:
        return child.log.read_text(encoding="utf-8").split()

    if not wait_for(children, lambda: said()[:1] == ["READY"] and len(said()) > 1, seconds=_READY_SECONDS):
        raise DemoFailed(f"{child.name} did not start: {child.last_line()}", todo=f"See {child.log}.")
    return said()[1:]


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
    stage.children.start("worker", [*_FLASK, "worker"])
    stage.children.start("cron", [*_FLASK, "cron", "--every", str(CRON_SECONDS)])


def begin_setting_up(stage: Stage, users: Sequence[DemoUser], sellers: Sequence[Seller]) -> None:
    """Start to make the tables and to add the people, the clients and their accounts. See `account_ids`."""
    stage.doors.begin("db", "upgrade")
    staff = [user for user in users if not user.client]
    for user in staff:
        _begin_user(stage.doors, user)
    for seller in sellers:
        _begin_client(stage.doors, seller, case_manager=staff[1].email)
    for user in users:
        if user.client:
            _begin_user(stage.doors, user)


def account_ids(stage: Stage, sellers: Sequence[Seller]) -> dict[str, Seller]:
    """Wait until all is set up. Returns the sellers by the id of their account."""
    ids = [written.strip() for written in stage.doors.finish_all()]
    return dict(zip(filter(str.isdigit, ids), sellers, strict=True))


def make_tables(stage: Stage) -> None:
    """Make the database's tables, or bring them up to date."""
    stage.doors.ask("db", "upgrade")


def write_worlds(place: Place, sellers: Iterable[Seller], *, until: date) -> None:
    """Simulate each seller's trade up to `until`.

    One event a page: evidence is a line of the delivered file, and so shows that event and no others.
    """
    for seller in sellers:
        world.write(world_folder(place, seller), seed=seller.seed, until=until, scale=seller.scale, page_size=1)


def world_folder(place: Place, seller: Seller) -> Path:
    """Return where a seller's world is."""
    return place.folder / "world" / seller.folder


def describe_agency(stage: Stage, admin: DemoUser) -> None:
    """Say what the agency is called and where it is, on its settings page."""
    office = Office(stage.backoffice, admin)
    office.sign_in()
    office.send("/admin/settings/", AGENCY)


def shops(place: Place, accounts: Mapping[str, Seller]) -> list[Shop]:
    """Return the sellers as the stand-in for Amazon knows them."""
    return [
        Shop(world_folder(place, seller), int(account_id), seller.seed, seller.scale)
        for account_id, seller in accounts.items()
    ]


def begin_import(stage: Stage, seller: Seller, account_id: str) -> Child:
    """Start to import a seller's reports."""
    reports = str(world_folder(stage.place, seller) / "reports")
    command = [*_FLASK, "import", "--account", account_id, reports]
    return stage.children.begin(f"import-{seller.folder}", command)


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


def _begin_user(doors: Doors, user: DemoUser) -> None:
    of = ("--client", user.client) if user.client else ("--slack-id", user.slack_id)
    options = ("--role", user.role, "--name", user.name, *of, "--password-stdin")
    doors.begin("users", "add", user.email, *options, given=user.password + "\n")


def _begin_client(doors: Doors, seller: Seller, *, case_manager: str) -> None:
    at = ("--email", f"accounts@{seller.domain}", "--billing-email", f"billing@{seller.domain}")
    terms = ("--commission-rate", seller.rate, "--address", seller.address, "--case-manager", case_manager)
    channel = ("--client-channel", seller.channel) if seller.channel else ()
    doors.begin("clients", "add", seller.name, *at, *terms, *channel)
    doors.begin("accounts", "add", "Amazon.com", "--client", seller.name, "--marketplace", "US")
