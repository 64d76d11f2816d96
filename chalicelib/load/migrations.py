"""Our own tables in the target."""

from __future__ import annotations

from sqlalchemy import Engine

from chalicelib import settings
from chalicelib.database import migrations

MIGRATIONS = (
    """
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
        problems json not null,
        "row" json not null,  -- in the order of the source
        status text not null default 'quarantined',
        created_at timestamptz not null default now()
    );
    create index rejects_of_run on {elt}.rejects (run_id, id);
    """,
    """
    create index rejects_by_time on {elt}.rejects (created_at);
    """,
    """
    -- Merge: rows in place of one that was there, and rows that a later one took the place of.
    alter table {elt}.loads
        add rows_updated bigint not null default 0,
        add rows_superseded bigint not null default 0;

    -- Whether the rows of the file say in the table that they are its rows.
    alter table {elt}.files add lineage boolean not null default false;
    """,
    """
    create index rejects_waiting on {elt}.rejects (table_name, run_id)
        where status = 'quarantined';
    """,
    """
    -- Whose the newest token is, so that who cancels a run does not end the next one.
    alter table {elt}.fence add run_id text;
    """,
    """
    -- Each name that has had a content, as rows are put in place of others by it.
    alter table {elt}.files
        drop constraint files_pkey, add primary key (table_name, source, sha256, name);
    """,
    """
    -- Whether the rows say which run they are of, and of a replay the run that it replays.
    alter table {elt}.loads add lineage boolean not null default false, add replayed text;
    """,
    """
    -- A run of several parts: each loads into a table of its own, until all are published. Its
    -- row says what it read, and of a part that is published there is no row: part 0 is the run.
    alter table {elt}.loads add staged boolean not null default false, add report json;

    -- Which objects of which source each part of a run reads.
    create table {elt}.plans (
        run_id text primary key,
        table_name text not null,
        plan json not null,
        planned_at timestamptz not null default now()
    );

    -- Which part reads a content that several of its files have.
    create table {elt}.claims (
        run_id text not null references {elt}.plans on delete cascade,
        source text not null,
        sha256 text not null,
        part integer not null,
        primary key (run_id, source, sha256)
    );

    -- Whose table a part of a run belongs to, so that a later run finds the backends of all parts.
    alter table {elt}.fence add part_of text;
    """,
    """
    -- The columns of the source, for a row that could not be split into them.
    alter table {elt}.rejects add columns json;
    """,
)
"""Append only: what a released version has applied never changes."""


def migrate(engine: Engine) -> None:
    """Bring our tables up to date; any number of runs may do so at once. One query if they are."""
    migrations.migrate(engine, settings.ledger_schema(), MIGRATIONS)
