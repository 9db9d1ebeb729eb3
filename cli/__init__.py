"""The `flask` commands: one file a noun. Heavy imports stay inside the commands, so that help and audit start at once."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click
from flask import Flask

from errors import RecoupError

# Module of this package -> the names of its click commands. Modules import click and nothing heavy.
_COMMANDS: dict[str, Sequence[str]] = {
    "audit": ("audit",),
    "accounts": ("accounts",),
    "claims": ("claims",),
    "clients": ("clients",),
    "daily": ("daily",),
    "database": ("database",),
    "demo": ("demo",),
    "discrepancies": ("discrepancies",),
    "importing": ("import_files",),
    "processes": ("web", "worker", "cron"),
    "users": ("users",),
}


def register(app: Flask) -> None:
    """Add every command to the app's command line."""
    for module, names in _COMMANDS.items():
        loaded = import_module(f"cli.{module}")
        for name in names:
            app.cli.add_command(_told_in_words(getattr(loaded, name)))


def _told_in_words(command: click.Command) -> click.Command:
    """Make a command end with one line and exit code 1 where something expected goes wrong, never with a traceback."""
    if isinstance(command, click.Group):
        for sub in command.commands.values():
            _told_in_words(sub)
        return command
    callback = command.callback

    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs) if callback else None
        except RecoupError as error:
            click.echo(f"{error}", err=True)
            sys.exit(1)

    command.callback = guarded
    return command
