"""Quarantined rows, loaded after a fix of the schema or of the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import TargetError
from chalicelib.reports import RunResult
from tests.pipelines import DECLARED, Pipeline


@pytest.fixture
def shop(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    shop = Pipeline(tmp_path, database)
    shop.write("a.csv", "id,name\n1,Ada\nzwei,Alan\ndrei,Grace\n4\n")
    return shop


def replay(shop: Pipeline, parent: str, corrections: dict[int, Any] | None = None) -> RunResult:
    return pipeline.replay(shop.config, shop.folder, parent, corrections or {})


def statuses(shop: Pipeline) -> list[tuple[Any, ...]]:
    return shop.query("select run_id, line, status from elt.rejects order by id")


def test_a_wider_schema_takes_the_stored_rows(shop: Pipeline) -> None:
    first = shop.run().run_id
    shop.query("alter table orders alter id type text")
    shop.schema = {**DECLARED, "columns": {"id": "text", "name": "text"}}
    result = replay(shop, first)
    assert (result.read, result.inserted, result.quarantined) == (3, 2, 1)
    assert shop.rows == [("1", "Ada"), ("drei", "Grace"), ("zwei", "Alan")]
    assert statuses(shop) == [
        (first, 3, "replayed"),
        (first, 4, "replayed"),
        (first, 5, "replayed"),
        (result.run_id, 5, "quarantined"),
    ]


def test_corrected_rows_take_the_place_of_the_stored(shop: Pipeline) -> None:
    first = shop.run().run_id
    ids = [row[0] for row in shop.query("select id from elt.rejects order by id")]
    corrections = {ids[0]: {"id": "2", "name": "Alan"}, ids[2]: {"id": "4", "name": None}}
    result = replay(shop, first, corrections)
    assert shop.rows == [(1, "Ada"), (2, "Alan"), (4, None)]
    assert result.quarantined == 1


@pytest.mark.parametrize("strict", [True, False])
def test_a_row_that_stays_malformed_keeps_the_columns_it_should_have(
    shop: Pipeline, strict: bool
) -> None:
    shop.schema = {**DECLARED, "strict_mode": strict}
    first = shop.run().run_id
    again = replay(shop, replay(shop, first).run_id)
    stored = shop.query("select columns from elt.rejects where line = 5 order by id")
    assert stored == [(["id", "name"],)] * 3
    (last,) = shop.query(f"select max(id) from elt.rejects where run_id = '{again.run_id}'")
    replay(shop, again.run_id, {last[0]: {"id": "4", "name": "Eve"}})
    assert (4, "Eve") in shop.rows


def test_a_replay_is_not_repeated(shop: Pipeline) -> None:
    first = shop.run().run_id
    replay(shop, first)
    again = replay(shop, first)
    assert (again.read, again.inserted) == (0, 0)


def test_with_replace_only_what_is_in_the_table_can_be_replayed(shop: Pipeline) -> None:
    shop.target["mode"] = "replace"
    first = shop.run().run_id
    second = shop.run().run_id
    with pytest.raises(TargetError, match=f"rows of run {first} were replaced"):
        replay(shop, first)
    (reject, *_) = [
        row[0] for row in shop.query(f"select id from elt.rejects where run_id = '{second}'")
    ]
    replay(shop, second, {reject: {"id": "2", "name": "Alan"}})
    assert shop.rows == [(1, "Ada"), (2, "Alan")], "a replay adds"
    assert replay(shop, second).read == 0, "and is no replacement itself"


def test_a_newer_content_of_the_file_closes_its_rejects(shop: Pipeline) -> None:
    first = shop.run().run_id
    shop.source["on_change"] = "append"
    shop.write("a.csv", "id,name\n2,Alan\n")
    shop.run()
    assert {status for _, _, status in statuses(shop)} == {"superseded"}
    assert replay(shop, first).read == 0


def test_rejects_are_not_loaded_into_another_table(shop: Pipeline) -> None:
    first = shop.run().run_id
    shop.target["table"] = "elsewhere"
    shop.schema = {**DECLARED, "columns": {"id": "text", "name": "text"}}
    with pytest.raises(TargetError, match=r"loaded public\.orders, and its rejects belong there"):
        replay(shop, first)
    assert shop.query("select to_regclass('elsewhere')") == [(None,)]
    assert {status for _, _, status in statuses(shop)} == {"quarantined"}
