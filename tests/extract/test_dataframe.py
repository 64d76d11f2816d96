"""All rows of all sources as one DataFrame."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from chalicelib.config import Config, parse_config
from chalicelib.errors import InvalidRows
from chalicelib.extract import to_dataframe


def config(schema: dict[str, Any] | None = None) -> Config:
    document = {"sources": [{"type": "local", "path": "data"}], "target": {"table": "t"}}
    return parse_config(json.dumps(document | ({"schema": schema} if schema else {})), {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_text("id,paid\n1,yes\n x,no\n")
    (data / "b.json").write_text('[{"id": 2, "price": 1.50, "at": "2026-01-31T10:00:00+01:00"}]')
    return tmp_path


def test_as_extracted_it_is_text_with_the_union_of_the_columns(folder: Path) -> None:
    frame = to_dataframe(config(), folder)
    assert list(frame.columns) == ["id", "paid", "price", "at"]
    assert set(frame.dtypes) == {pd.ArrowDtype(pa.string())}
    assert frame["id"].tolist() == ["1", " x", "2"]
    assert frame["paid"].isna().tolist() == [False, False, True]


def test_validated_it_is_typed_as_it_would_be_loaded(folder: Path) -> None:
    columns = {"id": "integer", "paid": "boolean", "price": "decimal", "at": "timestamp"}
    frame = to_dataframe(config({"on_invalid": "quarantine", "columns": columns}), folder,
                         validated=True)  # fmt: skip
    assert frame["id"].tolist() == [1, 2]
    assert frame["paid"].tolist()[0] is True
    assert frame["price"].tolist()[1] == Decimal("1.50")
    assert frame["at"].tolist()[1] == datetime(2026, 1, 31, 9, tzinfo=UTC)


def test_validated_without_a_schema_it_is_inferred(folder: Path) -> None:
    frame = to_dataframe(config(), folder, validated=True)
    assert [str(kind) for kind in frame.dtypes] == [
        "string[pyarrow]", "string[pyarrow]", "decimal128(38, 2)[pyarrow]",
        "timestamp[us, tz=UTC][pyarrow]",
    ]  # fmt: skip


def test_validated_rows_that_do_not_fit_are_refused(folder: Path) -> None:
    with pytest.raises(InvalidRows, match=r"a\.csv line 3: id: ' x'"):
        to_dataframe(config({"columns": {"id": "integer"}}), folder, validated=True)


def test_no_files_are_an_empty_frame_with_the_declared_columns(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert to_dataframe(config(), tmp_path).empty
    frame = to_dataframe(config({"columns": {"id": "integer"}}), tmp_path, validated=True)
    assert (list(frame.columns), len(frame)) == (["id"], 0)
