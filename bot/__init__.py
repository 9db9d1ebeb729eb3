"""Slack: cards with buttons, forms, the `/claims` command, and the delivery of what the outbox holds."""

from flask import Flask


def register(app: Flask) -> None:
    """Serve POST /slack/events: all of Slack's events, presses, forms and commands. Slack need not be up."""
    from bot.app import mount

    mount(app)
