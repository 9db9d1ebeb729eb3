"""`flask db`: the tables."""

import click


@click.group("db")
def database() -> None:
    """Look after the database."""


@database.command("upgrade")
def upgrade() -> None:
    """Make the tables, or bring them to this program's version. Safe to repeat."""
    import migrations
    from db import SCHEMA

    before = migrations.upgrade()
    if before == SCHEMA:
        click.echo(f"The database is up to date (schema version {SCHEMA}).", err=True)
    else:
        click.echo(f"The database now has schema version {SCHEMA} (it had {before or 'no tables'}).", err=True)
