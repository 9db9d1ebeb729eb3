"""The demo from the first process to the last."""

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http.client import HTTPException
from pathlib import Path
from types import FrameType

import config
from sandbox.demo import stage as setting
from sandbox.demo import way
from sandbox.demo.children import Children, DemoFailed
from sandbox.demo.doors import Doors
from sandbox.demo.hands import NotAsItShouldBe, SlackHands
from sandbox.demo.place import DemoUser, Place, Seller, new_users, sellers
from sandbox.demo.stage import Stage

_FIRST_CARD_SECONDS = 30
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Ended(BaseException):
    """Somebody asked the demo to end."""


def run(
    folder: Path,
    *,
    given: Mapping[str, str],
    today: date,
    port: int,
    seed: int,
    keep: bool,
    check: bool,
    keeps_redis: bool = False,
) -> int:
    """Run the demo until it is asked to end, or walk the way once with `check`. Returns the exit status.

    given: this process's environment. keep: go on with the world that `folder` holds, if it holds one.
    """
    place = Place(folder)
    with place.alone(), _ended_by_signals():
        is_kept = keep and place.is_set_up
        if not is_kept:
            place.begin_anew()
        children = Children(setting.environment(place, given, keeps_redis=keeps_redis), place.logs, home=config.HOME)
        stage = Stage(place, children, Doors(children))
        try:
            if is_kept:
                users, accounts = _go_on(stage, port)
            else:
                users, accounts = _begin(stage, port, seed=seed, today=today)
            return _walk(way.steps(stage, users, accounts)) if check else _stay(stage, users)
        except _Ended:
            return 0
        finally:
            _ignore_signals()
            _say("Ending …")
            children.stop()


def _begin(stage: Stage, port: int, *, seed: int, today: date) -> tuple[list[DemoUser], dict[str, Seller]]:
    """Make a new world and set everything up in it. Returns the users, and the sellers by account id."""
    clients = sellers(seed)
    users = new_users(clients)
    _say("Setting up the agency, and a stand-in for its Slack")
    setting.begin_setting_up(stage, users, clients)
    slack = setting.start_slack(stage, port=port + 1)
    mailbox = setting.start_mailbox(stage, port=port + 3)
    _say(f"Simulating two sellers' last eight months (seed {seed})")
    setting.write_worlds(stage.place, clients, until=setting.last_whole_day(today))
    accounts = setting.account_ids(stage, clients)
    stage.doors.close()  # it was started before there were Slack and the mailbox
    setting.wait_for_slack(stage, slack)
    setting.wait_for_mailbox(stage, mailbox)
    web = setting.start_web(stage, port=port)
    setting.start_workers(stage)
    _say("Importing their reports")
    for child in [setting.begin_import(stage, seller, account) for account, seller in accounts.items()]:
        stage.children.finish(child)
    setting.wait_for_web(stage, web, port=port)
    setting.describe_agency(stage, users[0])
    stage.place.remember(users, accounts)
    days = setting.start_days(stage, port=port + 2)
    _wait_for_the_first_card(stage)
    setting.wait_for_days(stage, days)
    return users, accounts


def _go_on(stage: Stage, port: int) -> tuple[list[DemoUser], dict[str, Seller]]:
    """Start everything again in the world that was kept."""
    users, accounts = stage.place.remembered()
    _say("Going on with the world that was kept")
    slack = setting.start_slack(stage, port=port + 1)
    mailbox = setting.start_mailbox(stage, port=port + 3)
    setting.make_tables(stage)
    stage.doors.close()
    setting.wait_for_slack(stage, slack)
    setting.wait_for_mailbox(stage, mailbox)
    web = setting.start_web(stage, port=port)
    setting.start_workers(stage)
    setting.wait_for_web(stage, web, port=port)
    setting.wait_for_days(stage, setting.start_days(stage, port=port + 2))
    return users, accounts


def _wait_for_the_first_card(stage: Stage) -> None:
    _say("Waiting for the first card")
    hands = SlackHands(stage.slack)
    if not setting.wait_for(stage.children, lambda: bool(hands.messages()), seconds=_FIRST_CARD_SECONDS):
        _say(f"No card has come yet; {stage.place.logs / 'worker.log'} may say why.")


def _stay(stage: Stage, users: list[DemoUser]) -> int:
    """Say where everything is, then watch until asked to end."""
    stage.doors.close()
    sys.stdout.write("\n".join(["READY", *_addresses(stage, users)]) + "\n")
    sys.stdout.flush()
    for user in users:
        if user.role == "case_manager":
            _say(f"{user.name}, case manager: {user.email} {user.password}")
    _say(f"Let days pass, and file with Amazon's stand-in: {stage.days}")
    _say("Ctrl-C ends it all.")
    while True:
        stage.children.check()
        time.sleep(0.5)


def _addresses(stage: Stage, users: list[DemoUser]) -> Iterator[str]:
    """Yield a line for each page that a person opens, and who signs in there."""
    admin = users[0]
    client = next(user for user in users if user.client)
    yield f"backoffice\t{stage.backoffice}\t{admin.email}\t{admin.password}"
    yield f"portal\t{setting.portal(stage)}\t{client.email}\t{client.password}"
    yield f"slack\t{stage.slack}"
    yield f"mailbox\t{stage.mailbox}"


def _walk(steps: Iterable[tuple[str, Callable[[], None]]]) -> int:
    """Take every step and print how it went."""
    failed = 0
    for name, step in steps:
        try:
            step()
        except (NotAsItShouldBe, DemoFailed, OSError, HTTPException, LookupError, ValueError) as error:
            failed += 1
            sys.stdout.write(f"FAILED {name}: {error}\n")
        else:
            sys.stdout.write(f"ok {name}\n")
        sys.stdout.flush()
    return 1 if failed else 0


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Turn the signals that ask a process to end into an orderly end; more of them change nothing.

    One that is ignored already (nohup) stays so; Ctrl-C's is heeded, which a shell ignores in what it starts with &.
    """

    def end(_signum: int, _frame: FrameType | None) -> None:
        _ignore_signals()
        raise _Ended

    heeded = [signum for signum in _ENDING if signal.getsignal(signum) is not signal.SIG_IGN or signum is signal.SIGINT]
    before = {signum: signal.signal(signum, end) for signum in heeded}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _ignore_signals() -> None:
    for signum in _ENDING:
        signal.signal(signum, signal.SIG_IGN)


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()
