"""Whole runs against a real database: what is loaded, exactly once, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib import gather, load, pipeline, start
from chalicelib.errors import ChangedFile, EltError, InvalidRows, SourceError, TargetError
from chalicelib.extract import fingerprint, local
from chalicelib.part import PartRun
from chalicelib.progress import Progress
from chalicelib.schema import together
from tests.pipelines import DECLARED, Pipeline


@pytest.fixture
def shop(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    return Pipeline(tmp_path, database)


def test_files_of_all_kinds_become_one_table_and_one_csv(shop: Pipeline) -> None:
    shop.write("a.csv", "id;name\n1;Ada\n")
    shop.write("b/c.json", '{"orders": [{"id": 2, "name": "Alan"}]}')
    shop.write("d.txt", "id\tname\n3\tGrace\n")
    shop.write("e.csv.gz", gzip.compress(b"name,id\nKatherine,4\n"))
    result = shop.run()
    assert shop.rows == [(1, "Ada"), (2, "Alan"), (3, "Grace"), (4, "Katherine")]
    assert result.output is not None
    assert result.output.read_text() == "id,name\n1,Ada\n2,Alan\n3,Grace\n4,Katherine\n"
    assert (result.read, result.inserted, result.quarantined) == (4, 4, 0)
    assert set(result.seconds) >= {"plan", "extract", "validate", "combine", "load"}


def test_a_second_run_loads_nothing_and_says_why(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.run()
    again = shop.run()
    assert len(shop.rows) == 1
    assert again.output is None
    assert again.sources[0].files["a.csv"].detail == "loaded before"


def test_only_a_new_file_is_loaded(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.run()
    shop.write("b.csv", "id,name\n2,Alan\n")
    assert shop.run().inserted == 1
    assert len(shop.rows) == 2


def test_a_copy_under_another_name_is_skipped_with_its_twin(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.write("b.csv", "id,name\n1,Ada\n")
    first = shop.run()
    shop.write("c.csv", "id,name\n1,Ada\n")
    second = shop.run()
    assert len(shop.rows) == 1
    assert first.sources[0].files["b.csv"].detail == "the same content as a.csv"
    assert second.sources[0].files["c.csv"].detail == "loaded before as a.csv"


def test_changed_content_of_a_loaded_name_fails_and_names_the_choices(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.run()
    shop.write("a.csv", "id,name\n1,Ada\n2,Alan\n")
    with pytest.raises(ChangedFile, match=r"a\.csv.*on_change: append"):
        shop.run()
    shop.source["on_change"] = "append"
    assert shop.run().inserted == 2
    assert shop.rows == [(1, "Ada"), (1, "Ada"), (2, "Alan")]


def test_not_incremental_loads_everything_each_time(shop: Pipeline) -> None:
    shop.source["incremental"] = False
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.run()
    assert shop.run().inserted == 1
    assert len(shop.rows) == 2


def test_bad_rows_are_quarantined_with_line_column_value_and_reason(shop: Pipeline) -> None:
    shop.write("a.csv", 'id,name\n1,Ada\nx,"a\nb"\n3\n,Grace\n')
    result = shop.run()
    assert shop.rows == [(1, "Ada")]
    assert (result.read, result.inserted, result.quarantined) == (4, 1, 3)
    rejects = shop.query(
        'select file, line, "column", value, reason, "row", status from elt.rejects order by line'
    )
    assert rejects == [
        ("a.csv", 3, "id", "x", "is not a whole number of 64 bits", {"id": "x", "name": "a\nb"},
         "quarantined"),
        ("a.csv", 5, None, "3", "has 1 fields where the header has 2", {"_raw": "3"},
         "quarantined"),
        ("a.csv", 6, "id", None, "is required", {"id": None, "name": "Grace"}, "quarantined"),
    ]  # fmt: skip
    assert result.sources[0].files["a.csv"].quarantined == 3


def test_a_run_that_failed_and_is_resumed_keeps_no_reject_of_before(shop: Pipeline) -> None:
    run_id = "20260101T000000000000-0001"
    shop.schema = DECLARED | {"on_invalid": "fail"}
    shop.write("a.csv", "id,name\nx,Ada\n")
    with pytest.raises(InvalidRows):
        shop.run(run_id=run_id)
    shop.write("a.csv", "id,name\n1,Ada\n")
    assert shop.run(run_id=run_id).inserted == 1
    assert shop.query("select count(*) from elt.rejects") == [(0,)]


def test_fail_loads_nothing_and_keeps_the_rejects_as_not_loaded(shop: Pipeline) -> None:
    assert shop.schema is not None
    shop.schema = {**shop.schema, "on_invalid": "fail"}
    shop.write("a.csv", "id,name\n1,Ada\nx,Alan\ny,Grace\n")
    with pytest.raises(InvalidRows, match=r"2 rows do not fit(.|\n)*a\.csv line 3: id: 'x' is not"):
        shop.run()
    assert shop.rows == []
    assert shop.query("select line, status from elt.rejects order by 1") == [
        (3, "not_loaded"),
        (4, "not_loaded"),
    ]
    assert shop.query("select count(*) from elt.loads") == [(0,)]
    shop.write("a.csv", "id,name\n1,Ada\n2,Alan\n3,Grace\n")
    assert shop.run().inserted == 3


def test_fail_does_not_look_for_bad_rows_for_ever(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "MAX_REJECTS_WHEN_FAILING", 3)
    monkeypatch.setattr(together, "ENOUGH", 1)
    assert shop.schema is not None
    shop.schema = {**shop.schema, "on_invalid": "fail"}
    for name in range(9):
        shop.write(f"{name}.csv", f"id,name\nx,{name}\n")
    with pytest.raises(InvalidRows, match="3 rows do not fit"):
        shop.run()


def test_null_keeps_the_row_and_counts_the_values(shop: Pipeline) -> None:
    shop.schema = {"on_invalid": "null", "strict_mode": True, "columns": {"id": "integer"}}
    shop.write("a.csv", "id\n1\nx\n")
    result = shop.run()
    assert shop.query("select id from orders order by 1") == [(1,), (None,)]
    assert (result.inserted, result.nulled) == (2, 1)


def test_null_and_the_empty_string_stay_apart(shop: Pipeline) -> None:
    shop.write("a.csv", 'id,name\n1,""\n2,\n')
    shop.run()
    assert shop.rows == [(1, ""), (2, None)]


def test_hostile_text_arrives_as_it_is(shop: Pipeline) -> None:
    names = ["\\.", "\\N", 'a"b', "a,b", "a\nb", "\t", "' or 1=1 --", "ü€😀", " x "]
    shop.write("a.json", json.dumps([{"id": n, "name": name} for n, name in enumerate(names)]))
    shop.run()
    assert [name for _, name in shop.rows] == names


def test_without_a_schema_types_are_inferred_from_the_whole_data(shop: Pipeline) -> None:
    shop.schema = None
    shop.write("a.csv", "id,zip,price,day,at\n1,01234,1,2026-01-31,2026-01-31T10:00:00Z\n")
    shop.write("b.json", '[{"id": 9007199254740993, "price": 2.50, "big": 99999999999999999999}]')
    result = shop.run()
    kinds = shop.query(
        "select column_name, data_type from information_schema.columns"
        " where table_name = 'orders' order by ordinal_position"
    )
    assert kinds == [
        ("id", "bigint"),
        ("zip", "text"),
        ("price", "numeric"),
        ("day", "date"),
        ("at", "timestamp with time zone"),
        ("big", "numeric"),
    ]
    assert shop.query("select id, zip, price, big from orders order by id") == [
        (1, "01234", Decimal(1), None),
        (9007199254740993, None, Decimal("2.50"), Decimal(99999999999999999999)),
    ]
    assert result.output is not None
    assert not list(result.output.parent.glob("spool*"))


def test_a_table_that_is_not_strict_is_widened(shop: Pipeline) -> None:
    shop.schema = {"columns": {"id": "integer"}}
    shop.write("a.csv", "id\n1\n")
    shop.run()
    shop.write("b.csv", "id,colour\n2,red\n")
    assert shop.run().changes == ["added column colour"]
    assert shop.rows == [(1, None), (2, "red")]


def test_a_new_column_without_a_value_takes_the_type_of_the_table(shop: Pipeline) -> None:
    shop.schema = None
    shop.write("a.csv", "id,n\n1,5\n")
    shop.run()
    shop.write("b.csv", "id,n\n2,\n")
    shop.run()
    assert shop.rows == [(1, 5), (2, None)]


def test_strict_mode_reports_the_columns_it_leaves_out(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name,secret\n1,Ada,x\n")
    assert shop.run().sources[0].files["a.csv"].ignored == ["secret"]


def test_another_type_in_the_target_is_refused_with_both_types(shop: Pipeline) -> None:
    shop.query("create table orders (id date, name text)")
    shop.write("a.csv", "id,name\n1,Ada\n")
    with pytest.raises(TargetError, match="column id is date, the data is bigint"):
        shop.run()


def test_a_row_that_postgresql_refuses_fails_the_run_and_loads_nothing(shop: Pipeline) -> None:
    shop.query("create table orders (id int check (id < 2), name text)")
    shop.write("a.csv", "id,name\n1,Ada\n2,Alan\n")
    with pytest.raises(TargetError, match="orders_id_check"):
        shop.run()
    assert shop.rows == []
    assert shop.query("select count(*) from elt.files") == [(0,)]


def test_replace_puts_all_rows_in_place_of_the_old(shop: Pipeline) -> None:
    shop.target["mode"] = "replace"
    shop.write("a.csv", "id,name\n1,Ada\n2,Alan\n")
    shop.run()
    shop.write("a.csv", "id,name\n3,Grace\n")
    result = shop.run()
    assert shop.rows == [(3, "Grace")]
    assert (result.inserted, result.deleted) == (1, 2)
    assert shop.run().inserted == 1, "replace reads everything, every time"


def test_replace_with_no_rows_keeps_the_old_unless_told(shop: Pipeline) -> None:
    shop.target["mode"] = "replace"
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.run()
    shop.write("a.csv", "id,name\n")
    kept = shop.run()
    assert shop.rows == [(1, "Ada")]
    assert any("keeps the old" in warning for warning in kept.warnings)
    shop.target["allow_empty"] = True
    shop.run()
    assert shop.rows == []


def test_an_empty_file_is_no_failure_but_a_warning(shop: Pipeline) -> None:
    shop.write("a.csv", "")
    shop.write("b.csv", "id,name\n")
    shop.write("c.csv", "id,name\n1,Ada\n")
    result = shop.run()
    assert result.inserted == 1
    assert result.warnings == ["a.csv: no rows", "b.csv: no rows"]


def test_a_broken_file_fails_the_run_and_nothing_is_loaded(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.write("b.csv", "number,name\n2,Alan\n")
    with pytest.raises(SourceError, match=r"b\.csv line 1: no column 'id'"):
        shop.run()
    assert shop.rows == []


def test_a_broken_file_can_be_left_for_the_next_run(shop: Pipeline) -> None:
    shop.source["on_file_error"] = "skip"
    shop.write("a.csv", "id,name\n1,Ada\n")
    broken = shop.write("b.csv", "number,name\n2,Alan\n")
    result = shop.run()
    assert shop.rows == [(1, "Ada")]
    assert result.sources[0].files["b.csv"].outcome == "failed"
    assert any("b.csv line 1" in warning for warning in result.warnings)
    broken.write_text("id,name\n2,Alan\n3,Grace\n")
    assert shop.run().inserted == 2


def test_a_broken_file_among_many_is_the_only_one_left(shop: Pipeline) -> None:
    shop.source["on_file_error"] = "skip"
    for number in range(5):
        shop.write(f"{number}.csv", f"id,name\n{number},Ada\n")
    shop.write("2.csv", "number,name\n2,Ada\n")
    files = shop.run().sources[0].files
    assert [name for name, file in files.items() if file.outcome == "failed"] == ["2.csv"]
    assert [number for number, _ in shop.rows] == [0, 1, 3, 4]


def test_what_was_found_and_mended_in_a_file_is_in_the_report(shop: Pipeline) -> None:
    shop.write("a.csv", "Shop 3\nid;name\n1;'Ada'\n2;'O''Brien'\n3\n4;Zo\xeb;\n".encode("cp1252"))
    result = shop.run()
    assert shop.rows == [(1, "Ada"), (2, "O'Brien"), (3, None), (4, "Zoë")]
    file = asdict(result)["sources"][0]["files"]["a.csv"]
    assert file["detected"] == {
        "encoding": "Windows-1252",
        "delimiter": "semicolon",
        "quote": "'",
        "escape": "doubled",
        "record end": "LF",
        "header": "line 2",
        "lines skipped": "1",
    }
    assert file["repaired"] == {
        "last field missing, read as NULL": {"count": 1, "lines": [5]},
        "empty fields at the end left out": {"count": 1, "lines": [6]},
    }


def test_a_missing_folder_is_named(shop: Pipeline) -> None:
    shop.source["path"] = "nowhere"
    with pytest.raises(SourceError, match="nowhere is not a folder"):
        shop.run()


def test_a_name_that_postgresql_would_cut_is_refused(shop: Pipeline) -> None:
    shop.schema = None
    shop.write("a.csv", f"id,{'x' * 64}\n1,2\n")
    with pytest.raises(SourceError, match="longer than the 63 bytes"):
        shop.run()


@pytest.mark.parametrize("large", [0, fingerprint.LARGE])
def test_a_file_that_grows_while_it_is_read_is_noticed(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(fingerprint, "LARGE", large)
    path = shop.write("a.csv", "id,name\n1,Ada\n")

    def grow(_: Progress) -> None:
        with path.open("a") as file:
            file.write("2,Alan\n")

    monkeypatch.setattr(Progress, "next_file", grow)
    with pytest.raises(SourceError, match="changed while it was read"):
        shop.run()
    assert shop.rows == []


def test_a_run_that_is_repeated_under_its_id_loads_nothing_twice(shop: Pipeline) -> None:
    """As a resumed run would: the ledger knows the part."""
    shop.source["incremental"] = False
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.run(run_id="run-1")
    shop.run(run_id="run-1")
    assert shop.rows == [(1, "Ada")]


def test_only_the_folders_of_the_last_runs_stay(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "KEPT_RUNS", 2)
    shop.source["incremental"] = False
    shop.write("a.csv", "id,name\n1,Ada\n")
    outputs = [shop.run().output for _ in range(4)]
    assert [bool(path and path.exists()) for path in outputs] == [False, False, True, True]


def test_a_resumed_run_keeps_its_own_folder_however_many_are_newer(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    runs = shop.folder / ".elt" / "runs"
    for number in range(6):
        (runs / f"run-{number}").mkdir(parents=True)
    result = shop.run(run_id="run-1")
    assert result.output is not None
    assert result.output.exists()
    assert sorted(path.name for path in runs.iterdir()) == ["run-1", "run-4", "run-5"]


def test_a_run_that_fails_leaves_no_thread_behind(shop: Pipeline) -> None:
    shop.schema = {**DECLARED, "on_invalid": "fail"}
    shop.write("a.csv", "id,name\nx,Ada\n")
    for number in range(5):
        shop.write(f"b{number}.json", f'[{{"id": {number}, "name": "Ada"}}]')
    before = threading.active_count()
    with pytest.raises(InvalidRows):
        shop.run()
    assert threading.active_count() == before


def test_a_database_that_is_not_there_is_named(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_TARGET_URL", "postgresql://nobody:canary@127.0.0.1:1/none")
    shop.write("a.csv", "id,name\n1,Ada\n")
    with pytest.raises(EltError, match=r"127\.0\.0\.1:1") as refused:
        shop.run()
    assert "canary" not in str(refused.value)


def test_a_large_file_is_hashed_while_it_is_read_and_known_afterwards(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "LARGE", 1)
    hashing, original = [], local.fingerprint

    def noted(*args: Any) -> fingerprint.Fingerprint:
        hashing.append(threading.current_thread().name)
        return original(*args)

    monkeypatch.setattr(local, "fingerprint", noted)
    text = "id,name\n1,Ada\n"
    shop.write("a.csv", text)
    shop.run()
    assert [name.partition("_")[0] for name in hashing] == ["hash"]
    ((sha256,),) = shop.query("select sha256 from elt.files")
    assert sha256 == hashlib.sha256(text.encode()).hexdigest()
    shop.write("b.csv", text)
    shop.write("c.csv", "id,name\n2,Alan\n")
    shop.write("d.csv", "id,name\n2,Alan\n")
    again = shop.run()
    details = [file.detail for file in again.sources[0].files.values()]
    assert details == ["loaded before", "loaded before as a.csv", "the same content as c.csv", ""]
    assert shop.rows == [(1, "Ada"), (2, "Alan")]


def test_a_file_replaced_between_hashing_and_reading_is_noticed(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shop.write("a.csv", "id,name\n1,Ada\n")
    original = pipeline.plan

    def plan_then_replace(*args: Any) -> bool:
        found = original(*args)
        path.write_text("id,name\n2,Alan\n")
        return found

    monkeypatch.setattr(pipeline, "plan", plan_then_replace)
    with pytest.raises(SourceError, match="changed while it was read"):
        shop.run()
    assert shop.rows == []


def test_one_of_many_files_that_is_replaced_between_hashing_and_reading_is_named(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [shop.write(f"{number}.csv", f"id,name\n{number},Ada\n") for number in range(5)]
    original = pipeline.plan

    def plan_then_replace(*args: Any) -> bool:
        found = original(*args)
        paths[3].write_text("id,name\n9,Alan\n")
        return found

    monkeypatch.setattr(pipeline, "plan", plan_then_replace)
    with pytest.raises(SourceError, match=r"3\.csv: the file changed while it was read"):
        shop.run()
    assert shop.rows == []


def test_each_of_many_small_files_keeps_its_rows_lines_rejects_and_place_in_the_ledger(
    shop: Pipeline,
) -> None:
    shop.target["lineage"] = True
    for number in range(6):
        second = "x" if number in (2, 4) else number + 10
        shop.write(f"{number}.csv", f"id,name\n{number},Ada\n{second},Alan\n")
    shop.write("3.csv", "id,name\n3,Ada\n13,Alan,more\n")
    result = shop.run()
    files = result.sources[0].files
    assert {name: (file.rows, file.quarantined) for name, file in files.items()} == {
        f"{number}.csv": (2, int(number in (2, 3, 4))) for number in range(6)
    }
    assert shop.query("select file, line from elt.rejects order by 1") == [
        (f"{number}.csv", 3) for number in (2, 3, 4)
    ]
    assert shop.query("select _source, count(*) from orders group by 1 order by 1") == [
        (f"local/{number}.csv", 1 if number in (2, 3, 4) else 2) for number in range(6)
    ]
    ledger = shop.query("select name, rows from elt.files order by 1")
    assert ledger == [(f"{number}.csv", 2) for number in range(6)]
    assert shop.run().read == 0


def test_our_own_output_and_hidden_folders_are_no_input(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_WORK_DIR", str(shop.folder / "data" / "work"))
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.write(".hidden/b.csv", "id,name\n2,Alan\n")
    shop.run()
    shop.write("c.csv", "id,name\n3,Grace\n")
    shop.run()
    assert shop.rows == [(1, "Ada"), (3, "Grace")]


def test_a_source_that_was_renamed_does_not_load_its_files_again(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.run()
    shop.source["name"] = "shop"
    with pytest.raises(SourceError, match=r"a\.csv.*under the source name 'local'.*Call source"):
        shop.run()
    assert shop.rows == [(1, "Ada")]


def test_a_reject_may_hold_anything(shop: Pipeline) -> None:
    shop.write("a.json", json.dumps([{"id": "x\x00", "name": "\\u0000"}, {"id": 1, "name": "a"}]))
    assert shop.run().quarantined == 1
    assert shop.query('select value, "row" from elt.rejects') == [
        ("x␀", {"id": "x␀", "name": "\\u0000"})
    ]


def test_values_that_only_postgresql_would_refuse_are_quarantined(shop: Pipeline) -> None:
    columns = {"t": "timestamp", "d": "decimal", "j": "json"}
    shop.schema = {"strict_mode": True, "on_invalid": "quarantine", "columns": columns}
    rows = [
        {"t": "2026-01-01T00:00:00+25:00"},
        {"d": "1e-99999"},
        {"j": '{"a": 1e999999}'},
        {"j": '"\\ud800"'},
        {"t": "2026-01-01T00:00:00.123456789Z", "d": "1e-300", "j": '"\\ud83d\\ude00"'},
    ]
    shop.write("a.json", json.dumps(rows))
    result = shop.run()
    assert (result.inserted, result.quarantined) == (1, 4)
    assert shop.query("select to_char(t, 'US') from orders") == [("123457",)]


def test_replace_of_nothing_says_that_it_keeps_the_old(shop: Pipeline) -> None:
    shop.target["mode"] = "replace"
    assert any("keeps the old" in warning for warning in shop.run().warnings)


def test_rows_are_copied_while_others_are_written_though_the_schema_is_inferred(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying = threading.Event()
    copy, gather_all = PartRun._copy, gather.Gatherer.gather

    def copy_and_tell(*args: Any) -> load.LoadResult:
        copying.set()
        return copy(*args)

    def gather_late(*args: Any) -> None:
        assert copying.wait(5)
        gather_all(*args)

    monkeypatch.setattr(PartRun, "_copy", copy_and_tell)
    monkeypatch.setattr(gather.Gatherer, "gather", gather_late)
    shop.schema = None
    shop.write("a.csv", "id,name\n1,Ada\n")
    assert shop.run().inserted == 1


def test_an_interrupt_in_mid_copy_stops_at_once_and_loads_nothing(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the COPY is waked up, its backend is ended, the rows are gone."""
    shop.write("a.csv", "id,name\n1,Ada\n")

    def interrupted(*_args: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gather.Gatherer, "gather", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shop.run()
    assert shop.rows == []
