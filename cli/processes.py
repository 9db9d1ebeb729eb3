"""`flask web`, `flask worker`, `flask cron`: the processes of the Procfile."""

import click

from jobs.schedule import RING_SECONDS


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=5000, show_default=True, envvar="PORT", type=click.IntRange(0, 65535), help="0 takes any."
)
def web(host: str, port: int) -> None:
    """Serve the back office and Slack."""
    import db
    from jobs import redis_server, web_server

    with web_server.listening(host, port) as listener:
        db.check_schema()
        web_server.serve(listener, redis_url=redis_server.url())


@click.command("worker")
def worker() -> None:
    """Work on what is due, until stopped. Start several for more at once."""
    import logs
    from cli import wiring
    from jobs import worker as worker_process

    logs.configure()
    wiring.connect()
    worker_process.run()


@click.command("cron")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=RING_SECONDS,
    show_default=True,
    help="How often it looks.",
)
def cron(every: float) -> None:
    """Make work due at its time, and ring for it, until stopped. A second one does no harm."""
    import signal
    import threading

    import db
    import logs
    from jobs import cron as loop
    from jobs import redis_server

    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    logs.configure()
    db.check_schema()
    redis_server.url()
    loop.run(stop, every_seconds=every)
