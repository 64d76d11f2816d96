"""The SQL of the ledger; `{elt}` stands for the schema of our own tables."""

from __future__ import annotations

FILES = """
    select name, sha256, size, uri, etag, lineage from {elt}.files
    where table_name = :table and source = :source order by loaded_at, name
"""

LEFT_BEHIND = """
    select sha256, source from {elt}.files where table_name = :table and source <> all(:sources)
"""
"""Files of sources that are called something else now, or are gone."""

CURSOR = "select value, hashes from {elt}.cursors where table_name = :table and source = :source"

LOADED = """
    select rows_inserted as inserted, rows_updated as updated, rows_superseded as superseded,
        rows_quarantined as quarantined, rows_deleted as deleted, kept
    from {elt}.loads
    where run_id = :run_id and part = :number
"""

RECORD_LOAD = """
    insert into {elt}.loads (run_id, part, table_name, mode, lineage, replayed)
    values (:run_id, :number, :table, :mode, :lineage, :replayed)
"""
"""The claim to be the one transaction that loads this part."""

FINISH_LOAD = """
    update {elt}.loads
    set rows_inserted = :inserted, rows_updated = :updated, rows_superseded = :superseded,
        rows_quarantined = :quarantined, rows_deleted = :deleted, kept = :kept
    where run_id = :run_id and part = :number
"""

RECORD_FILES = """
    insert into {elt}.files (
        table_name, source, run_id, sha256, name, size, uri, etag, lineage, rows
    )
    select
        cast(:table as text), cast(:source as text), cast(:run_id as text), file.*
    from jsonb_to_recordset(cast(:files as jsonb))
        as file(
            sha256 text, name text, size bigint, uri text, etag text, lineage boolean, rows bigint
        )
    on conflict (table_name, source, sha256, name) do update
    set size = excluded.size, uri = excluded.uri, etag = excluded.etag,
        lineage = excluded.lineage, rows = excluded.rows, run_id = excluded.run_id,
        loaded_at = now()
"""
"""All files of a source at once."""

MOVE_CURSOR = """
    insert into {elt}.cursors (table_name, source, value, hashes, run_id)
    values (:table, :source, :value, :hashes, :run_id)
    on conflict (table_name, source) do update
    set value = excluded.value, hashes = excluded.hashes, run_id = excluded.run_id,
        moved_at = now()
"""

FORGET = (
    "delete from {elt}.files where table_name = :table",
    "delete from {elt}.cursors where table_name = :table",
)
"""The rows of these files and of this API are no longer in the table."""

CLEAR_REJECTS = "delete from {elt}.rejects where run_id = :run_id and part = :number"
"""An attempt whose COMMIT was not acknowledged may have stored them already."""

CLEAR_REFUSED = """
    delete from {elt}.rejects
    where run_id = :run_id and status = 'not_loaded' and part not in (
        select part from {elt}.loads where run_id = :run_id and staged
    )
"""
"""Those that an earlier attempt of the run failed with."""

NOT_LOADED = """
    update {elt}.rejects set status = 'not_loaded' where run_id = :run_id and part = :number
"""

OPEN_REJECTS = """
    select id, file, line, reason, "row", columns from {elt}.rejects
    where run_id = :run_id and source = :source and status in ('quarantined', 'stale')
      and id > :after
    order by id limit :limit
"""
"""The rejects of a run and source that are still to be mended, a page of them."""

IN_QUARANTINE = """
    select id from {elt}.rejects
    where run_id = :run_id and status in ('quarantined', 'stale') and id = any(:ids)
"""

OPEN_SOURCES = """
    select distinct source from {elt}.rejects
    where run_id = :run_id and status in ('quarantined', 'stale') order by source
"""

CLOSE_REPLAYED = """
    update {elt}.rejects set status = 'replayed'
    where run_id = :replayed and status in ('quarantined', 'stale')
"""
"""Their rows are loaded now, or are rejects of the replay."""

RUNS_BEFORE = """
    with recursive replays as (
        select run_id, replayed, loaded_at from {elt}.loads where run_id = :replayed
        union
        select loads.run_id, loads.replayed, loads.loaded_at
        from {elt}.loads join replays on loads.run_id = replays.replayed
    ), read as (select min(loaded_at) as loaded_at from replays)
    select earlier.run_id from {elt}.loads earlier, read
    where earlier.table_name = :table and earlier.loaded_at < read.loaded_at
      and not earlier.staged and not exists (
        select from {elt}.loads later
        where later.table_name = :table and later.loaded_at >= read.loaded_at
          and not later.staged and not later.lineage and later.run_id <> :run_id
      )
"""
"""Runs that ended before the rejects were read, also when those are of a replay themselves. None
if a run since did not mark its rows: theirs may be marked as those of an earlier one."""

CLOSE_SUPERSEDED = """
    update {elt}.rejects set status = 'superseded'
    where table_name = :table and source = :source and file = any(:names)
      and run_id <> :run_id and status in ('quarantined', 'stale')
"""
"""A newer content of these files has come: what was wrong with the old one is past."""

PURGE_REJECTS = """
    delete from {elt}.rejects
    where table_name = :table and created_at < now() - make_interval(days => :days)
      and not exists (
        select from {elt}.loads
        where loads.run_id = rejects.run_id and loads.part = rejects.part and staged
      )
"""

LOADED_INTO = "select table_name from {elt}.loads where run_id = :run_id limit 1"

REPLACED_SINCE = """
    select exists (
        select from {elt}.loads later
        join {elt}.loads earlier on earlier.table_name = later.table_name
        where earlier.run_id = :run_id and later.mode = 'replace' and not later.kept
          and not later.staged
          and later.loaded_at > earlier.loaded_at
    )
"""
