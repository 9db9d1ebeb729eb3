"""The demo's calendar and Seller Support as a process of its own.

`python -m sandbox.days_server --port N --folder DEMO` prints `READY URL` when it listens. DEMO is a demo's folder that
is set up; `RECOUP_CLOCK_FILE` and the other settings are the demo's.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, make_server

import config
from detection.marketplaces import marketplaces
from sandbox.days.calendar import Calendar
from sandbox.days.desk import Desk
from sandbox.days.web import create_app
from sandbox.demo import stage as setting
from sandbox.demo.children import Children
from sandbox.demo.doors import Doors
from sandbox.demo.place import Place
from sandbox.ports import listen_on_first_free
from sandbox.slack_server import QuietHandler
from sandbox.trade import MARKETPLACE

_LOOK_SECONDS = 0.5


def main(arguments: list[str] | None = None) -> None:
    """Run the page in the foreground, until asked to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    place = Place(given.folder)
    children = Children(os.environ, place.logs, home=config.HOME)
    desk = _desk(place, children)
    server, url = _listen(desk, given.port)
    sys.stdout.write(f"READY {url}\n")
    sys.stdout.flush()
    try:
        while True:
            desk.work(seconds=_LOOK_SECONDS)
    finally:
        server.shutdown()
        children.stop()


def _desk(place: Place, children: Children) -> Desk:
    _, sellers = place.remembered()
    shops = setting.shops(place, sellers)
    calendar = Calendar(place.clock, marketplaces()[MARKETPLACE].zone)
    doors = Doors(children, name="days-flask")
    return Desk(calendar, shops, doors, place.amazon, shops[0].seed, cron_seconds=setting.CRON_SECONDS)


def _listen(desk: Desk, port: int) -> tuple[BaseWSGIServer, str]:
    """Serve the page in a thread; the main thread is for the work, since only its children live as long as we do."""
    with listen_on_first_free(port) as listener:
        chosen: int = listener.getsockname()[1]
        app = create_app(desk)
        server = make_server(
            "127.0.0.1", chosen, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
        )
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server, f"http://127.0.0.1:{chosen}"


if __name__ == "__main__":
    main()
