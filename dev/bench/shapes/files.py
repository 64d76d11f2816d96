"""The rows of a shape in files: those that the pipeline reads, and one that `\\copy` reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dev.bench.shapes import Shape
from dev.bench.shapes.tables import Fields

CHUNK = 100_000
SMALL_FILE = 100
"""Rows of each."""
BARE = ("integer", "decimal", "float", "boolean")
"""Types whose values JSON writes without quotes."""


@dataclass(frozen=True)
class Written:
    """`folder` is what the pipeline reads, `copy` a CSV file of the rows it is to load.

    `size`: bytes in the folder. `rows` in it, of which `loaded` fit.
    """

    folder: Path
    copy: Path
    rows: int
    loaded: int
    size: int


def write(shape: Shape, rows: int, folder: Path) -> Written:
    """Write so many rows below `folder`, which need not exist."""
    (folder / "data").mkdir(parents=True)
    loaded = 0
    with (folder / "copy.csv").open("wb") as copy:
        for numbers in _chunks(rows):
            made = shape.make(numbers)
            _write_chunk(shape, made.written, int(numbers[0]), folder / "data")
            copy.write(csv_lines(made.loaded, header=not numbers[0]))
            loaded += len(next(iter(made.loaded.values())))
    if shape.written == "json":
        with (folder / "data" / "rows.json").open("ab") as file:
            file.write(b"\n]\n")
    size = sum(path.stat().st_size for path in (folder / "data").iterdir())
    return Written(folder / "data", folder / "copy.csv", rows, loaded, size)


def csv_lines(fields: Fields, *, header: bool) -> bytes:
    """Rows of CSV, null as an empty field."""
    first = (",".join(fields) + "\n").encode() if header else b""
    return first + _bytes(_joined(list(fields.values()), "\n"))


def json_lines(fields: Fields, columns: dict[str, object], end: str = "\n") -> bytes:
    """A JSON object for each row. No text may have what JSON must escape."""
    members = []
    for name, values in fields.items():
        quote = "" if columns[name] in BARE else '"'
        members.append(pc.binary_join_element_wise(f'"{name}":{quote}', values, quote, ""))
    opened = pc.binary_join_element_wise("{", members[0], "")
    return _bytes(_joined([opened, *members[1:]], "}" + end))


def _chunks(rows: int) -> Iterator[np.ndarray]:
    for first in range(0, rows, CHUNK):
        yield np.arange(first, min(first + CHUNK, rows))


def _write_chunk(shape: Shape, fields: Fields, first: int, folder: Path) -> None:
    if shape.written == "small files":
        _write_small_files(fields, first, folder)
        return
    if shape.written == "two files":
        _write_halves(fields, first, folder)
        return
    suffix = "csv" if shape.written == "csv" else "json"
    with (folder / f"rows.{suffix}").open("ab") as file:
        if shape.written == "csv":
            file.write(csv_lines(fields, header=not first))
        elif shape.written == "ndjson":
            file.write(json_lines(fields, dict(shape.columns)))
        else:
            file.write(b",\n" if first else b"[\n")
            file.write(json_lines(fields, dict(shape.columns), end=",\n")[: -len(",\n")])


def _write_halves(fields: Fields, first: int, folder: Path) -> None:
    table = pa.table(fields)
    middle = -(-table.num_rows // 2)
    for number, half in enumerate((table.slice(0, middle), table.slice(middle))):
        rows = {name: half[name].combine_chunks() for name in half.column_names}
        with (folder / f"{number}.csv").open("ab") as file:
            file.write(csv_lines(rows, header=not first))


def _write_small_files(fields: Fields, first: int, folder: Path) -> None:
    table = pa.table(fields)
    for start in range(0, table.num_rows, SMALL_FILE):
        part = table.slice(start, SMALL_FILE).combine_chunks()
        rows = {name: part[name].chunk(0) for name in part.column_names}
        number = (first + start) // SMALL_FILE
        (folder / f"part-{number:06}.csv").write_bytes(csv_lines(rows, header=True))


def _joined(fields: list[pa.Array], end: str) -> pa.StringArray:
    rows = pc.binary_join_element_wise(*fields, ",", null_handling="replace", null_replacement="")
    return pc.binary_join_element_wise(rows, "", end)


def _bytes(lines: pa.StringArray) -> bytes:
    """The texts one after the other, as they lie in memory."""
    _, offsets, text = lines.buffers()
    ends = pa.Array.from_buffers(pa.int32(), len(lines) + 1, [None, offsets])
    return bytes(text.slice(ends[0].as_py(), ends[-1].as_py() - ends[0].as_py()))
