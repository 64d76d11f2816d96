"""What a configuration would read: the first rows of each source, and what would become of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from chalicelib import log
from chalicelib.batch import Batch, Problem
from chalicelib.config import Config
from chalicelib.config.model import SourceConfig
from chalicelib.errors import EltError
from chalicelib.extract import open_sources, settled
from chalicelib.extract.base import Source
from chalicelib.schema import TableSchema, unclaimed
from chalicelib.schema.validate import validate

ROWS = 100
FILES = 3
"""Of each source; a bucket may hold millions of files."""

SECONDS = 20.0


@dataclass(frozen=True)
class Row:
    """A row as it was extracted. With problems it would be kept out of the target."""

    file: str
    line: int
    values: dict[str, str | None]
    problems: list[Problem] = field(default_factory=list)


@dataclass
class SourcePreview:
    """The beginning of a source, or `error`: why it cannot be read.

    `columns` are those of the target with their types, declared or inferred from these rows;
    `ignored` are columns of the source that the schema leaves out, `files` what was found out of
    each file. `complete` when there is no more than this.
    """

    name: str
    type: str
    columns: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    complete: bool = False
    error: EltError | None = None


def preview(config: Config, base: Path, seconds: float = SECONDS) -> list[SourcePreview]:
    """The first 100 rows of each source, all sources at once, in about `seconds`.

    Nothing is loaded, and what was loaded before plays no part. Files from S3 go to a folder of
    their own, a few of them; other paths are relative to `base`.
    """
    with TemporaryDirectory(prefix="elt-preview-", ignore_cleanup_errors=True) as folder:
        looks = [_Look(config, source, base, Path(folder)) for source in config.sources]
        for look in looks:
            look.start()
        deadline = time.monotonic() + seconds
        for look in looks:
            look.join(max(0.0, deadline - time.monotonic()))
        return [look.seen(seconds) for look in looks]


class _Look(threading.Thread):
    """A look at one source. A slow one is left alone when the time is over."""

    def __init__(self, config: Config, source: SourceConfig, base: Path, folder: Path) -> None:
        super().__init__(name=f"preview {source.name}", daemon=True)
        self._result = SourcePreview(source.name, source.type)
        self._config = config.model_copy(update={"sources": (_aside(source, folder),)})
        self._base = base

    def run(self) -> None:
        """Read, and keep what was seen or why nothing was."""
        try:
            (source,) = open_sources(self._config, self._base, first_files=FILES)
            self._result = _seen(self._config, source, self._result)
        except EltError as error:
            self._result = replace(self._result, error=error)
        except Exception as bug:
            log.LOGGER.exception("the preview of %s broke", self._result.name)
            unforeseen = EltError(f"unforeseen: {type(bug).__name__}", fix="The log tells more.")
            self._result = replace(self._result, error=unforeseen)

    def seen(self, seconds: float) -> SourcePreview:
        """What there is now."""
        if not self.is_alive():
            return self._result
        slow = EltError(
            f"nothing came within {seconds:.0f} seconds",
            where=f"source {self._result.name}",
            fix="Its run may take long, too: look at the source, or at its timeout.",
        )
        return replace(self._result, error=slow)


def _aside(source: SourceConfig, folder: Path) -> SourceConfig:
    """The source with a folder of its own for what it syncs: a run may be at work in the other."""
    if source.type == "local" and source.s3:
        return source.model_copy(update={"path": str(folder / source.name)})
    return source


def _seen(config: Config, source: Source, result: SourcePreview) -> SourcePreview:
    source.plan()
    batches = list(_first_rows(source))
    schema = settled(config, batches)
    found = (name for batch in batches for name in batch.table.column_names)
    return replace(
        result,
        columns={name: schema.sql_type(name) for name in schema.names},
        ignored=unclaimed(dict.fromkeys(found), schema.columns),
        files={name: dict(file.detected) for name, file in source.report.files.items()},
        rows=[row for batch in batches for row in _rows(batch, schema)],
        complete=sum(batch.rows for batch in batches) < ROWS,
    )


def _first_rows(source: Source) -> Iterator[Batch]:
    """The batches with the first 100 rows; what cannot be split counts, too."""
    missing = ROWS
    for batch in source.batches() if source.pending else ():
        broken = batch.rejects[:missing]
        table = batch.table.slice(0, missing - len(broken))
        yield replace(batch, table=table, lines=batch.lines[: table.num_rows], rejects=broken)
        missing -= batch.rows
        if missing <= 0:
            return


def _rows(batch: Batch, schema: TableSchema) -> list[Row]:
    """The rows in their order, each with what is wrong with it."""
    rejects = validate(batch, schema).rejects
    wrong = {reject.line: list(reject.problems) for reject in rejects}
    whole = [
        Row(batch.origin, int(line), values, wrong.get(int(line), []))
        for line, values in zip(batch.lines, batch.table.to_pylist(), strict=True)
    ]
    broken = [Row(batch.origin, r.line, r.row, list(r.problems)) for r in batch.rejects]
    return sorted([*whole, *broken], key=lambda row: row.line)
