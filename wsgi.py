"""The Flask application; `flask` and the web server find it here by its name."""

import os
import sys

from flask import Flask

import cli

# Commands that serve or inspect pages. All others start without the web part, which takes a second to import.
_NEED_WEB = {"run", "routes", "shell"}


def create_app(*, with_web: bool = True) -> Flask:
    """Return the application: the commands, and with `with_web` the back office and Slack."""
    app = Flask(__name__, static_folder=None)
    cli.register(app)
    if with_web:
        import admin
        import bot
        import logs
        from cli import wiring

        logs.configure()
        wiring.connect()
        admin.register(app)
        bot.register(app)
    return app


def _is_plain_command() -> bool:
    return os.environ.get("FLASK_RUN_FROM_CLI") == "true" and not _NEED_WEB & set(sys.argv[1:])


app = create_app(with_web=not _is_plain_command())
