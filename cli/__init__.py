"""The `flask` commands: one file a noun. Heavy imports stay inside the commands, so that help starts at once."""

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from typing import Any

import click
from flask import Flask

from errors import InvalidInput, RecoupError

# Module of this package -> the names of its click commands. Modules import click and nothing heavy.
_COMMANDS: dict[str, Sequence[str]] = {
    "audit": ("audit",),
    "accounts": ("accounts",),
    "claims": ("claims",),
    "clients": ("clients",),
    "daily": ("daily",),
    "database": ("database",),
    "demo": ("demo",),
    "digest": ("digest",),
    "discrepancies": ("discrepancies",),
    "importing": ("import_files",),
    "invoices": ("bill", "invoices"),
    "processes": ("web", "worker", "cron"),
    "requests": ("requests",),
    "runs": ("runs",),
    "users": ("users",),
}


def register(app: Flask) -> None:
    """Add every command to the app's command line."""
    for module, names in _COMMANDS.items():
        loaded = import_module(f"cli.{module}")
        for name in names:
            app.cli.add_command(_told_in_words(getattr(loaded, name)))


def _told_in_words(command: click.Command) -> click.Command:
    """Make a command end with one line where something expected goes wrong, never with a traceback.

    The exit code is 2 for input that cannot be used, as for wrong usage, and 1 for everything else.
    """
    if isinstance(command, click.Group):
        for sub in command.commands.values():
            _told_in_words(sub)
        return command
    if command.callback and not hasattr(command.callback, "is_told_in_words"):
        command.callback = _guarded(command.callback)
    return command


def _guarded(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except RecoupError as error:
            click.echo(f"{error}", err=True)
            sys.exit(2 if isinstance(error, InvalidInput) else 1)
        except OverflowError:  # an id of more digits than any database keeps
            click.echo("A number is larger than any that Recoup gives out. Look at `list` for the ids.", err=True)
            sys.exit(2)

    guarded.is_told_in_words = True  # type: ignore[attr-defined]
    return guarded
