"""Who may do what, and whose rows exist for whom."""

import pytest

import db
from claims.access import (
    Actor,
    Permission,
    UnknownSlackUser,
    actor_by_email,
    actor_by_slack_id,
    system_actor,
    user_actor,
)
from errors import NotAllowed, NotFound
from models import Client, ClientStatus, Role, Through, User
from tests.factories import Cast, make_cast

MAY = {
    Role.ADMIN: set(Permission) - {Permission.DECIDE_OWN},
    Role.CASE_MANAGER: {
        Permission.REVIEW,
        Permission.WORK_CLAIMS,
        Permission.ANSWER_REQUESTS,
        Permission.RESEND,
    },
    Role.BILLING: {Permission.SEE_BILLING, Permission.MANAGE_BILLING},
    Role.CLIENT: {Permission.ANSWER_REQUESTS, Permission.DECIDE_OWN},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_each_role_has_its_own_work_and_no_other(role: Role, permission: Permission) -> None:
    actor = Actor(1, "Ann", role, None, Through.ADMIN)
    assert actor.may(permission) is (permission in MAY[role])
    if permission not in MAY[role]:
        with pytest.raises(NotAllowed, match=f"Ann may not {permission.value}"):
            actor.require(permission)


def test_staff_see_every_client_and_a_clients_person_their_own(sqlite_database: str) -> None:
    cast = make_cast()
    assert [cast.ann.sees(client) for client in (cast.client_id, cast.other_client_id)] == [True, True]
    assert [cast.carl.sees(client) for client in (cast.client_id, cast.other_client_id)] == [True, False]


def test_people_are_known_by_email_in_any_case_and_by_slack_id(sqlite_database: str) -> None:
    cast = make_cast()
    with db.reading() as session:
        assert actor_by_email(session, " Ann@Agency.EXAMPLE ") == cast.ann
        by_slack = actor_by_slack_id(session, "U0ANN")
        assert (by_slack.user_id, by_slack.through) == (cast.ann.user_id, Through.SLACK)
        with pytest.raises(NotFound, match=r"There is no user zoe@agency\.example"):
            actor_by_email(session, "zoe@agency.example")
        with pytest.raises(UnknownSlackUser, match="U0ZOE"):
            actor_by_slack_id(session, "U0ZOE")


def test_who_lost_access_is_nobody(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        session.get_one(User, cast.ann.user_id).is_active = False
    with db.reading() as session:
        with pytest.raises(NotAllowed, match="Ann no longer has access"):
            actor_by_slack_id(session, "U0ANN")
        with pytest.raises(NotAllowed):
            user_actor(session.get_one(User, cast.ann.user_id), Through.ADMIN)


def test_with_the_contract_the_access_of_a_clients_people_ends_at_every_door(sqlite_database: str) -> None:
    cast = make_cast()
    with db.transaction() as session:
        session.get_one(Client, cast.client_id).status = ClientStatus.CANCELLED
    with db.reading() as session:
        for known in (lambda: actor_by_slack_id(session, "U0CARL"), lambda: actor_by_email(session, _email(cast))):
            with pytest.raises(NotAllowed, match="The access of Acme has ended"):
                known()
        assert actor_by_slack_id(session, "U0ANN").role is Role.CASE_MANAGER


def _email(cast: Cast) -> str:
    with db.reading() as session:
        return session.get_one(User, cast.carl.user_id).email


def test_the_program_itself_may_do_what_jobs_do() -> None:
    assert all(system_actor().may(permission) for permission in Permission)
    assert system_actor(Through.CLI).name == "Recoup"
