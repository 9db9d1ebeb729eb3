"""Sending what waits in the outbox before a command ends, and naming what stays."""

import click

_NAMED = 5
_STAYS = "What is not given up stays in the outbox and is tried again; see {where} if it lasts."
_WHERE = {"slack": "SLACK_API_URL and the token", "mail": "SMTP_URL"}


def deliver_and_tell() -> None:
    """Send what is due, say how much, and name what could not be sent, with why. A reason is told once."""
    import outbox
    from clock import utcnow
    from db import reading
    from jobs.deliver import deliver_due

    delivered = deliver_due()
    if delivered.sent:
        click.echo(f"{delivered.sent} messages sent.")
    reasons = dict(delivered.left)
    with reading() as session:
        staying = {
            row.key: (row.medium.value, row.last_error or "not sent yet")
            for row in outbox.undelivered(session, utcnow())
            if row.state not in outbox.RESENDABLE or row.key in reasons
        }
    told = {key: staying.get(key, ("", why)) for key, why in reasons.items()} | staying
    for medium, why in dict.fromkeys(told.values()):
        keys = [key for key, reason in told.items() if reason == (medium, why)]
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        stays = _STAYS.format(where=_WHERE.get(medium, "the settings"))
        click.echo(f"Not sent: {', '.join(keys[:_NAMED])}{more}: {why} {stays}", err=True)
