"""Reads a text as if it were a file of a source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.batch import Batch, Reject
from chalicelib.config import Column
from chalicelib.extract.readers import reader_for
from chalicelib.extract.readers.input_file import InputFile


class Read:
    """All batches of one file, put together."""

    def __init__(self, file: InputFile) -> None:
        reader = reader_for(file.name)
        assert reader is not None
        self.batches: list[Batch] = list(reader(file))
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
