"""The demo's calendar and Seller Support as a process of its own.

`python -m sandbox.days_server --port N --folder DEMO` prints `READY URL` when it listens. DEMO is a demo's folder that
is set up; `RECOUP_CLOCK_FILE` and the other settings are the demo's.
"""

import argparse
import os
from pathlib import Path

import config
from detection.marketplaces import marketplaces
from sandbox.days.calendar import Calendar
from sandbox.days.desk import Desk
from sandbox.days.web import create_app
from sandbox.demo import stage as setting
from sandbox.demo.children import Children
from sandbox.demo.doors import Doors
from sandbox.demo.place import Place
from sandbox.serving import LocalServer, say_ready
from sandbox.trade import MARKETPLACE

_LOOK_SECONDS = 0.5


def main(arguments: list[str] | None = None) -> None:
    """Run the page in the foreground, until asked to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args(arguments)
    place = Place(given.folder)
    children = Children(os.environ, place.logs, home=config.HOME)
    desk = _desk(place, children)
    try:
        # The main thread is for the work: its children live only as long as the thread that started them.
        with LocalServer(create_app(desk), port=given.port) as server:
            say_ready(server.url)
            while True:
                desk.work(seconds=_LOOK_SECONDS)
    finally:
        children.stop()


def _desk(place: Place, children: Children) -> Desk:
    _, sellers = place.remembered()
    shops = setting.shops(place, sellers)
    calendar = Calendar(place.clock, marketplaces()[MARKETPLACE].zone)
    doors = Doors(children, name="days-flask")
    return Desk(calendar, shops, doors, place.amazon, shops[0].seed, cron_seconds=setting.CRON_SECONDS)


if __name__ == "__main__":
    main()
