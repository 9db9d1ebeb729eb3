"""`flask users`: people who sign in or press buttons."""

import click

ROLES = ("admin", "case_manager", "billing", "client")


@click.group("users")
def users() -> None:
    """Look after the people who work with Recoup."""


@users.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--name", metavar="NAME", default="", help="As others see it; without one, the part before the @.")
@click.option("--client", metavar="NAME", help="With --role client: whose rows they see.")
@click.option("--slack-id", metavar="U…", help="Who they are in Slack.")
@click.option("--password-stdin", "has_password", is_flag=True, help="Read a password from stdin.")
def add(email: str, role: str, name: str, client: str | None, slack_id: str | None, *, has_password: bool) -> None:
    """Add a person. Without a password they cannot sign in yet, but can press buttons in Slack."""
    from claims.access import system_actor
    from claims.queries import load_client
    from claims.users import add_user
    from cli.asking import secret_from_stdin
    from clock import utcnow
    from db import transaction
    from models import Role, Through

    password = secret_from_stdin("Password") if has_password else None
    actor = system_actor(Through.CLI)
    with transaction() as session:
        user = add_user(
            session,
            email=email,
            role=Role(role),
            name=name,
            client_id=load_client(session, client, actor).id if client is not None else None,
            slack_user_id=slack_id,
            password=password,
            actor=actor,
            now=utcnow(),
        )
        click.echo(f"{user.email} is added with the role {user.role.value}.", err=True)
