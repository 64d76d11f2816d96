"""Each row says which run loaded it, from where, and when."""

from __future__ import annotations

import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.config import Column
from chalicelib.lineage import Lineage, with_ids
from chalicelib.schema import TableSchema
from chalicelib.schema.validate import validate

ROWS = pa.table({"id": ["1", "2"]})


def test_rows_of_a_file_name_the_source_and_the_file() -> None:
    marked = Lineage("run-1", "2026-01-02", apis=()).mark(
        ROWS, Batch("shop", "b/a.csv", ROWS, [2, 3])
    )
    assert marked.to_pylist()[1] == {
        "id": "2", "_run_id": "run-1", "_source": "shop/b/a.csv", "_loaded_at": "2026-01-02",
    }  # fmt: skip


def test_rows_of_an_api_name_the_source_alone_since_an_address_may_hold_a_secret() -> None:
    batch = Batch("web", "https://example.com/?key=x", ROWS, [1, 2])
    marked = Lineage("run-1", "2026-01-02", apis={"web"}).mark(ROWS, batch)
    assert marked["_source"].to_pylist() == ["web", "web"]


def test_no_rows_are_marked_as_none() -> None:
    empty = ROWS.slice(0, 0)
    marked = Lineage("run-1", "2026-01-02", apis=()).mark(empty, Batch("shop", "a", empty, []))
    assert marked.column_names == ["id", "_run_id", "_source", "_loaded_at"]


def test_rows_of_a_replay_that_fit_bring_the_ids_of_their_rejects() -> None:
    batch = Batch("shop", "a", pa.table({"id": ["1", "x", "3"]}), [2, 3, 4], ids=[7, 8, 9])
    valid = validate(batch, TableSchema({"id": Column(type="integer")}))
    assert with_ids(valid.table, valid, batch)["reject"].to_pylist() == ["7", "9"]
