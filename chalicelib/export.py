"""The run up to the combined CSV, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.combine import CombinedCsv
from chalicelib.config import Config
from chalicelib.extract import open_sources
from chalicelib.gather import Gatherer, extracted, infer, plan
from chalicelib.load import Part
from chalicelib.progress import Progress
from chalicelib.quarantine import Quarantine
from chalicelib.reports import SourceReport
from chalicelib.schema import TableSchema
from chalicelib.schema.together import grouped
from chalicelib.spool import Spool


@dataclass(frozen=True)
class Export:
    """What was written to `output`. `quarantined` rows were left out of it."""

    output: Path
    rows: int
    quarantined: int
    sources: list[SourceReport]


def export(
    config: Config, base: Path, output: Path, progress: Progress, *, raw: bool = False
) -> Export:
    """Everything the sources hold as one CSV file, whatever was loaded before.

    `raw`: as extracted, with the columns of the sources; otherwise as it would be loaded.
    """
    sources = open_sources(config, base)
    plan(sources, progress)
    reports = [source.report for source in sources]
    with TemporaryDirectory(prefix="elt-") as folder, Spool(Path(folder) / "spool") as spool:
        evidence = infer(extracted(sources, progress), config, spool)
        unfinished = output.with_name(f"{output.name}.part")
        if raw:
            return _export_raw(unfinished, output, spool, reports)
        schema = TableSchema(config.declared) if config.strict else evidence.schema()
        rejects = Quarantine(Path(folder) / "rejects.csv", Part("", 0, "", ""))
        combined = CombinedCsv(unfinished, schema.names)
        gatherer = Gatherer(schema, config.on_invalid, reports, rejects, progress)
        gatherer.gather(grouped(spool.batches()), combined, stop=lambda: False)
        combined.close()
        unfinished.replace(output)
        return Export(output, combined.rows, rejects.count, reports)


def _export_raw(
    unfinished: Path, output: Path, spool: Spool, reports: list[SourceReport]
) -> Export:
    names = tuple(dict.fromkeys(n for b in spool.batches() for n in b.table.column_names))
    combined = CombinedCsv(unfinished, names)
    for batch in spool.batches():
        combined.append(_aligned(batch, names))
    combined.close()
    unfinished.replace(output)
    return Export(output, combined.rows, sum(len(b.rejects) for b in spool.batches()), reports)


def _aligned(batch: Batch, names: tuple[str, ...]) -> pa.Table:
    absent = pa.nulls(batch.table.num_rows, pa.string())
    present = set(batch.table.column_names)
    return pa.table({name: batch.table[name] if name in present else absent for name in names})
