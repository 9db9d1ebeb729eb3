"""A desk in Slack: the stand-in, our web app behind it over HTTP, a database, and hands to press with."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

import bot
import outbox
from bot.delivery import deliver_due
from bot.pacing import Pacer
from db import reading, transaction
from models import Discrepancy, OutboxMessage
from outbox import Delivered
from sandbox.serving import LocalServer
from sandbox.slack.faults import Fault
from sandbox.slack.presses import Pressed
from sandbox.slack.workspace import BOT_USER, Channel, Person, Workspace
from sandbox.slack_server import BOT_TOKEN, SlackServer
from tests.factories import NOW, Cast, make_cast, make_discrepancy

CHANNEL = "C0REVIEW"
SECRET = "test-signing-secret"
PEOPLE = ("Ann", "Bea", "Adam", "Bill", "Carl", "Vic")


@dataclass
class Desk:
    """What a test does and sees. People are named; their Slack ids are U0 and the name in capitals."""

    slack: SlackServer
    app: Flask
    cast: Cast
    slept: list[float] = field(default_factory=list)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.slack.workspace.channels[CHANNEL].messages

    def put(self, *, caveats: tuple[str, ...] = (), **more: Any) -> int:
        """Write an open discrepancy and queue its card."""
        with transaction() as session:
            values = {"announced_at": NOW, **more}
            row = make_discrepancy(session, self.cast.account_id, caveats=caveats, **values)
            outbox.enqueue(
                session,
                outbox.CARD,
                f"card:{row.id}",
                now=NOW,
                account_id=row.account_id,
                discrepancy_id=row.id,
            )
            return row.id

    def post(self, **more: Any) -> int:
        """Write an open discrepancy and post its card."""
        made = self.put(**more)
        assert not self.deliver().left
        return made

    def deliver(self, **more: Any) -> Delivered:
        return deliver_due(pacer=Pacer(0, sleep=self.slept.append), **more)

    def fail(self, method: str, kind: Any, times: int = 1, seconds: float = 1) -> None:
        self.slack.faults.add(Fault(method, kind, times, seconds))

    def press(self, who: str, action_id: str, message: dict[str, Any] | None = None) -> Any:
        message = message or self.messages[-1]
        block = next(b for b in message["blocks"] if b["type"] == "actions")
        return self.slack.presses.on_message(
            slack_id(who), CHANNEL, message["ts"], Pressed(block["block_id"], action_id)
        )

    def fill(self, who: str, **fields: str) -> tuple[Any, dict[str, str]]:
        """Send the open form, with a text for each input and the value of a choice."""
        view = self.form(who)
        values = {
            b["block_id"]: {b["element"]["action_id"]: _state(b["element"], fields.get(b["block_id"]))}
            for b in view["blocks"]
            if b["type"] == "input"
        }
        return self.slack.presses.submit(slack_id(who), view["id"], values)

    def form(self, who: str) -> dict[str, Any]:
        eventually(lambda: self.slack.workspace.views.get(slack_id(who)))
        return self.slack.workspace.views[slack_id(who)][-1]

    def has_form(self, who: str) -> bool:
        return bool(self.slack.workspace.views.get(slack_id(who)))

    def type(self, who: str, text: str) -> Any:
        return self.slack.presses.command(slack_id(who), CHANNEL, "/claims", text)

    def told(self, who: str, count: int = 1) -> str:
        """Wait for the `count`th thing that only this person was told, and return it."""
        mine = eventually(lambda: [e for e in self.slack.workspace.ephemerals if e.user == slack_id(who)][count - 1 :])
        return mine[0].text

    def row(self, discrepancy_id: int) -> Discrepancy:
        with reading() as session:
            return session.get_one(Discrepancy, discrepancy_id)

    def outbox_row(self, key: str) -> OutboxMessage:
        with reading() as session:
            return session.query(OutboxMessage).filter_by(key=key).one()


def slack_id(who: str) -> str:
    return f"U0{who.upper()}"


def eventually(look: Callable[[], Any], seconds: float = 10) -> Any:
    """Return what `look` sees once it sees something: handlers go on after Slack has its answer."""
    until = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)
    return seen


def shown(message: dict[str, Any]) -> str:
    """Return all that a message's blocks say, one text a line."""
    return "\n".join(_texts(message["blocks"]))


def action_ids(message: dict[str, Any]) -> list[str]:
    return [e["action_id"] for b in message["blocks"] if b["type"] == "actions" for e in b["elements"]]


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    workspace = Workspace(trigger_seconds=30)
    for name in PEOPLE:
        workspace.add_person(Person(slack_id(name), name, f"{name}@Agency.example"))
    workspace.add_person(Person(BOT_USER, "Recoup", "recoup@agency.example", is_bot=True))
    everyone = {slack_id(name) for name in PEOPLE}
    workspace.add_channel(Channel(CHANNEL, "review", everyone | {BOT_USER}))
    workspace.add_channel(Channel("C0FOREIGN", "foreign", everyone))
    with SlackServer(workspace=workspace, signing_secret=SECRET) as server:
        yield server


@pytest.fixture
def slack_settings(
    slack: SlackServer, settings_of_the_test: Callable[..., None], set_clock: Callable[[datetime], None]
) -> None:
    """Our own settings, so that the program talks to the stand-in; it is 23 Nov 2026, 09:14 UTC."""
    settings_of_the_test(
        SLACK_BOT_TOKEN=BOT_TOKEN,
        SLACK_SIGNING_SECRET=SECRET,
        SLACK_API_URL=slack.api_url,
        SLACK_REVIEW_CHANNEL=CHANNEL,
    )
    set_clock(NOW)


@pytest.fixture
def desk(slack: SlackServer, sqlite_database: str, slack_settings: None) -> Iterator[Desk]:
    """A desk on SQLite."""
    yield from _desk(slack)


@pytest.fixture
def desk_on_both(slack: SlackServer, database: str, slack_settings: None) -> Iterator[Desk]:
    """A desk on each kind of database."""
    yield from _desk(slack)


def _desk(slack: SlackServer) -> Iterator[Desk]:
    app = Flask("desk")
    bot.register(app)
    with LocalServer(app) as server:
        slack.point_at(f"{server.url}/slack/events")
        yield Desk(slack, app, make_cast())
    app.extensions["slack"].listener_runner.listener_executor.shutdown(wait=True)  # handlers outlive their answers


def _state(element: dict[str, Any], given: str | None) -> dict[str, Any]:
    if element["type"] == "datepicker":
        return {"type": element["type"], "selected_date": given}
    if element["type"] != "static_select":
        return {"type": element["type"], "value": given}
    given = given or element.get("initial_option", {}).get("value")
    chosen = next((option for option in element["options"] if option["value"] == given), None)
    return {"type": element["type"], "selected_option": chosen}


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _texts(each)
    elif isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield part["text"]
        for name, each in part.items():
            if name != "text" or not isinstance(each, str):
                yield from _texts(each)
