"""Secrets are read from stdin: an option would stand in the shell's history and in the list of processes."""

import sys

import click


def secret_from_stdin(name: str) -> str:
    """Return the first line of stdin; a person at a terminal is asked and sees nothing of what is typed."""
    if sys.stdin.isatty():
        asked: str = click.prompt(name, hide_input=True, err=True)
        return asked
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError(f"{name} is missing: stdin is empty.")
    return line
