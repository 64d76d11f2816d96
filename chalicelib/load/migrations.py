"""Our own tables in the target, made and changed in order, each step once."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from chalicelib import database, settings
from chalicelib.errors import TargetError

UNDEFINED_TABLE = "42P01"

MIGRATIONS = (
    """
    create table {elt}.migrations (
        version integer primary key,
        applied_at timestamptz not null default now()
    );

    -- One row for each part of a run, in the transaction that loads its rows.
    create table {elt}.loads (
        run_id text not null,
        part integer not null,
        table_name text not null,
        mode text not null,
        rows_inserted bigint not null default 0,
        rows_quarantined bigint not null default 0,
        rows_deleted bigint not null default 0,
        kept boolean not null default false,
        loaded_at timestamptz not null default now(),
        primary key (run_id, part)
    );

    -- Who may commit to a table: the holder of the newest token, through this backend.
    create table {elt}.fence (
        table_name text primary key,
        token bigint not null,
        backend_pid integer,
        backend_start timestamptz
    );

    -- A file is known by its content: the same content under another name is not loaded again.
    create table {elt}.files (
        table_name text not null,
        source text not null,
        sha256 text not null,
        name text not null,
        size bigint not null,
        uri text,
        etag text,
        rows bigint not null,
        run_id text not null,
        loaded_at timestamptz not null default now(),
        primary key (table_name, source, sha256)
    );

    -- How far an API was read, and hashes of the rows loaded at that very value.
    create table {elt}.cursors (
        table_name text not null,
        source text not null,
        value text not null,
        hashes text[] not null,
        run_id text not null,
        moved_at timestamptz not null default now(),
        primary key (table_name, source)
    );

    -- Rows kept out of the target. status: quarantined (the rest was loaded), or not_loaded
    -- (nothing was).
    create table {elt}.rejects (
        id bigint generated always as identity primary key,
        run_id text not null,
        part integer not null,
        table_name text not null,
        source text not null,
        file text not null,
        line bigint not null,
        "column" text,
        value text,
        reason text not null,
        problems jsonb not null,
        "row" jsonb not null,
        status text not null default 'quarantined',
        created_at timestamptz not null default now()
    );
    create index rejects_of_run on {elt}.rejects (run_id, id);
    """,
)
"""Append only: what a released version has applied never changes."""

EXISTS = "select to_regclass(:name) is not null"

APPLIED = "select coalesce(max(version), 0) from {elt}.migrations"

RECORD = "insert into {elt}.migrations (version) values (:version)"


def migrate(engine: Engine) -> None:
    """Bring our tables up to date; any number of runs may do so at once. One query if they are."""
    if _seen(engine) < len(MIGRATIONS):
        database.run(engine, f"preparing the schema {settings.ledger_schema()}", _apply_missing)


def _seen(engine: Engine) -> int:
    try:
        return database.run(engine, f"reading {settings.ledger_schema()}.migrations", _applied)
    except TargetError as error:
        if database.server_fields(error).get("C") == UNDEFINED_TABLE:
            return 0
        raise


def _applied(connection: Connection) -> int:
    return int(connection.execute(database.sql(APPLIED)).scalar_one())


def _apply_missing(connection: Connection) -> None:
    schema = database.ledger_schema()
    database.take_turns(connection, f"migrations {schema}")
    database.create_schema(connection, settings.ledger_schema())
    exists = connection.execute(text(EXISTS), {"name": f"{schema}.migrations"}).scalar_one()
    done = _applied(connection) if exists else 0
    for version, statements in enumerate(MIGRATIONS[done:], start=done + 1):
        connection.exec_driver_sql(statements.replace("{elt}", schema))
        connection.execute(database.sql(RECORD), {"version": version})
