"""Reads a text as if it were a file of a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.batch import Batch, Reject
from chalicelib.config import Column
from chalicelib.errors import SourceError
from chalicelib.extract.readers import reader_for
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.jointly import read_jointly


class Read:
    """All batches of one file, put together. `whole` is the only one, if it was read before."""

    def __init__(self, file: InputFile, whole: Batch | None = None) -> None:
        reader = reader_for(file.name)
        assert reader is not None
        self.batches: list[Batch] = [whole] if whole else list(reader(file))
        self.detected = file.detected
        self.warnings = file.warnings
        self.repaired = {what: repair.lines for what, repair in file.repaired.items()}

    @property
    def rows(self) -> list[dict[str, str | None]]:
        return [row for batch in self.batches for row in batch.table.to_pylist()]

    @property
    def lines(self) -> list[int]:
        return [int(line) for batch in self.batches for line in batch.lines]

    @property
    def rejects(self) -> list[Reject]:
        return [reject for batch in self.batches for reject in batch.rejects]


def outcomes(files: Iterable[InputFile]) -> Iterator[Any]:
    """What is found in each file, read in their order as a source does; or else the error."""
    for file, whole in read_jointly(files, lambda _: True):
        try:
            yield _outcome(Read(file, whole))
        except SourceError as error:
            yield str(error)


def _outcome(read: Read) -> tuple[Any, ...]:
    tables = [batch.table for batch in read.batches if batch.table.num_rows]
    names = [table.column_names for table in tables]
    return read.rows, read.lines, read.rejects, read.detected, read.warnings, read.repaired, *names


ReadFile = Callable[..., Read]


@pytest.fixture
def read(tmp_path: Path) -> ReadFile:
    """`read("a.csv", b"...", **fields of InputFile)`."""

    def read_file(name: str, content: bytes | str, **fields: object) -> Read:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Read(InputFile("shop", name, path, **fields))

    return read_file


def columns(*names: str, **specs: dict[str, object]) -> dict[str, Column]:
    """Columns of a schema: text by name, others as they are given."""
    text = {name: Column(type="text") for name in names}
    return text | {name: Column.model_validate(spec) for name, spec in specs.items()}
