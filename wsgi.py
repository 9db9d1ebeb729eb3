"""The Flask application; `flask` and the web server find it here by its name."""

import os
import sys

from flask import Flask

import cli
from errors import RecoupError

# Commands that serve or inspect pages. All others start without the web part, which takes a second to import.
_NEED_WEB = {"run", "routes", "shell"}
# gunicorn starts a worker that ends with another code over and over.
_GUNICORN_GIVES_UP = 3


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


def _started() -> Flask:
    """Return the application, or end this process with one line where a setting cannot be used."""
    is_command = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
    try:
        return create_app(with_web=not (is_command and not _NEED_WEB & set(sys.argv[1:])))
    except RecoupError as error:
        print(error, file=sys.stderr)  # noqa: T201  there is nothing else yet to say it with
        sys.exit(1 if is_command else _GUNICORN_GIVES_UP)


app = _started()
