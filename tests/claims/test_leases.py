from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from claims import leases
from claims.errors import LeaseHeld
from clock import real_now
from db import LeaseLost, reading, transaction
from models import AgencySettings, LeaseRow
from tests.waiting import wait_until

NAME = leases.account_lease(7)
TTL = timedelta(seconds=30)


def name_agency(session: Session, name: str) -> None:
    session.merge(AgencySettings(id=1, name=name))


def test_one_holder_at_a_time(database: str) -> None:
    now = real_now()
    leases.acquire(NAME, holder="first", ttl=TTL, now=now)
    with pytest.raises(LeaseHeld) as caught:
        leases.acquire(NAME, holder="second", ttl=TTL, now=now + timedelta(seconds=29))
    assert caught.value.by == "first"


def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_fence(database: str) -> None:
    now = real_now()
    dead = leases.acquire(NAME, holder="first", ttl=TTL, now=now)
    taken = leases.acquire(NAME, holder="second", ttl=TTL, now=now + TTL)
    assert taken.fence > dead.fence


def test_who_was_only_slow_can_write_nothing_any_more(database: str) -> None:
    slow = leases.acquire(NAME, holder="first", ttl=TTL, now=real_now() - 2 * TTL)
    taken = leases.acquire(NAME, holder="second", ttl=TTL, now=real_now())
    with pytest.raises(LeaseLost), transaction(slow) as session:
        name_agency(session, "written by the slow one")
    with pytest.raises(LeaseLost):
        leases.renew(slow, ttl=TTL, now=real_now())
    leases.release(slow)
    with transaction(taken) as session:
        name_agency(session, "written by the holder")
    with reading() as session:
        assert session.scalars(select(AgencySettings.name)).all() == ["written by the holder"]


def test_a_released_lease_is_free_and_its_fence_does_not_fall(database: str) -> None:
    first = leases.acquire(NAME, holder="first", ttl=TTL, now=real_now())
    leases.release(first)
    assert leases.acquire(NAME, holder="second", ttl=TTL, now=real_now()).fence > first.fence


def test_it_is_renewed_while_it_is_held(database: str) -> None:
    def until() -> object:
        with reading() as session:
            return session.scalar(select(LeaseRow.expires_at).where(LeaseRow.name == NAME))

    with leases.held(NAME, ttl=timedelta(seconds=0.3)):
        begun = until()
        wait_until(lambda: until() != begun)
        with reading() as session:
            assert leases.held_now(session, [NAME, "account:8"]) == {NAME}
    with reading() as session:
        assert leases.held_now(session, [NAME]) == set()
