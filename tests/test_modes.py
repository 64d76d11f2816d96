"""What becomes of a file that grows, is corrected, goes and comes back, in each mode of loading."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import ChangedFile, EltError, InvalidRows, SourceError, TargetError
from chalicelib.extract import fingerprint
from tests.pipelines import DECLARED, Pipeline

OLD = "id,name\n1,Ada\n2,Alan\n"
GROWN = "id,name\n1,Ada\n2,Alan\n3,Grace\n"
CORRECTED = "id,name\n1,Ada\n2,Alan Turing\n"


@pytest.fixture(params=[0, fingerprint.LARGE], ids=["hashed late", "hashed first"])
def shop(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Pipeline:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    monkeypatch.setattr(fingerprint, "LARGE", request.param)
    shop = Pipeline(tmp_path, database)
    shop.write("a.csv", OLD)
    return shop


APPEND = {"mode": "append"}
ADDING = {"mode": "append", "on_change": "append"}
REPLACING_ROWS = {"mode": "append", "lineage": True, "on_change": "replace_rows"}
REPLACE = {"mode": "replace"}
MERGE = {"mode": "merge", "primary_key": "id"}


def setting(shop: Pipeline, mode: dict[str, Any]) -> Pipeline:
    mode = dict(mode)
    if change := mode.pop("on_change", None):
        shop.source["on_change"] = change
    shop.target |= mode
    return shop


def names(shop: Pipeline) -> list[tuple[Any, ...]]:
    return shop.query("select id, name from orders order by id, name")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (ADDING, [(1, "Ada"), (1, "Ada"), (2, "Alan"), (2, "Alan"), (3, "Grace")]),
        (REPLACING_ROWS, [(1, "Ada"), (2, "Alan"), (3, "Grace")]),
        (REPLACE, [(1, "Ada"), (2, "Alan"), (3, "Grace")]),
        (MERGE, [(1, "Ada"), (2, "Alan"), (3, "Grace")]),
    ],
)
def test_a_growing_file(mode: dict[str, Any], expected: list[Any], shop: Pipeline) -> None:
    setting(shop, mode).run()
    shop.write("a.csv", GROWN)
    shop.run()
    assert names(shop) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (ADDING, [(1, "Ada"), (1, "Ada"), (2, "Alan"), (2, "Alan Turing")]),
        (REPLACING_ROWS, [(1, "Ada"), (2, "Alan Turing")]),
        (REPLACE, [(1, "Ada"), (2, "Alan Turing")]),
        (MERGE, [(1, "Ada"), (2, "Alan Turing")]),
    ],
)
def test_a_corrected_file(mode: dict[str, Any], expected: list[Any], shop: Pipeline) -> None:
    setting(shop, mode).run()
    shop.write("a.csv", CORRECTED)
    shop.run()
    assert names(shop) == expected
    if mode is not REPLACE:
        assert shop.run().read == 0, "the correction is loaded once, too"


def test_a_changed_file_fails_by_default_and_names_the_choices(shop: Pipeline) -> None:
    shop.run()
    shop.write("a.csv", CORRECTED)
    with pytest.raises(ChangedFile, match=r"a\.csv.*append.*replace_rows.*replace"):
        shop.run()
    assert names(shop) == [(1, "Ada"), (2, "Alan")]


@pytest.mark.parametrize(
    ("mode", "left"), [(APPEND, 2), (REPLACING_ROWS, 2), (REPLACE, 0), (MERGE, 2)]
)
def test_a_deleted_file(mode: dict[str, Any], left: int, shop: Pipeline) -> None:
    """Only a mode that reads everything can know that it is gone."""
    shop.write("b.csv", "id,name\n9,Katherine\n")
    setting(shop, mode).run()
    (shop.folder / "data" / "a.csv").unlink()
    shop.run()
    assert len(names(shop)) == left + 1


@pytest.mark.parametrize("mode", [APPEND, ADDING, REPLACING_ROWS, REPLACE, MERGE])
def test_a_deleted_file_that_comes_back(mode: dict[str, Any], shop: Pipeline) -> None:
    shop.write("b.csv", "id,name\n9,Katherine\n")
    setting(shop, mode).run()
    (shop.folder / "data" / "a.csv").unlink()
    shop.run()
    shop.write("a.csv", OLD)
    shop.run()
    assert names(shop) == [(1, "Ada"), (2, "Alan"), (9, "Katherine")]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (ADDING, [(1, "Ada"), (1, "Ada"), (2, "Alan"), (2, "Alan Turing")]),
        (REPLACING_ROWS, [(1, "Ada"), (2, "Alan")]),
        (REPLACE, [(1, "Ada"), (2, "Alan")]),
        (MERGE, [(1, "Ada"), (2, "Alan")]),
    ],
)
def test_a_content_that_comes_back_after_a_correction(
    mode: dict[str, Any], expected: list[Any], shop: Pipeline
) -> None:
    """Its rows are there already, or another content took their place since."""
    setting(shop, mode).run()
    for content in (CORRECTED, OLD):
        shop.write("a.csv", content)
        shop.run()
    assert names(shop) == expected
    if mode is not REPLACE:
        assert shop.run().read == 0


def test_in_merge_a_copy_of_the_content_before_a_correction_does_not_undo_it(
    shop: Pipeline,
) -> None:
    setting(shop, MERGE).run()
    shop.write("a-backup.csv", OLD)
    shop.write("z-backup.csv", OLD)
    shop.write("a.csv", CORRECTED)
    for _ in range(2):
        shop.run()
    assert names(shop) == [(1, "Ada"), (2, "Alan Turing")]


def test_replace_rows_takes_no_rows_from_a_file_with_the_same_content(shop: Pipeline) -> None:
    shop.write("b.csv", OLD)
    setting(shop, REPLACING_ROWS).run()
    shop.write("a.csv", CORRECTED)
    result = shop.run()
    assert names(shop) == [(1, "Ada"), (1, "Ada"), (2, "Alan"), (2, "Alan Turing")]
    assert result.warnings == ["b.csv holds what a.csv held before; its rows are loaded as its own"]
    shop.write("b.csv", GROWN)
    shop.run()
    assert shop.query("select _source, count(*) from orders group by 1 order by 1") == [
        ("local/a.csv", 2), ("local/b.csv", 3),
    ]  # fmt: skip
    assert shop.run().read == 0


@pytest.mark.parametrize("runs_between", [0, 1])
def test_replace_rows_keeps_the_rows_of_a_file_that_was_rotated(
    runs_between: int, shop: Pipeline
) -> None:
    setting(shop, REPLACING_ROWS)
    data = shop.folder / "data"
    (data / "a.csv").unlink()
    shop.write("cur.csv", "id,name\n1,Ada\n")
    shop.run()
    (data / "cur.csv").rename(data / "old.csv")
    for _ in range(runs_between):
        shop.run()
    shop.write("cur.csv", "id,name\n2,Alan\n")
    shop.run()
    assert names(shop) == [(1, "Ada"), (2, "Alan")]


@pytest.mark.parametrize("mode", [REPLACING_ROWS, MERGE])
def test_a_content_that_was_corrected_and_comes_under_a_new_name_is_read(
    mode: dict[str, Any], shop: Pipeline
) -> None:
    setting(shop, mode).run()
    shop.write("a.csv", CORRECTED)
    shop.run()
    shop.write("c.csv", OLD)
    assert shop.run().read == 2
    assert (2, "Alan") in names(shop)
    assert shop.run().read == 0


def test_files_that_change_to_the_same_content_lose_the_rows_they_had(shop: Pipeline) -> None:
    shop.write("b.csv", GROWN)
    setting(shop, REPLACING_ROWS).run()
    for name in ("a.csv", "b.csv"):
        shop.write(name, "id,name\n9,Katherine\n")
    shop.run()
    assert names(shop) == [(9, "Katherine"), (9, "Katherine")]
    assert shop.run().read == 0


def test_a_rotated_file_is_not_loaded_twice_when_its_successor_cannot_be_read(
    shop: Pipeline,
) -> None:
    setting(shop, REPLACING_ROWS).source["on_file_error"] = "skip"
    shop.run()
    (shop.folder / "data" / "a.csv").rename(shop.folder / "data" / "old.csv")
    shop.write("a.csv", "number,name\n1,Ada\n")
    shop.run()
    assert names(shop) == [(1, "Ada"), (2, "Alan")]
    shop.write("a.csv", GROWN)
    shop.run()
    assert len(names(shop)) == 5


def test_a_file_that_had_the_content_of_another_is_still_known_by_its_own(shop: Pipeline) -> None:
    """Each of them loses its own rows, whichever was recorded with that content last."""
    shop.write("b.csv", "id,name\n4,Mary\n")
    setting(shop, REPLACING_ROWS).run()
    (shop.folder / "data" / "a.csv").unlink()
    shop.write("b.csv", OLD)
    shop.run()
    shop.write("a.csv", CORRECTED)
    shop.run()
    assert names(shop) == [(1, "Ada"), (1, "Ada"), (2, "Alan"), (2, "Alan Turing")]


@pytest.mark.parametrize("mode", [REPLACING_ROWS, MERGE])
def test_a_file_that_takes_over_the_content_of_another_is_changed_like_any_other(
    mode: dict[str, Any], shop: Pipeline
) -> None:
    shop.write("b.csv", "id,name\n1,Ada L\n")
    setting(shop, mode).run()
    (shop.folder / "data" / "a.csv").unlink()
    shop.write("b.csv", OLD)
    result = shop.run()
    assert result.read == 2
    assert (1, "Ada L") not in names(shop)
    assert shop.run().read == 0


@pytest.mark.parametrize("mode", [APPEND, ADDING, REPLACING_ROWS, MERGE])
def test_a_renamed_file_is_not_loaded_again(mode: dict[str, Any], shop: Pipeline) -> None:
    setting(shop, mode).run()
    (shop.folder / "data" / "a.csv").rename(shop.folder / "data" / "b.csv")
    again = shop.run()
    assert again.read == 0
    assert again.sources[0].files["b.csv"].detail == "loaded before as a.csv"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (APPEND, [(1, "Ada"), (2, "Alan")]),
        (REPLACING_ROWS, [(1, "Ada"), (2, "Alan")]),
        (REPLACE, [(1, "Ada"), (2, "Alan")]),
        (MERGE, [(1, "Ada"), (2, "Alan"), (7, "mine")]),
    ],
)
def test_full_reads_everything_again(
    mode: dict[str, Any], expected: list[Any], shop: Pipeline
) -> None:
    setting(shop, mode).run()
    shop.query(
        "update orders set name = 'spoilt'; insert into orders (id, name) values (7, 'mine')"
    )
    result = shop.run(full=True)
    assert result.read == 2
    assert names(shop) == expected
    if mode is not REPLACE:
        assert shop.run().read == 0, "and what it read is known"


def test_full_never_leaves_out_a_file_that_it_cannot_read(shop: Pipeline) -> None:
    """Its rows would be gone."""
    shop.source["on_file_error"] = "skip"
    shop.run()
    shop.write("a.csv", "number,name\n1,Ada\n")
    with pytest.raises(EltError, match=r"a\.csv"):
        shop.run(full=True)
    assert names(shop) == [(1, "Ada"), (2, "Alan")]


def test_rows_say_where_they_came_from(shop: Pipeline) -> None:
    shop.target["lineage"] = True
    result = shop.run()
    marks = "select distinct _run_id, _source, _loaded_at between {} and now() from orders"
    started = "now() - interval '1 hour'"
    assert shop.query(marks.format(started)) == [(result.run_id, "local/a.csv", True)]
    kinds = shop.query(
        "select column_name, data_type from information_schema.columns"
        " where table_name = 'orders' order by ordinal_position offset 2"
    )
    assert kinds == [
        ("_run_id", "text"), ("_source", "text"), ("_loaded_at", "timestamp with time zone"),
    ]  # fmt: skip


def test_merged_rows_say_who_wrote_them_last(shop: Pipeline) -> None:
    setting(shop, {**MERGE, "lineage": True}).run()
    shop.write("b.csv", "id,name\n2,Alan Turing\n")
    second = shop.run().run_id
    assert shop.query(f"select id, _source from orders where _run_id = '{second}'") == [
        (2, "local/b.csv")
    ]


def test_lineage_can_be_turned_on_later(shop: Pipeline) -> None:
    shop.run()
    shop.target["lineage"] = True
    shop.write("b.csv", "id,name\n3,Grace\n")
    assert shop.run().changes == [f"added column {name}" for name in
                                  ("_run_id", "_source", "_loaded_at")]  # fmt: skip
    assert shop.query("select id, _source from orders order by 1") == [
        (1, None), (2, None), (3, "local/b.csv"),
    ]  # fmt: skip


def test_rows_that_were_loaded_without_lineage_are_not_added_once_more(shop: Pipeline) -> None:
    shop.run()
    setting(shop, REPLACING_ROWS)
    shop.write("a.csv", CORRECTED)
    with pytest.raises(ChangedFile, match=r"loaded without target\.lineage.*--full"):
        shop.run()
    shop.run(full=True)
    shop.write("a.csv", GROWN)
    shop.run()
    assert len(names(shop)) == 3


def test_replace_rows_touches_no_other_file_and_no_other_source(shop: Pipeline) -> None:
    setting(shop, REPLACING_ROWS)
    shop.source["name"] = "one"
    shop.more_sources = [{"type": "local", "name": "two", "path": "more"}]
    (shop.folder / "more").mkdir()
    (shop.folder / "more" / "a.csv").write_text("id,name\n5,Katherine\n")
    shop.write("b.csv", "id,name\n4,Mary\n")
    shop.run()
    shop.write("a.csv", CORRECTED)
    result = shop.run()
    assert (result.inserted, result.deleted) == (2, 2)
    assert names(shop) == [(1, "Ada"), (2, "Alan Turing"), (4, "Mary"), (5, "Katherine")]


def test_replace_rows_that_fails_keeps_the_earlier_rows(shop: Pipeline) -> None:
    setting(shop, REPLACING_ROWS).run()
    shop.transform = [{"name": "broken", "sql": "select 1 / 0"}]
    shop.write("a.csv", CORRECTED)
    with pytest.raises(TargetError, match="division by zero"):
        shop.run()
    assert names(shop) == [(1, "Ada"), (2, "Alan")]


def test_a_column_of_the_data_that_lineage_fills_is_refused(shop: Pipeline) -> None:
    setting(shop, {"lineage": True}).schema = None
    shop.write("b.csv", "id,_source\n1,x\n")
    with pytest.raises(SourceError, match="the data has a column _source"):
        shop.run()


def test_merge_counts_each_row_it_read(shop: Pipeline) -> None:
    setting(shop, MERGE).run()
    shop.write("b.csv", "id,name\n2,Alan T\n3,Grace\n3,Grace H\nx,bad\n")
    result = shop.run()
    counts = (result.inserted, result.updated, result.superseded, result.quarantined)
    assert counts == (1, 1, 1, 1)
    assert result.read == sum(counts)
    assert names(shop) == [(1, "Ada"), (2, "Alan T"), (3, "Grace H")]


def test_a_row_without_its_key_is_quarantined(shop: Pipeline) -> None:
    columns = {"id": "integer", "name": "text"}
    setting(shop, MERGE).schema = {**DECLARED, "columns": columns}
    shop.write("b.csv", "id,name\n,nobody\n3,Grace\n")
    result = shop.run()
    assert (result.inserted, result.quarantined) == (3, 1)
    assert shop.query('select "column", reason from elt.rejects') == [("id", "is required")]


def test_without_a_schema_a_row_without_its_key_fails_the_run_with_its_line(
    shop: Pipeline,
) -> None:
    setting(shop, MERGE).schema = None
    shop.write("b.csv", "id,name\n3,Grace\n,nobody\n")
    with pytest.raises(InvalidRows, match=r"b\.csv line 3: id: is required"):
        shop.run()


def test_data_without_the_key_is_refused(shop: Pipeline) -> None:
    setting(shop, {"mode": "merge", "primary_key": ["id", "place"]}).schema = None
    with pytest.raises(SourceError, match="the data has no place, by which mode merge"):
        shop.run()


def test_merge_without_a_schema_makes_the_table_with_its_key(shop: Pipeline) -> None:
    setting(shop, MERGE).schema = None
    shop.run()
    shop.write("a.csv", CORRECTED)
    assert (shop.run().updated, len(names(shop))) == (2, 2)


def test_an_empty_file_is_nothing_to_merge(shop: Pipeline) -> None:
    setting(shop, MERGE).run()
    shop.write("b.csv", "id,name\n")
    assert shop.run().read == 0


def test_replay_in_merge_leaves_rows_alone_that_may_be_newer(shop: Pipeline) -> None:
    setting(shop, MERGE)
    shop.write("b.csv", "id,name\nx,Katherine\ny,Old Ada\n")
    first = shop.run().run_id
    shop.write("c.csv", "id,name\n5,Written since\n")
    shop.run()
    ids = [row[0] for row in shop.query("select id from elt.rejects order by id")]
    corrections = {ids[0]: {"id": "4", "name": "Katherine"}, ids[1]: {"id": "5", "name": "Old"}}
    result = pipeline.replay(shop.config, shop.folder, first, corrections)
    assert (result.inserted, result.updated, result.superseded) == (1, 0, 1)
    assert [w for w in result.warnings if "stale" in w] == [
        "rows whose keys were or may have been written since are stale and left out: id 5"
    ]
    statuses = shop.query("select status from elt.rejects order by id")
    assert statuses == [("replayed",), ("stale",)]
    shop.query("delete from orders where id = 5")
    again = pipeline.replay(shop.config, shop.folder, first, {ids[1]: {"id": "5", "name": "Old"}})
    assert (again.read, again.inserted) == (1, 1)
    assert (4, "Katherine") in names(shop)
    assert (5, "Old") in names(shop)


def rejected_ids(shop: Pipeline) -> list[int]:
    return [row[0] for row in shop.query("select id from elt.rejects order by id")]


@pytest.mark.parametrize("schema", [DECLARED, None], ids=["strict", "inferred"])
def test_replay_in_merge_corrects_a_row_that_nobody_wrote_since(
    schema: dict[str, Any] | None, shop: Pipeline
) -> None:
    setting(shop, {**MERGE, "lineage": True}).run()
    shop.write("b.csv", "id,name\nx,Ada L\ny,Alan T\nz,bad\n")
    first = shop.run().run_id
    shop.schema = schema
    shop.write("c.csv", "id,name\n2,Written since\n")
    shop.run()
    ada, alan, bad = rejected_ids(shop)
    rows = {ada: {"id": "1", "name": "Ada L"}, alan: {"id": "2", "name": "Alan T"},
            bad: {"id": "3", "name": "Grace"}}  # fmt: skip
    result = pipeline.replay(shop.config, shop.folder, first, rows)
    assert (result.inserted, result.updated, result.superseded) == (1, 1, 1)
    assert names(shop) == [(1, "Ada L"), (2, "Written since"), (3, "Grace")]
    statuses = shop.query("select status from elt.rejects order by id")
    assert statuses == [("replayed",), ("stale",), ("replayed",)]


def test_a_row_that_its_own_run_wrote_may_be_newer(shop: Pipeline) -> None:
    setting(shop, {**MERGE, "lineage": True})
    shop.write("b.csv", "id,name\nx,Old\n5,New\n")
    first = shop.run().run_id
    (reject,) = rejected_ids(shop)
    pipeline.replay(shop.config, shop.folder, first, {reject: {"id": "5", "name": "Old"}})
    assert (5, "New") in names(shop)


def test_rejects_of_a_replay_are_as_old_as_those_it_replayed(shop: Pipeline) -> None:
    setting(shop, {**MERGE, "lineage": True})
    shop.write("b.csv", "id,name\nx,Old\n")
    first = shop.run().run_id
    shop.write("c.csv", "id,name\n5,Written since\n")
    shop.run()
    second = pipeline.replay(shop.config, shop.folder, first, {}).run_id
    reject = rejected_ids(shop)[-1]
    pipeline.replay(shop.config, shop.folder, second, {reject: {"id": "5", "name": "Old"}})
    assert (5, "Written since") in names(shop)


def test_a_run_without_lineage_leaves_no_row_of_which_it_is_known_who_wrote_it(
    shop: Pipeline,
) -> None:
    setting(shop, {**MERGE, "lineage": True}).run()
    shop.write("b.csv", "id,name\nx,Older\n")
    first = shop.run().run_id
    shop.target["lineage"] = False
    shop.write("c.csv", "id,name\n1,Written since\n")
    shop.run()
    shop.target["lineage"] = True
    (reject,) = rejected_ids(shop)
    pipeline.replay(shop.config, shop.folder, first, {reject: {"id": "1", "name": "Older"}})
    assert (1, "Written since") in names(shop)


def test_a_replay_after_a_rebuild_is_refused(shop: Pipeline) -> None:
    shop.write("b.csv", "id,name\nx,bad\n")
    first = shop.run().run_id
    shop.run(full=True)
    with pytest.raises(TargetError, match="were replaced since"):
        pipeline.replay(shop.config, shop.folder, first, {})


def test_in_merge_a_newer_content_closes_the_rejects_of_the_file(shop: Pipeline) -> None:
    setting(shop, MERGE)
    shop.write("b.csv", "id,name\nx,Grace\n")
    first = shop.run().run_id
    shop.write("b.csv", "id,name\n3,Grace\n")
    shop.run()
    assert shop.query("select status from elt.rejects") == [("superseded",)]
    assert pipeline.replay(shop.config, shop.folder, first, {}).read == 0


def test_whole_numbers_make_room_for_fractions(shop: Pipeline) -> None:
    shop.schema = None
    shop.run()
    shop.write("b.csv", "id,name\n2.5,Grace\n")
    assert shop.run().changes == ["column id: bigint → numeric"]
    assert [float(row[0]) for row in names(shop)] == [1, 2, 2.5]


def test_a_column_of_another_type_is_a_conflict_unless_it_may_become_text(shop: Pipeline) -> None:
    shop.schema = None
    shop.run()
    shop.write("b.csv", "id,name\nA-3,Grace\n")
    with pytest.raises(TargetError, match="column id is bigint, the data is text"):
        shop.run()
    shop.target["evolve"] = True
    assert shop.run().changes == ["column id: bigint → text"]
    assert [row[0] for row in names(shop)] == ["1", "2", "A-3"]


def test_a_number_that_the_table_would_round_is_quarantined(shop: Pipeline) -> None:
    shop.query("create table orders (id bigint, price numeric(6, 2))")
    columns = {"id": "integer", "price": "decimal"}
    shop.schema = {**DECLARED, "columns": columns}
    shop.write("a.csv", "id,price\n1,1.25\n2,1.250\n3,1.255\n4,125e-2\n5,1255e-3\n6,7\n")
    result = shop.run()
    assert (result.inserted, result.quarantined) == (4, 2)
    reasons = shop.query("select line, reason from elt.rejects order by 1")
    assert reasons == [
        (4, "has more than 2 digits after the point"), (6, "has more than 2 digits after the point")
    ]  # fmt: skip


def test_a_column_that_is_empty_in_the_whole_run_empties_what_was_there(shop: Pipeline) -> None:
    setting(shop, MERGE).schema = None
    columns = {"n": "5", "d": "2026-01-02", "at": "2026-01-02 03:04:05", "b": "true", "x": "y"}
    shop.write("a.csv", f"id,{','.join(columns)}\n1,{','.join(columns.values())}\n")
    shop.run()
    shop.write("a.csv", f"id,{','.join(columns)}\n1,,,,,\n")
    result = shop.run()
    assert (result.updated, result.changes) == (1, [])
    assert shop.query("select * from orders") == [(1, None, None, None, None, None)]


@pytest.mark.parametrize("others", ["", "2,7\n"])
def test_an_empty_value_is_null_whatever_the_tables_default_is(others: str, shop: Pipeline) -> None:
    shop.query("create table orders (id bigint, x numeric(6, 2) default 5)")
    shop.schema = None
    shop.write("a.csv", f"id,x\n1,\n{others}")
    shop.run()
    assert shop.query("select x from orders where id = 1") == [(None,)]


@pytest.mark.parametrize("schema", ["declared", "inferred"])
@pytest.mark.parametrize(
    ("kind", "column", "kept", "rounded"),
    [
        ("real", "integer", ["7", "1234567", "16777216", "-16777216"], ["16777217"]),
        ("real", "decimal", ["0.1", "1234.5", "1234567.0", "5e-2"], ["1234567.89", "0.123456789"]),
        ("double precision", "integer", ["9007199254740992"], ["9007199254740993"]),
        ("double precision", "decimal", ["0.1", "1234567.123456789", "1.50000000000000000000"],
         ["12345678901234567.25"]),
    ],
)  # fmt: skip
def test_a_number_that_a_binary_column_would_round_is_quarantined(
    schema: str, kind: str, column: str, kept: list[str], rounded: list[str], shop: Pipeline
) -> None:
    shop.query(f"create table orders (id bigint, x {kind})")
    columns = {"id": "integer"} | ({"x": column} if schema == "declared" else {})
    shop.schema = {"on_invalid": "quarantine", "columns": columns}
    rows = [f"{number},{value}\n" for number, value in enumerate([*kept, *rounded])]
    shop.write("a.csv", f"id,x\n{''.join(rows)}")
    result = shop.run()
    assert (result.inserted, result.quarantined) == (len(kept), len(rounded))
    stored = [Decimal(row[0]) for row in shop.query("select x::text from orders order by id")]
    assert stored == [Decimal(value) for value in kept]
    reasons = shop.query("select distinct reason from elt.rejects")
    assert reasons == [(f"would be rounded in a column of {kind}",)]


def test_a_column_that_is_declared_as_float_may_be_rounded(shop: Pipeline) -> None:
    shop.query("create table orders (id bigint, x double precision)")
    shop.schema = {**DECLARED, "columns": {"id": "integer", "x": "float"}}
    shop.write("a.csv", "id,x\n1,12345678901234567.25\n")
    assert shop.run().inserted == 1
