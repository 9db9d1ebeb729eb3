"""The outbox to Slack: nothing lost, nothing twice, whatever happens meanwhile."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

import outbox
from bot import cards, delivery
from bot.delivery import deliver_due
from bot.pacing import Pacer
from claims import announcing, review
from claims.access import system_actor
from claims.users import add_user
from clock import real_now
from db import reading, transaction
from models import (
    Account,
    AgencySettings,
    Client,
    DiscrepancyStatus,
    OutboxMessage,
    OutboxState,
    Role,
    Through,
    User,
)
from sandbox.slack.workspace import BOT_USER, Channel, Person
from tests.bot.conftest import CHANNEL, Desk, action_ids, shown, slack_id
from tests.factories import NOW, make_discrepancy
from tests.waiting import wait_until


def test_card_is_posted_once_and_its_place_kept(desk_on_both: Desk) -> None:
    desk = desk_on_both
    found = desk.put()
    assert desk.deliver().sent == 1
    assert desk.deliver().sent == 0
    [card] = desk.messages
    assert (desk.row(found).card_channel, desk.row(found).card_ts) == (CHANNEL, card["ts"])
    row = desk.outbox_row("card:1")
    assert (row.state, row.channel, row.external_id) == (OutboxState.SENT, CHANNEL, card["ts"])
    assert card["metadata"] == {"event_type": "recoup_outbox", "event_payload": {"outbox_id": row.id}}


def test_forty_five_findings_are_twenty_cards_and_one_message(desk: Desk) -> None:
    with transaction() as session:
        account = session.get_one(Account, desk.cast.account_id, options=[joinedload(Account.client)])
        rows = [make_discrepancy(session, account.id, value=Decimal(n)) for n in range(1, 46)]
        announcing.enqueue(session, account, announcing.choose(account.client, rows, NOW), NOW)
    assert desk.deliver().sent == 21
    assert len(desk.messages) == 21
    assert sum("Approve" in shown(message) for message in desk.messages) == 20
    said = shown(desk.messages[-1])
    assert "25 more discrepancies · Acme" in said
    assert "Worth 325.00 USD in all" in said


def test_card_shows_what_the_database_has_when_it_is_sent(desk: Desk) -> None:
    found = desk.put()
    with transaction() as session:
        review.reject(session, found, reason=review.RejectReason.FOUND, actor=desk.cast.ann, now=NOW)
    desk.deliver()
    assert "Rejected by Ann" in shown(desk.messages[0])


def test_card_follows_a_decision_made_in_the_back_office(desk: Desk) -> None:
    found = desk.post()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.bea, now=NOW)
    desk.deliver()
    assert "Approved by Bea" in shown(desk.messages[0])
    assert "Approved by Bea" in desk.messages[0]["text"]


def test_answer_that_was_lost_is_looked_up(desk_on_both: Desk, later: Callable[..., None]) -> None:
    desk = desk_on_both
    found = desk.put()
    desk.fail("chat.postMessage", "lost_answer")
    [(key, why)] = desk.deliver().left
    assert (key, len(desk.messages)) == ("card:1", 1)
    assert "No answer from Slack to chat.postMessage" in why
    assert desk.outbox_row("card:1").is_unsure
    later(minutes=1)
    assert desk.deliver().sent == 1
    assert len(desk.messages) == 1
    assert desk.row(found).card_ts == desk.messages[0]["ts"]


def test_lost_answer_is_found_beyond_the_first_page(desk: Desk, later, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_PAGE", 2)
    desk.put()
    desk.fail("chat.postMessage", "lost_answer")
    desk.deliver()
    channel = desk.slack.workspace.channels[CHANNEL]
    for n in range(5):
        desk.slack.workspace.post(channel, {"user": "U0ANN", "text": f"talk {n}"})
    later(minutes=1)
    assert desk.deliver().sent == 1
    assert len(desk.messages) == 6


def test_sender_that_dies_between_post_and_mark_leaves_no_double(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put()

    with monkeypatch.context() as dying:
        dying.setattr(outbox, "mark_sent", _die)
        with pytest.raises(KeyboardInterrupt):
            desk.deliver()
    assert len(desk.messages) == 1
    assert desk.outbox_row("card:1").state is OutboxState.SENDING
    assert desk.deliver().sent == 0  # the hold of the dead one has not passed
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "real_now", lambda: real_now() + outbox.HOLD + timedelta(seconds=1))
        assert desk.deliver().sent == 1
    assert len(desk.messages) == 1
    assert desk.row(1).card_ts == desk.messages[0]["ts"]


def test_sender_that_dies_before_the_post_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put()
    with transaction() as session:
        outbox.claim_batch(session, "dead", 10, NOW + timedelta(seconds=5))
    monkeypatch.setattr(outbox, "real_now", lambda: real_now() + outbox.HOLD + timedelta(seconds=1))
    assert desk.deliver().sent == 1
    assert len(desk.messages) == 1


@pytest.mark.parametrize("kind", ["server_error", "not_json", "refused_connection"])
def test_trouble_that_passes_delays_and_doubles_nothing(desk: Desk, later, kind: str) -> None:
    desk.put()
    desk.put()
    desk.fail("chat.postMessage", kind)
    delivered = desk.deliver()
    assert (delivered.sent, len(delivered.left)) == (0, 2)  # once silent, Slack is left in peace
    later(minutes=1)
    assert desk.deliver().sent == 2
    assert len(desk.messages) == 2


def test_slack_that_is_down_keeps_everything_for_later(desk: Desk, later, settings_of_the_test, slack) -> None:
    for _ in range(12):
        desk.put()
    settings_of_the_test(SLACK_API_URL="http://127.0.0.1:9/api/")
    delivered = desk.deliver()
    assert delivered.sent == 0
    assert len(delivered.left) == 12
    assert all(desk.outbox_row(key).state is OutboxState.PENDING for key, _ in delivered.left)
    assert "cannot be reached" in delivered.left[0][1]
    settings_of_the_test(SLACK_API_URL=slack.api_url)
    later(minutes=1)
    assert desk.deliver().sent == 12
    assert len(desk.messages) == 12


def test_pauses_grow_with_each_try(desk: Desk, later) -> None:
    desk.put()
    desk.fail("chat.postMessage", "server_error", times=3)
    pauses = []
    for n in range(1, 4):
        later(hours=n)
        before = delivery.utcnow()
        desk.deliver()
        pauses.append(round((desk.outbox_row("card:1").not_before - before).total_seconds()))
    assert pauses == [5, 10, 20]


def test_short_wait_that_slack_asks_for_is_waited(desk: Desk) -> None:
    desk.put()
    desk.fail("chat.postMessage", "ratelimited", seconds=7)
    assert desk.deliver().sent == 1
    assert desk.slept == [7]


def test_long_wait_that_slack_asks_for_is_kept_without_trying_the_channel_again(desk: Desk, later) -> None:
    desk.put()
    desk.put()
    desk.fail("chat.postMessage", "ratelimited", seconds=120)
    delivered = desk.deliver()
    assert (delivered.sent, len(delivered.left), desk.slept) == (0, 2, [])
    row = desk.outbox_row("card:1")
    assert timedelta(seconds=115) < row.not_before - delivery.utcnow() <= timedelta(seconds=120)
    assert not row.is_unsure
    later(minutes=3)
    assert desk.deliver().sent == 2
    assert [message["metadata"]["event_payload"]["outbox_id"] for message in desk.messages] == [1, 2]


def test_channel_without_the_bot_fails_for_good_and_says_what_to_do(desk: Desk, later) -> None:
    desk.put()
    desk.slack.workspace.channels[CHANNEL].members.discard(BOT_USER)
    [(_, why)] = desk.deliver().left
    assert why == "Slack refused chat.postMessage (not_in_channel). Invite the bot to the channel."
    row = desk.outbox_row("card:1")
    assert (row.state, row.last_error) == (OutboxState.FAILED, why)
    later(hours=1)
    assert not desk.deliver().left


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda desk: desk.slack.workspace.channels.pop(CHANNEL), "channel_not_found"),
        (lambda desk: setattr(desk.slack.workspace.channels[CHANNEL], "is_archived", True), "is_archived"),
    ],
)
def test_what_slack_will_never_take_does_not_stop_the_others(desk: Desk, break_it, said: str) -> None:
    desk.put()
    with transaction() as session:
        session.get_one(Client, desk.cast.client_id).review_channel = CHANNEL
    break_it(desk)
    [(_, why)] = desk.deliver().left
    assert said in why
    desk.slack.workspace.add_channel(Channel("C0NEW", "new", {BOT_USER}))
    with transaction() as session:
        session.get_one(Client, desk.cast.client_id).review_channel = "C0NEW"
    desk.put()
    assert desk.deliver().sent == 1
    assert len(desk.slack.workspace.channels["C0NEW"].messages) == 1


def test_wrong_token_says_which_setting(desk: Desk, settings_of_the_test) -> None:
    desk.put()
    settings_of_the_test(SLACK_BOT_TOKEN="xoxb-wrong")
    [(_, why)] = desk.deliver().left
    assert why.endswith("Check SLACK_BOT_TOKEN.")


def test_channel_of_the_client_goes_before_that_of_the_agency(desk: Desk) -> None:
    for channel in ("C0AGENCY", "C0CLIENT"):
        desk.slack.workspace.add_channel(Channel(channel, channel.lower(), {BOT_USER}))
    with transaction() as session:
        agency = session.get(AgencySettings, 1)
        if agency is None:
            session.add(AgencySettings(review_channel="C0AGENCY"))
        else:
            agency.review_channel = "C0AGENCY"
    desk.post()
    assert len(desk.slack.workspace.channels["C0AGENCY"].messages) == 1
    with transaction() as session:
        session.get_one(Client, desk.cast.client_id).review_channel = "C0CLIENT"
    desk.post()
    assert len(desk.slack.workspace.channels["C0CLIENT"].messages) == 1


def test_message_without_a_channel_waits_and_says_what_to_set(desk: Desk, settings_of_the_test, later) -> None:
    desk.put()
    settings_of_the_test(SLACK_REVIEW_CHANNEL="")
    [(_, why)] = desk.deliver().left
    assert why.startswith("No review channel is set. Set SLACK_REVIEW_CHANNEL")
    settings_of_the_test(SLACK_REVIEW_CHANNEL=CHANNEL)
    later(minutes=1)
    assert desk.deliver().sent == 1


def test_update_waits_for_a_card_that_is_not_posted_yet(desk: Desk, later) -> None:
    found = desk.put()
    desk.fail("chat.postMessage", "lost_answer")
    desk.deliver()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.bea, now=NOW)
    later(seconds=1)
    [(key, why)] = desk.deliver().left
    assert (key.split(":")[0], why) == ("update", "Its card is not posted yet.")
    later(minutes=2)
    desk.deliver()
    assert "Approved by Bea" in shown(desk.messages[0])
    assert desk.row(found).card_ts


def test_update_waits_for_a_card_that_is_posted_while_it_is_tried(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card may have been drawn before the decision, so the update is not done with."""
    found = desk.put()
    with transaction() as session:
        [card] = outbox.claim_batch(session, "other", 1, NOW)
        review.approve(session, found, actor=desk.cast.bea, now=NOW)
    update = delivery.update_card

    def meanwhile(client: Any, discrepancy_id: int) -> bool:
        done = update(client, discrepancy_id)
        with transaction() as session:
            outbox.mark_sent(session, card.id, CHANNEL, "1.0", NOW)
        return done

    monkeypatch.setattr(delivery, "update_card", meanwhile)
    [(_, why)] = desk.deliver().left
    assert why == "Its card is not posted yet."
    assert _states(f"update:{found}:") == [OutboxState.PENDING]


def test_update_of_what_never_had_a_card_is_done(desk: Desk) -> None:
    found = desk.put()
    with transaction() as session:
        session.delete(session.query(delivery.OutboxMessage).one())
        review.approve(session, found, actor=desk.cast.bea, now=NOW)
    delivered = desk.deliver()
    assert (delivered.sent, delivered.left, desk.messages) == (1, [], [])


def test_card_that_a_person_deleted_is_left_alone(desk: Desk) -> None:
    found = desk.post()
    desk.messages.clear()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.bea, now=NOW)
    delivered = desk.deliver()
    assert (delivered.sent, delivered.left) == (1, [])


def test_card_ends_as_the_database_has_it_whoever_is_later(desk: Desk) -> None:
    """Another decision falls between the reading and the arrival of an update: it is drawn again."""
    found = desk.post()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.ann, now=NOW)
    desk.fail("chat.update", "slow", seconds=0.5)
    sender = threading.Thread(target=desk.deliver)
    sender.start()
    wait_until(lambda: not desk.slack.faults._waiting)
    with transaction() as session:
        review.undo(session, found, actor=desk.cast.bea, now=NOW)
    sender.join(timeout=10)
    assert action_ids(desk.messages[0])[0] == "discrepancy:approve"


def test_updates_of_one_card_that_are_due_are_one(desk_on_both: Desk, updates: list[str], later) -> None:
    desk = desk_on_both
    found, other = desk.post(), desk.post()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.ann, now=NOW)
        review.undo(session, found, actor=desk.cast.ann, now=NOW)
        review.reject(session, found, reason=review.RejectReason.FOUND, actor=desk.cast.bea, now=NOW)
        review.approve(session, other, actor=desk.cast.ann, now=NOW)
    assert desk.deliver().sent == 2
    assert updates == [card["ts"] for card in desk.messages]
    assert "Rejected by Bea" in shown(desk.messages[0])
    assert _states(f"update:{found}:") == [OutboxState.SENT] * 3
    assert _states(f"undo_over:{found}:") == [OutboxState.PENDING] * 2  # they come when the time to undo is over
    later(minutes=11)
    assert desk.deliver().sent == 2
    assert len(updates) == 4


def test_updates_are_all_kept_where_the_first_does_not_arrive(desk: Desk, updates: list[str], later) -> None:
    found = desk.post()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.ann, now=NOW)
        review.undo(session, found, actor=desk.cast.ann, now=NOW)
    desk.fail("chat.update", "server_error")
    assert len(desk.deliver().left) == 2
    assert _states(f"update:{found}:") == [OutboxState.PENDING] * 2
    later(minutes=1)
    assert desk.deliver().sent == 1
    assert _states(f"update:{found}:") == [OutboxState.SENT] * 2


def test_sender_that_dies_after_an_update_leaves_all_of_the_card_to_the_next(
    desk: Desk, updates: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = desk.post()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.ann, now=NOW)
        review.undo(session, found, actor=desk.cast.ann, now=NOW)

    with monkeypatch.context() as dying:
        dying.setattr(outbox, "mark_sent", _die)
        with pytest.raises(KeyboardInterrupt):
            desk.deliver()
    assert _states(f"update:{found}:") == [OutboxState.SENDING] * 2
    monkeypatch.setattr(outbox, "real_now", lambda: real_now() + outbox.HOLD + timedelta(seconds=1))
    assert desk.deliver().sent == 1
    assert len(updates) == 2  # an update that comes twice changes nothing
    assert _states(f"update:{found}:") == [OutboxState.SENT] * 2


def test_update_that_is_queued_while_another_is_sent_is_sent_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    found = desk.post()
    with transaction() as session:
        review.approve(session, found, actor=desk.cast.ann, now=NOW)
    update = delivery.update_card

    def meanwhile(client: Any, discrepancy_id: int) -> bool:
        done = update(client, discrepancy_id)
        with transaction() as session:
            review.undo(session, discrepancy_id, actor=desk.cast.bea, now=NOW)
        return done

    with monkeypatch.context() as slow:
        slow.setattr(delivery, "update_card", meanwhile)
        desk.deliver(limit=1)
    assert _states(f"update:{found}:") == [OutboxState.SENT, OutboxState.PENDING]
    assert desk.deliver().sent == 1
    assert action_ids(desk.messages[0])[0] == "discrepancy:approve"


def test_row_that_cannot_be_drawn_does_not_stop_the_others(desk: Desk) -> None:
    with transaction() as session:
        outbox.enqueue(session, "pigeon", "pigeon:1", now=NOW)
        outbox.enqueue(session, outbox.CARD, "card:none", now=NOW, discrepancy_id=None)
        outbox.enqueue(session, outbox.CARDS_OVERFLOW, "overflow:x", now=NOW, payload={"count": "?"})
    desk.put()
    delivered = desk.deliver()
    assert delivered.sent == 1
    assert sorted(key for key, _ in delivered.left) == ["card:none", "overflow:x", "pigeon:1"]


def test_posts_to_one_channel_are_a_second_apart() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pacer = Pacer(1.0, sleep=sleep, clock=lambda: now[0])
    for channel in ("C1", "C2", "C1", "C1"):
        pacer.take_turn(channel)
        now[0] += 0.25
    assert slept == [0.5, 0.75]


def test_two_senders_post_each_card_once(desk_on_both: Desk) -> None:
    desk = desk_on_both
    for _ in range(15):
        desk.put()
    senders = [threading.Thread(target=desk.deliver) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(timeout=60)
    ids = [message["metadata"]["event_payload"]["outbox_id"] for message in desk.messages]
    assert sorted(ids) == list(range(1, 16))


def test_nothing_is_touched_while_slack_is_off(desk: Desk, settings_of_the_test, monkeypatch) -> None:
    desk.put()
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    monkeypatch.delenv("SLACK_SIGNING_SECRET")
    settings_of_the_test()
    assert deliver_due().sent == 0
    assert desk.outbox_row("card:1").attempts == 0


def test_proxy_of_the_environment_is_not_asked_for_this_machine(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    found = desk.post()
    desk.press("Ann", "discrepancy:approve")
    desk.press("Vic", "discrepancy:approve")
    assert "does not know you" in desk.told("Vic")
    assert desk.row(found).status is DiscrepancyStatus.APPROVED


@pytest.fixture
def later(set_clock: Callable[[datetime], None]) -> Callable[..., None]:
    """Move the clock to that long after the test's now."""
    return lambda **after: set_clock(NOW + timedelta(**after))


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ts of each card that Slack is asked to change, in this order."""
    asked: list[str] = []
    send = cards._send

    def noted(client: Any, channel: str, ts: str, message: Any) -> None:
        asked.append(ts)
        send(client, channel, ts, message)

    monkeypatch.setattr(cards, "_send", noted)
    return asked


@pytest.mark.parametrize("email", ["new@agency.example", "NEW@Agency.example"])
def test_person_who_is_added_is_linked_by_e_mail_before_the_first_press(desk_on_both: Desk, email: str) -> None:
    desk = desk_on_both
    desk.slack.workspace.add_person(Person("U0NEW", "New", "new@agency.example"))
    user_id = _add(email)
    assert desk.deliver().sent == 1
    assert _slack_id_of(user_id) == "U0NEW"
    assert desk.deliver().sent == 0
    assert not any(channel.messages for channel in desk.slack.workspace.channels.values())


@pytest.mark.parametrize(
    "person",
    [
        None,
        Person("U0NEW", "New", "new@agency.example", is_restricted=True),
        Person("U0NEW", "New", "new@agency.example", team_id="T0OTHER"),
        Person(slack_id("Ann"), "Ann", "new@agency.example"),
    ],
    ids=["unknown", "guest", "other workspace", "linked to another"],
)
def test_person_who_is_no_member_of_ours_stays_unknown(desk: Desk, person: Person | None) -> None:
    if person:
        desk.slack.workspace.people[person.id] = person
    user_id = _add("new@agency.example")
    assert not desk.deliver().left
    assert _slack_id_of(user_id) is None


def test_person_is_looked_up_again_when_slack_is_back(desk: Desk, set_clock: Any) -> None:
    desk.slack.workspace.add_person(Person("U0NEW", "New", "new@agency.example"))
    user_id = _add("new@agency.example")
    desk.fail("users.lookupByEmail", "server_error")
    assert desk.deliver().left
    set_clock(NOW + timedelta(minutes=1))
    assert not desk.deliver().left
    assert _slack_id_of(user_id) == "U0NEW"


def test_without_slack_or_with_an_id_nobody_is_looked_up(desk: Desk, settings_of_the_test: Any) -> None:
    _add("new@agency.example", slack_user_id="U0GIVEN")
    settings_of_the_test(SLACK_BOT_TOKEN="", SLACK_SIGNING_SECRET="")
    _add("newer@agency.example")
    with reading() as session:
        assert not session.query(OutboxMessage).filter_by(kind=outbox.LINK_USER).count()


def _add(email: str, **more: Any) -> int:
    with transaction() as session:
        actor = system_actor(Through.CLI)
        return add_user(session, email=email, role=Role.CASE_MANAGER, actor=actor, now=NOW, **more).id


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _states(key: str) -> list[OutboxState]:
    """Return the states of the messages whose key begins so, oldest first."""
    with reading() as session:
        rows = select(OutboxMessage).where(OutboxMessage.key.startswith(key)).order_by(OutboxMessage.id)
        return [row.state for row in session.scalars(rows)]


def _slack_id_of(user_id: int) -> str | None:
    with reading() as session:
        return session.get_one(User, user_id).slack_user_id
