"""The Slack stand-in as one server: in a thread for tests, as a process of its own for the demo.

`python -m sandbox.slack_server --port N --app URL --token T --secret S` prints `READY URL` when it listens.
"""

import argparse
from pathlib import Path

from sandbox.serving import LocalServer, say_ready
from sandbox.slack import memory
from sandbox.slack.delivery import AppAddress
from sandbox.slack.faults import Faults
from sandbox.slack.presses import Presses
from sandbox.slack.web import create_app
from sandbox.slack.workspace import BOT_USER, Channel, Person, Workspace

BOT_TOKEN = "xoxb-stand-in"  # noqa: S105 - opens nothing but the stand-in
SIGNING_SECRET = "stand-in-signing-secret"  # noqa: S105 - the same
REVIEW_CHANNEL = "C0REVIEW1"
HARBOR_CHANNEL = "C0HARBOR1"  # of the demo's first client
ANN, BEN, OLA, VIC = "U0ANN0001", "U0BEN0001", "U0OLA0001", "U0VIC0001"


def make_workspace(*, trigger_seconds: float = 3) -> Workspace:
    """Return a workspace of four people, the bot, a review channel, a client's, and one that the bot is not in."""
    workspace = Workspace(trigger_seconds=trigger_seconds)
    for user, name in ((ANN, "Ann Moreau"), (BEN, "Ben Adeyemi"), (OLA, "Ola Lindqvist"), (VIC, "Vic Visitor")):
        workspace.add_person(Person(user, name, f"{name.split()[0].lower()}@agency.example"))
    workspace.add_person(Person(BOT_USER, "Recoup", "recoup@agency.example", is_bot=True))
    everyone = {ANN, BEN, OLA, VIC}
    workspace.add_channel(Channel(REVIEW_CHANNEL, "recoup-review", everyone | {BOT_USER}))
    workspace.add_channel(Channel(HARBOR_CHANNEL, "harbor-home-goods", everyone | {BOT_USER}))
    workspace.add_channel(Channel("C0GENERAL", "general", set(everyone)))
    return workspace


class SlackServer(LocalServer):
    """The stand-in, listening on this machine only. Usable as a context manager.

    app_url: where the app takes events; it may be set later through `point_at`. port: the first to try, 0 for any.
    """

    def __init__(
        self,
        *,
        app_url: str = "http://127.0.0.1:5000/slack/events",
        port: int = 0,
        bot_token: str = BOT_TOKEN,
        signing_secret: str = SIGNING_SECRET,
        workspace: Workspace | None = None,
    ) -> None:
        self.workspace = workspace or make_workspace()
        self.faults = Faults()
        self.bot_token, self.signing_secret = bot_token, signing_secret
        self.presses = Presses(self.workspace, AppAddress(app_url, signing_secret), "")
        app = create_app(self.workspace, self.presses, self.faults, bot_token=bot_token)
        super().__init__(app, port=port)
        self.presses.public_url = self.url

    @property
    def api_url(self) -> str:
        """What SLACK_API_URL must be."""
        return f"{self.url}/api/"

    def point_at(self, app_url: str) -> None:
        """Send presses to another address from now on."""
        self.presses.app = AppAddress(app_url, self.signing_secret)

    def serve(self, *, state: Path | None = None) -> None:
        """Serve until the process is asked to end; the messages are read from and kept in `state`."""
        if state is None:
            self.serve_forever()
            return
        memory.load(self.workspace, state)
        try:
            self.serve_forever()
        finally:
            memory.save(self.workspace, state)


def main(arguments: list[str] | None = None) -> None:
    """Run the stand-in in the foreground."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--app", default="http://127.0.0.1:5000/slack/events")
    parser.add_argument("--token", default=BOT_TOKEN)
    parser.add_argument("--secret", default=SIGNING_SECRET)
    parser.add_argument("--state", type=Path, help="keep the messages in this file")
    given = parser.parse_args(arguments)
    server = SlackServer(app_url=given.app, port=given.port, bot_token=given.token, signing_secret=given.secret)
    say_ready(server.url)
    server.serve(state=given.state)


if __name__ == "__main__":
    main()
