"""What joins the parts that do not know each other: jobs deliver to Slack and by mail, a commit rings the worker."""

from jobs import deliver, doorbell
from outbox import Delivered


def connect() -> None:
    """Join them in this process, before its first transaction. Loads nothing heavy; can be called again."""
    doorbell.listen()
    deliver.register(_deliver_to_slack)
    deliver.register(_deliver_by_mail)


def _deliver_to_slack() -> Delivered:
    from bot.delivery import deliver_due

    return deliver_due()


def _deliver_by_mail() -> Delivered:
    from mail.delivery import deliver_due

    return deliver_due()
