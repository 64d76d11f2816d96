"""Sources by type, and all their rows as one DataFrame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chalicelib.batch import Batch, to_frame
from chalicelib.config import Config
from chalicelib.extract.base import Listing, Share, Source, Surroundings
from chalicelib.extract.local import LocalFiles
from chalicelib.reports import SourceState
from chalicelib.schema import TYPES, TableSchema
from chalicelib.schema.infer import Evidence
from chalicelib.schema.validate import refusal, validate

if TYPE_CHECKING:
    import pandas as pd


def _api(source: Any, state: SourceState, around: Surroundings) -> Source:
    from chalicelib.extract.api import ApiReader  # requests, which files do without

    return ApiReader(source, state, is_own=around.config.is_own)


SOURCES: dict[str, Callable[[Any, SourceState, Surroundings], Source]] = {
    "local": LocalFiles,
    "api": _api,
}


def open_sources(
    config: Config,
    base: Path,
    states: Mapping[str, SourceState] | None = None,
    *,
    first_files: int | None = None,
    share: Share | None = None,
) -> list[Source]:
    """A reader for each source, or each that has a share, knowing what earlier runs loaded of it.

    Paths in the configuration are relative to `base`.
    """
    known, around = states or {}, Surroundings(config, base, first_files, share)
    return [
        SOURCES[source.type](source, known.get(source.name, SourceState()), around)
        for source in config.sources
        if share is None or source.name in share.names
    ]


def listings(
    config: Config, base: Path, states: Mapping[str, SourceState] | None = None
) -> list[Listing]:
    """What there may be to read of each source: listed, not downloaded, and hardly read."""
    return [
        source.listing() if isinstance(source, LocalFiles) else Listing(source.report)
        for source in open_sources(config, base, states)
    ]


def to_dataframe(
    config: Config, base: Path | None = None, *, validated: bool = False
) -> pd.DataFrame:
    """All rows of all sources as one DataFrame with Arrow-backed columns.

    As extracted: text, the union of the sources' columns in order of first appearance. With
    `validated` as loaded: the target's columns with their types, rejects out; InvalidRows when
    there are some and `on_invalid` is `fail`. Everything is read, whatever was loaded before.
    Paths are relative to `base`, or else to the folder of the configuration file.
    """
    batches = []
    for source in open_sources(config, base or config.base):
        source.plan()
        batches += list(source.batches())
    if validated:
        return to_frame(_as_loaded(config, batches))
    tables = [batch.table for batch in batches]
    return to_frame(pa.concat_tables(tables, promote_options="default") if tables else pa.table({}))


def _as_loaded(config: Config, batches: list[Batch]) -> pa.Table:
    schema = settled(config, batches)
    checked = [validate(batch, schema, config.on_invalid) for batch in batches]
    rejects = [(b.origin, r) for b, v in zip(batches, checked, strict=True) for r in v.rejects]
    if rejects and config.on_invalid == "fail":
        raise refusal(rejects, len(rejects))
    empty = pa.table({name: pa.array([], pa.string()) for name in schema.names})
    text = pa.concat_tables([empty, *(valid.table for valid in checked)])
    return pa.table({name: _typed(name, text[name], schema) for name in schema.names})


def settled(config: Config, batches: list[Batch]) -> TableSchema:
    """The columns of the target: as declared and, if not strict, as these batches have them."""
    if config.strict:
        return TableSchema(config.declared)
    evidence = Evidence(config.declared, config.target.primary_key)
    for batch in batches:
        evidence.see(batch)
    return evidence.schema()


def _typed(name: str, text: pa.ChunkedArray, schema: TableSchema) -> pa.ChunkedArray:
    column = schema.columns[name]
    return TYPES[column.type].typed(text, column)
