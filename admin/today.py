"""The first page of the day: what is to be decided, by when, and where everything stands."""

from collections.abc import Iterable
from datetime import timedelta

from flask_admin import AdminIndexView, expose
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

import outbox
from admin import deadlines, figures
from admin.figures import WEEKS_BACK, Standing
from admin.people import current_actor
from admin.staff import StaffView
from claims import dashboard, queries, words
from claims.queries import StateTotal
from clock import utcnow
from db import reading
from models import Account, Caveat, Discrepancy, DiscrepancyStatus, Import, OutboxMessage


class TodayView(StaffView, AdminIndexView):
    """Counts and money by state, and the nearest deadlines."""

    @expose()
    def index(self) -> str:
        """Show the day's work."""
        now = utcnow()
        today = deadlines.earliest_today(now)
        monday = today - timedelta(days=today.weekday())
        actor = current_actor()
        with reading() as session:
            summary = queries.status_summary(session, actor)
            closing = dashboard.closing(session, actor, today)
            received = dashboard.received(session, actor, monday - timedelta(weeks=WEEKS_BACK - 1))
            unchecked = session.scalar(_unchecked()) or 0
            start = _start(session) if not summary.discrepancies else ""
            stuck = session.scalar(select(func.count()).select_from(OutboxMessage).where(outbox.stuck(now))) or 0
        standings = {each.status: each for each in standing(summary.discrepancies)}
        claims = {each.status: each for each in standing(summary.claims)}
        weeks = deadlines.weeks(closing, today)
        return str(
            self.render(
                "today.html",
                today=today,
                to_decide=standings.get("open", Standing("open")),
                upcoming=standings.get("upcoming", Standing("upcoming")),
                to_file=claims.get("to_submit", Standing("to_submit")),
                unchecked=unchecked,
                deadlines=summary.deadlines,
                ahead=figures.ahead(weeks, sum(each.count for each in closing) - sum(week.count for week in weeks)),
                recovered=figures.recovered(dashboard.by_week(received, monday, WEEKS_BACK)),
                open_steps=figures.open_by_next_step(standings, claims),
                urgent=sum(week.counts.get("urgent", 0) for week in weeks),
                standings=[standings[status] for status in words.DISCREPANCY_STATUSES if status in standings],
                claims=[claims[status] for status in words.CLAIM_STATUSES if status in claims],
                start=start,
                stuck=stuck,
            )
        )


def standing(totals: Iterable[StateTotal]) -> list[Standing]:
    """Return one row a state from totals by state and currency; amounts of different currencies stay apart."""
    by_status: dict[str, list[StateTotal]] = {}
    for total in totals:
        by_status.setdefault(total.status, []).append(total)
    return [
        Standing(
            status=status,
            count=sum(each.count for each in group),
            quantity=sum(each.quantity for each in group),
            values=tuple((each.currency, each.value) for each in group if each.currency and each.value is not None),
            unknown=sum(each.count for each in group if each.value is None),
        )
        for status, group in by_status.items()
    ]


def _unchecked() -> Select[int]:
    """Return how many of what is to be decided have something to check first."""
    return select(func.count()).where(
        Discrepancy.status == DiscrepancyStatus.OPEN, Discrepancy.caveats.any(Caveat.cleared_at.is_(None))
    )


def _start(session: Session) -> str:
    """Return what is missing on the way to the first discrepancy: "accounts", "reports", or "losses"."""
    if session.scalar(select(Account.id).limit(1)) is None:
        return "accounts"
    return "reports" if session.scalar(select(Import.id).limit(1)) is None else "losses"
