"""What the page does: it lets days pass, opens cases and writes to them, and tells how far it has got.

HTTP threads ask and look; the thread that called `work` does what takes long, since only it may start processes.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from errors import RecoupError
from sandbox.amazon import downloads
from sandbox.amazon.answers import Answer, answer, next_case_id
from sandbox.amazon.cases import Case, Memory
from sandbox.amazon.downloads import Shop
from sandbox.days import news
from sandbox.days.calendar import Calendar, CannotMove, in_words, is_monday, short
from sandbox.days.news import Lists
from sandbox.demo.doors import Doors, Refused

LONGEST_TEXT = 20_000
_PATIENCE_SECONDS = 120
_PAUSE_SECONDS = 0.25
_LAST_RUNS = "100"
_DAILY = "daily"
Json = dict[str, Any]


class NotTaken(RecoupError):
    """What was sent to Seller Support cannot be used."""


@dataclass(slots=True)
class _Progress:
    """How far a walk has got: `days` of `of`, and what is being done."""

    doing: str = ""
    days: int = 0
    of: int = 0
    problem: str = ""


@dataclass(slots=True)
class Desk:
    """The simulated Amazon of all sellers, with the calendar.

    memory_file: where what happened is kept. cron_seconds: how often cron looks, so that what it makes due is waited
    for. links: the demo's other pages, by name.
    """

    calendar: Calendar
    shops: Sequence[Shop]
    doors: Doors
    memory_file: Path
    seed: int
    cron_seconds: float = 1
    links: dict[str, str] = field(default_factory=dict)
    _memory: Memory = field(init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _asked: "queue.Queue[list[date]]" = field(default_factory=queue.Queue)
    _progress: _Progress = field(default_factory=_Progress)

    def __post_init__(self) -> None:
        """Remember what happened before."""
        self._memory = Memory.load(self.memory_file)

    # For the HTTP threads

    def state(self) -> Json:
        """Return all that the page shows."""
        with self._lock:
            now = self.calendar.now()
            progress = self._progress
            return {
                "now": now.isoformat(timespec="minutes"),
                "day": in_words(now),
                "time": f"{now:%H:%M}",
                "zone": self.calendar.zone.key.replace("_", " "),
                "is_walking": bool(progress.of),
                "doing": progress.doing,
                "done": progress.days,
                "of": progress.of,
                "problem": progress.problem,
                "told": list(reversed(self._memory.told)),
                "cases": [self._shown(case) for case in reversed(self._memory.cases)],
                "links": self.links,
            }

    def move(self, to: str) -> None:
        """Ask for days to pass: `next`, `monday`, or a date. Raises CannotMove."""
        with self._lock:
            if self._progress.of:
                raise CannotMove("The days are passing already.", todo="Wait until they have.")
            self._require_no_way_back()
            days = list(self.calendar.days_until(self._target(to)))
            self._progress = _Progress(doing="Reading what was filed", of=len(days))
        self._asked.put(days)

    def open_case(self, text: str) -> str:
        """Open a case with a claim's text and return its number. Raises NotTaken."""
        with self._lock:
            case_id = next_case_id(self.seed, self._memory.cases)
            self._memory.put(Case(case_id, self.calendar.today(), _checked(text)))
            self._memory.save(self.memory_file)
        return case_id

    def write_to(self, case_id: str, text: str) -> None:
        """Write to a case again: an answer to Amazon's question, or an appeal. Raises NotTaken."""
        with self._lock:
            case = self._memory.case(case_id)
            if case is None:
                raise NotTaken(f"There is no case {case_id}.")
            _checked(text)
            self._memory.put(replace(case, written_on=self.calendar.today()))
            self._memory.save(self.memory_file)

    def _require_no_way_back(self) -> None:
        written, today = self._memory.up_to, self.calendar.today()
        if written and today < written:
            raise CannotMove(
                f"The clock stands at {short(today)}, but Amazon has written its reports of {short(written)}.",
                todo="A clock that was put back is of no use here: put it forward again, or begin a new demo.",
            )

    def _target(self, to: str) -> date:
        if to == "next":
            return self.calendar.next_day()
        if to == "monday":
            return self.calendar.next_monday()
        try:
            return date.fromisoformat(to)
        except ValueError:
            raise CannotMove(f"“{to}” is no day.", todo="Choose one such as 2026-11-30.") from None

    def _shown(self, case: Case) -> Json:
        today = self.calendar.today()
        said = [reply for reply in self._answer(case).replies if reply.day <= today]
        waits = bool(said) and said[-1].waits and (case.written_on is None or case.written_on < said[-1].day)
        return {
            "case_id": case.case_id,
            "opened_on": short(case.opened_on),
            "text": case.text,
            "claims": [asked.claim_id for asked in case.asked],
            "replies": [{"day": short(reply.day), "text": reply.text} for reply in said],
            "waits": waits,
            "written_on": short(case.written_on) if case.written_on else "",
        }

    def _answer(self, case: Case) -> Answer:
        return answer(case, seed=self.seed)

    # For the thread that works

    def work(self, *, seconds: float) -> None:
        """Do what was asked for within so many seconds, if anything is."""
        try:
            days = self._asked.get(timeout=seconds)
        except queue.Empty:
            return
        problem = ""
        try:
            before = self._lists()
            for number, day in enumerate(days):
                with self._lock:
                    self._progress.days = number
                before = self._pass(day, before)
        except RecoupError as error:
            problem = str(error)
        with self._lock:
            self._progress = _Progress(problem=problem)

    def _pass(self, day: date, before: Lists) -> Lists:
        """Let one day pass, and what Recoup does on its morning. Returns the lists as they are then."""
        with self._lock:
            self._memory.learn(before.claims, before.discrepancies, self.calendar.today())
            self._memory.choose_own(before.discrepancies, day, seed=self.seed)
            self._memory.save(self.memory_file)
        self.calendar.begin_day(day)
        self._say(day, "Amazon writes its reports")
        for shop in self.shops:
            with self._lock:
                folder = downloads.write(shop, self._memory, day)
            self.doors.begin("import", "--account", str(shop.account_id), str(folder))
        self._say(day, "Importing them")
        for _ in self.shops:
            self.doors.finish()
        self._say(day, "Waiting for the daily run")
        self._wait(lambda runs: self._is_daily_done(runs, day), "the daily run")
        if is_monday(day):
            self._pass_monday(day)
        after = self._lists()
        self._tell(day, news.told(before, after))
        return after

    def _pass_monday(self, day: date) -> None:
        self.calendar.begin_week(day)
        self._say(day, "Waiting for the weekly run")
        time.sleep(2 * self.cron_seconds)  # cron has looked by then and made due what there is
        self._wait(_is_quiet, "the weekly run")

    def _wait(self, is_over: Callable[[Sequence[Json]], bool], what: str) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not is_over(runs := self.doors.rows("runs", "list", "--last", _LAST_RUNS)):
            failed = [run for run in runs if run["error"] and run["state"] in {"due", "failed"}]
            if failed or time.monotonic() > until:
                why = failed[0]["error"] if failed else f"not over after {_PATIENCE_SECONDS} seconds."
                raise Refused(f"{what.capitalize()}: {why}", todo="The worker's log says more.")
            time.sleep(_PAUSE_SECONDS)

    def _is_daily_done(self, runs: Sequence[Json], day: date) -> bool:
        done = {run["account_id"] for run in runs if run["kind"] == _DAILY and run["slot"] == day.isoformat()}
        return _is_quiet(runs) and done >= {shop.account_id for shop in self.shops}

    def _lists(self) -> Lists:
        return Lists(
            claims=self.doors.rows("claims", "list"),
            discrepancies=self.doors.rows("discrepancies", "list"),
            invoices=self.doors.rows("invoices", "list"),
            waiting=self.doors.rows("claims", "waiting"),
        )

    def _say(self, day: date, doing: str) -> None:
        with self._lock:
            self._progress.doing = f"{in_words(day)}: {doing}"

    def _tell(self, day: date, lines: list[str]) -> None:
        with self._lock:
            self._memory.told.append({"day": in_words(day), "lines": lines})
            self._memory.up_to = day
            self._memory.save(self.memory_file)


def _is_quiet(runs: Sequence[Json]) -> bool:
    return all(run["state"] in {"done", "failed"} for run in runs)


def _checked(text: str) -> str:
    if not text.strip():
        raise NotTaken("Nothing is written there.", todo="Paste the text that Recoup wrote for the claim.")
    if len(text) > LONGEST_TEXT:
        raise NotTaken(
            f"The text has {len(text):,} characters.", todo=f"Seller Support takes {LONGEST_TEXT:,} at most."
        )
    return text.strip()
