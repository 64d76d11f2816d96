"""The tables of the service."""

from __future__ import annotations

from sqlalchemy import Engine

from chalicelib import settings
from chalicelib.database import migrations

CONFIGS = """
    -- Every upload is the next version; a version never changes. upload_id makes an upload whose
    -- COMMIT was not acknowledged recognisable.
    create table {elt}.configs (
        version integer not null,
        yaml text not null,
        sha256 text not null,
        author text not null,
        comment text not null,
        upload_id text not null unique,
        created_at timestamptz not null default clock_timestamp(),
        primary key (version) include (sha256, author, comment, created_at)
    );
"""

RUNS = """
    -- owner: the process that works on the run; while it is queued, whoever queued it again.
    create table {elt}.runs (
        id text primary key,
        state text not null check (state in (
            'queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted', 'skipped'
        )),
        trigger text not null,
        actor text not null,
        config_version integer references {elt}.configs (version),
        parent text,
        "full" boolean not null default false,
        step text,
        progress jsonb,
        result json,  -- as written: the order of files and columns tells something
        error jsonb,
        read bigint not null default 0,
        inserted bigint not null default 0,
        deleted bigint not null default 0,
        quarantined bigint not null default 0,
        idempotency_key text unique,
        event_id text unique,
        owner text,
        cancel_requested boolean not null default false,
        lease_until timestamptz,
        created_at timestamptz not null default now(),
        started_at timestamptz,
        finished_at timestamptz,
        check (lease_until is not null or state not in ('queued', 'running'))
    );
    create unique index one_active_run on {elt}.runs ((true)) where state in ('queued', 'running');

    -- Pages of the history, newest first; without a filter the index alone answers.
    create index runs_by_time on {elt}.runs (created_at, id) include (
        state, trigger, actor, config_version, parent, "full", step,
        read, inserted, deleted, quarantined, lease_until, started_at, finished_at
    );
    create index runs_by_state on {elt}.runs (state, created_at, id);
    create index runs_by_trigger on {elt}.runs (trigger, created_at, id);
"""

CORRECTIONS = """
    -- Rows that a replay loads in place of those in quarantine, by the reject's id.
    alter table {elt}.runs add column corrections jsonb;
"""

PREVIEWS = """
    -- What a configuration would read, looked at before it is stored.
    create table {elt}.previews (
        id text primary key,
        yaml text not null,
        actor text not null,
        state text not null default 'queued' check (state in ('queued', 'succeeded', 'failed')),
        result json,  -- as written: the order of files and columns tells something
        error jsonb,
        created_at timestamptz not null default now(),
        finished_at timestamptz
    );
    create index previews_by_time on {elt}.previews (created_at);
"""

MERGED = """
    -- Rows of a merge that took the place of one, and those that a later one took the place of.
    alter table {elt}.runs
        add updated bigint not null default 0,
        add superseded bigint not null default 0;
    drop index {elt}.runs_by_time;
    create index runs_by_time on {elt}.runs (created_at, id) include (
        state, trigger, actor, config_version, parent, "full", step,
        read, inserted, updated, superseded, deleted, quarantined,
        lease_until, started_at, finished_at
    );
"""

RESUMED = """
    -- Who had the run go on the last time; trigger and actor stay those of its beginning.
    alter table {elt}.runs add column resumed_by text;
    update {elt}.runs set trigger = case
        when parent is not null then 'replay' when event_id is not null then 'schedule' else 'api'
    end where trigger = 'resume';
"""

PARTS = """
    -- How often the run was begun by somebody who wanted it: what names its execution.
    alter table {elt}.runs add column attempt integer not null default 1;

    -- What those say who work on the parts of a run at once: how often each part was begun in
    -- this attempt, how far it is, and why it failed the last time.
    create table {elt}.parts (
        run_id text not null references {elt}.runs on delete cascade,
        part integer not null,
        size bigint,  -- bytes; null of an API
        begun integer not null default 0,
        progress jsonb,
        error jsonb,
        primary key (run_id, part)
    );
"""

MIGRATIONS = (CONFIGS, RUNS, CORRECTIONS, PREVIEWS, MERGED, RESUMED, PARTS)
"""Append only: what a released version has applied never changes."""


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; any number of processes may do so at once."""
    migrations.migrate(engine, settings.service_schema(), MIGRATIONS)
