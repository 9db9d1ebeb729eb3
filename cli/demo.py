"""`flask demo`: all of Recoup on this machine, against a simulated seller."""

import os
import sys
from pathlib import Path

import click


@click.command("demo")
@click.option("--check", is_flag=True, help="Walk the whole way once, say how each step went, and end.")
@click.option("--keep", is_flag=True, help="Go on with the last demo's world instead of making a new one.")
@click.option(
    "--port",
    type=click.IntRange(1024, 65000),
    default=5000,
    show_default=True,
    help="Of the back office; a port in use moves on to the next free one.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Which seller is simulated.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), hidden=True)
def demo(*, check: bool, keep: bool, port: int, seed: int, folder: Path | None) -> None:
    """Show Recoup with simulated sellers and stand-ins for Amazon, Slack and e-mail.

    Prints READY, then where the back office, the portal, Slack and the mailbox are, and who signs in. Ctrl-C ends it.
    Everything it writes is under var/demo.
    """
    import config
    from clock import utcnow
    from detection.marketplaces import marketplaces
    from jobs import redis_server
    from sandbox.demo import show

    status = show.run(
        folder.resolve() if folder else config.HOME / "var" / "demo",
        given=os.environ,
        today=marketplaces()["US"].day_of(utcnow()),
        port=port,
        seed=seed,
        keep=keep,
        check=check,
        keeps_redis=redis_server.server_program() is None,
    )
    sys.exit(status)
