"""A run of several parts ends as a run of one does, and nobody sees half of it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib import database, load, several
from chalicelib.errors import InvalidRows, SourceError, Superseded, TargetError
from chalicelib.processes import InProcesses
from chalicelib.progress import Progress
from chalicelib.several import Cut, InTurn, joined, put_aside, run_part
from chalicelib.start import begin
from tests.pipelines import DECLARED

THREE = Cut(parts=3)


@pytest.fixture
def orders(shop):
    """Seven files, two of the same content, with a row that does not fit and a key that recurs."""
    for number in range(6):
        shop.write(f"{number}.csv", rows(number * 10, 10))
    shop.write("twin.csv", rows(0, 10))
    shop.write("x.csv", "id,name\nbad,row\n3,last\n3,very last\n")
    return shop


def rows(first, count):
    return "id,name\n" + "".join(f"{n},name {n}\n" for n in range(first, first + count))


def staged(orders):
    names = "select table_name from information_schema.tables where table_name like 'stage_%'"
    return [name for (name,) in orders.query(names)]


def test_the_rows_are_those_of_a_run_of_one_part(orders):
    result = orders.run(cut=THREE)
    assert (result.inserted, result.quarantined, result.read) == (62, 1, 63)
    assert [tuple(r) for r in orders.rows] == sorted(
        [(n, f"name {n}") for n in range(60)] + [(3, "last"), (3, "very last")]
    )
    assert orders.query("select part, rows_inserted from elt.loads") == [(0, 62)]
    assert orders.query("select status, count(*) from elt.rejects group by 1") == [
        ("quarantined", 1)
    ]
    assert staged(orders) == []


def outcome(shop, **options):
    """All that a run leaves, but when and by whom."""
    result = shop.run(**options)
    ledger = shop.query(
        "select mode, rows_inserted, rows_updated, rows_superseded, rows_quarantined, "
        "rows_deleted, kept, staged from elt.loads order by loaded_at"
    )
    files = shop.query("select source, name, sha256, rows from elt.files order by 1, 2")
    rejects = shop.query("select file, line, reason, status from elt.rejects order by 1, 2")
    told = {
        file.name: (file.outcome, file.rows, file.detail)
        for file in result.sources[0].files.values()
    }
    counts = result.inserted, result.updated, result.superseded, result.quarantined
    return sorted(shop.rows, key=str), ledger, files, rejects, told, counts, staged(shop)


@pytest.mark.parametrize("mode", ["append", "replace", "merge"])
@pytest.mark.parametrize("schema", [DECLARED, None], ids=["declared", "inferred"])
def test_in_each_mode_it_leaves_what_one_part_leaves(orders, mode, schema):
    orders.schema = schema
    orders.target = {"table": "orders", "mode": mode}
    if mode == "merge":
        orders.target["primary_key"] = ["id"]
    one = outcome(orders)
    orders.write("later.csv", rows(55, 10)), orders.write("more.csv", rows(60, 3))
    one_more = outcome(orders)
    orders.query("drop table orders; drop schema elt cascade")
    (orders.folder / "data" / "later.csv").unlink(), (orders.folder / "data" / "more.csv").unlink()
    several = outcome(orders, cut=THREE)
    orders.write("later.csv", rows(55, 10)), orders.write("more.csv", rows(60, 3))
    assert several == one
    assert outcome(orders, cut=THREE) == one_more


def test_in_processes_it_is_the_same(orders):
    one = outcome(orders)
    orders.query("drop table orders; drop schema elt cascade")
    assert outcome(orders, cut=THREE, work=InProcesses(2)) == one


def test_a_part_that_fails_in_a_process_says_why(orders):
    orders.schema = DECLARED | {"on_invalid": "fail"}
    with pytest.raises(InvalidRows, match=r"x\.csv line 2: id: 'bad'"):
        orders.run(cut=THREE, work=InProcesses(2))
    assert orders.query("select status from elt.rejects") == [("not_loaded",)]


class Stopping(InTurn):
    """Puts so many parts aside, and no more."""

    def __init__(self, parts):
        self._parts = parts

    def do(self, start, plan, progress):
        super().do(start, replace(plan, parts=plan.parts[: self._parts]), progress)


def begun(orders, run_id="20260101T000000000000-0001", parts=1):
    """A run that has some of its parts aside."""
    with pytest.raises(TargetError, match="are missing, the first is part") as failure:
        orders.run(run_id=run_id, cut=THREE, work=Stopping(parts))
    return run_id, failure.value


def test_nobody_sees_a_part_before_all_are_there(orders):
    orders.query("create table orders (id bigint, name text); insert into orders values (0, 'old')")
    _, failure = begun(orders, parts=2)
    assert orders.rows == [(0, "old")]
    assert orders.query("select count(*) from elt.files") == [(0,)]
    assert "of 3 parts 1 are missing, the first is part 3 (local: 4.csv, 5.csv, x.csv)" in str(
        failure
    )
    assert failure.fix == "Resume the run: the other parts are not read again."


def test_a_run_that_is_resumed_reads_only_the_parts_that_are_missing(orders):
    run_id, _ = begun(orders)
    for name in ("0.csv", "twin.csv"):
        (orders.folder / "data" / name).write_text("id,name\n100,changed since\n")
    assert orders.run(run_id=run_id, cut=THREE).inserted == 62
    assert orders.query("select count(*) from orders where id = 100") == [(0,)]
    assert staged(orders) == []


def test_a_new_run_of_the_table_gives_up_what_another_had_aside(orders):
    run_id, _ = begun(orders)
    assert len(staged(orders)) == 1
    assert orders.run().inserted == 62
    assert staged(orders) == []
    with pytest.raises(TargetError, match="published, or was given up"):
        run_part(orders.config, orders.folder, run_id, 2, Progress())


def test_a_run_that_lost_its_table_puts_nothing_aside_and_publishes_nothing(orders):
    run_id, _ = begun(orders)
    start, plan = joined(orders.config, orders.folder, run_id)
    load.take(start.engine, start.part.table, "another")
    for late in (lambda: put_aside(start, plan.parts[1], Progress()),
                 lambda: load.publish(start.engine, start.fence, start.part, [], [1],
                                      load.Harvest(0))):  # fmt: skip
        with pytest.raises(Superseded):
            late()
    assert len(staged(orders)) == 1


def test_an_older_run_does_not_end_the_parts_of_a_newer_one(orders):
    run_id, _ = begun(orders)
    old, _ = joined(orders.config, orders.folder, run_id)
    begun(orders, "20260101T000000000000-0002")
    new, _ = joined(orders.config, orders.folder, "20260101T000000000000-0002")
    fence = load.take_part(new.engine, replace(new.part, number=2))
    with database.transaction(new.engine) as connection:
        fence.register(connection)
        old.fence.end_holder()
        assert connection.exec_driver_sql("select 1").scalar() == 1


def test_a_run_has_one_plan_whoever_made_it_first(orders, monkeypatch):
    start = begin(orders.config, orders.folder)
    first = several.plan(start, THREE, Progress())
    monkeypatch.setattr(load, "plan_of", lambda *_: None)  # asked before the first was kept
    assert several.plan(start, Cut(parts=2), Progress()) == first


def test_rejects_of_an_attempt_that_failed_are_not_those_of_the_run(orders):
    orders.schema = DECLARED | {"on_invalid": "fail"}
    run_id = "20260101T000000000000-0001"
    with pytest.raises(InvalidRows):
        orders.run(run_id=run_id)
    orders.write("x.csv", "id,name\n3,last\n")
    assert orders.run(run_id=run_id, cut=THREE).inserted == 61
    assert orders.query("select count(*) from elt.rejects") == [(0,)]


def test_rejects_of_parts_are_kept_for_as_long_as_the_parts(orders):
    orders.write("0.csv", "id,name\nbad,row\n")
    run_id, _ = begun(orders)
    orders.query("update elt.rejects set created_at = '2020-01-01'")
    start, _ = joined(orders.config, orders.folder, run_id)
    assert load.purge_rejects(start.engine, start.part.table, 1) == 0
    assert orders.run(run_id=run_id, cut=THREE).quarantined == 2


def test_more_parts_than_a_transaction_can_drop_are_given_up(orders):
    run_id, _ = begun(orders)
    like = f'create table elt."stage_{run_id}_{{0}}" (like elt."stage_{run_id}_1")'
    orders.query(";".join(like.format(number) for number in range(2, 251)))
    orders.query(
        "insert into elt.loads (run_id, part, table_name, mode, staged) select run_id, number, "
        "table_name, mode, true from elt.loads, generate_series(2, 250) number"
    )
    assert orders.run().inserted == 62
    assert staged(orders) == []
    assert orders.query("select count(*) from elt.plans") == [(0,)]


def test_a_run_has_no_more_parts_than_one_transaction_can_publish():
    assert Cut(share=1).share_of(1_000_000) == 1_000
    assert Cut(parts=5_000).share_of(1_000_000) == 1_000
    assert Cut(share=5_000).share_of(1_000_000) == 5_000
    assert Cut(parts=3).share_of(10) == 4


def test_what_a_cancelled_run_had_aside_goes(orders):
    orders.write("bad.csv", "id,name\nbad,row\n")
    run_id, _ = begun(orders)
    start, _ = joined(orders.config, orders.folder, run_id)
    load.discard(start.engine, run_id)
    assert staged(orders) == []
    for table in ("plans", "claims", "loads", "rejects"):
        assert orders.query(f"select count(*) from elt.{table}") == [(0,)]


def test_types_are_found_in_all_parts_together(shop):
    shop.schema = None
    shop.write("1.csv", "id,size,day,only here\n1,007,2026-01-02,\n" + "9,9,2026-01-02,\n" * 9)
    shop.write("2.csv", "id,size,day\n2,7,2026-01-03\n" + "9,9,2026-01-02\n" * 9)
    shop.write("3.csv", "id,size,day\n2.5,7,\n" + "9,9,2026-01-02\n" * 9)
    assert shop.run(cut=THREE).inserted == 30
    types = ("select column_name, data_type from information_schema.columns "
             "where table_name = 'orders' order by ordinal_position")  # fmt: skip
    assert dict(shop.query(types)) == {
        "id": "numeric", "size": "text", "day": "date", "only here": "text",
    }  # fmt: skip


@pytest.mark.parametrize("cut", [None, THREE], ids=["one", "three"])
def test_a_table_takes_what_nobody_declared_as_from_one_part(shop, cut):
    shop.schema = None
    shop.query("create table orders (id bigint, at text, size text, code uuid)")
    code = "0b0e0b0e-0000-4000-8000-000000000001"
    for number in range(3):
        row = f"{number},2026-01-02T03:04:05+02:00,1.5e+3,{code}\n"
        shop.write(f"{number}.csv", f"id,at,size,code\n{row}")
    shop.run(cut=cut)
    assert shop.query("select distinct at, size, code::text from orders") == [
        ("2026-01-02T03:04:05+02:00", "1.5e+3", code)
    ]


def test_a_column_may_be_called_as_what_tells_the_order_of_rows(shop):
    shop.schema = None
    shop.target = {"table": "orders", "mode": "merge", "primary_key": ["id"]}
    shop.write("1.csv", rows(0, 10))
    shop.write("2.csv", rows(10, 10).replace("id,name", "id,row"))
    assert shop.run(cut=Cut(parts=2)).inserted == 20
    assert shop.query("select count(name), count(row) from orders") == [(10, 10)]


@pytest.mark.parametrize("before", [True, False], ids=["corrected", "not incremental"])
@pytest.mark.parametrize("cut", [None, THREE], ids=["one", "three"])
def test_the_last_file_wins_although_its_content_came_before(shop, before, cut):
    shop.target = {"table": "orders", "mode": "merge", "primary_key": ["id"]}
    if before:
        shop.write("z.csv", rows(0, 9))
        shop.run()
    else:
        shop.source["incremental"] = False
    shop.write("a.csv", rows(0, 10)), shop.write("z.csv", rows(0, 10))
    shop.write("m.csv", rows(0, 10).replace(",name ", ",other "))
    shop.run(cut=cut)
    assert shop.query("select count(*) from orders where name like 'name%'") == [(10,)]


@pytest.mark.parametrize("kind", ["numeric(10,1)", "real"])
def test_numbers_are_loaded_if_the_table_keeps_all_their_digits(shop, kind):
    shop.schema = None
    shop.query(f"create table orders (id bigint, price {kind})")
    for number in range(3):
        shop.write(f"{number}.csv", f"id,price\n{number},1.5\n")
    assert shop.run(cut=THREE).inserted == 3
    for number in range(3, 6):
        shop.write(f"{number}.csv", f"id,price\n{number},123456789.25\n")
    with pytest.raises(TargetError, match="does not keep all digits"):
        shop.run(cut=THREE)
    assert shop.query("select count(*) from orders") == [(3,)]


def test_a_file_that_is_gone_since_it_was_planned_is_named(orders):
    run_id, _ = begun(orders)
    (orders.folder / "data" / "x.csv").unlink()
    with pytest.raises(SourceError, match=r"x\.csv: is gone since the run was planned"):
        orders.run(run_id=run_id, cut=THREE)


def test_a_link_that_leads_nowhere_is_named(orders):
    (orders.folder / "data" / "link.csv").symlink_to("nowhere")
    with pytest.raises(SourceError, match=r"link\.csv: cannot be read: No such file"):
        orders.run(cut=THREE)


@pytest.mark.parametrize("cut", [None, THREE], ids=["one", "three"])
def test_a_name_that_cannot_be_remembered_is_refused(orders, cut):
    Path(os.fsdecode(os.fsencode(orders.folder / "data") + b"/\xff.csv")).write_text("id\n1\n")
    with pytest.raises(SourceError, match=r"\ufffd\.csv: the file's name is not UTF-8"):
        orders.run(cut=cut)


def test_a_source_whose_rows_take_the_place_of_others_is_one_part(orders):
    orders.source["on_change"] = "replace_rows"
    orders.target["lineage"] = True
    orders.run()
    orders.write("2.csv", rows(20, 5))
    orders.more_sources = [{"type": "local", "name": "more", "path": "more"}]
    orders.source["name"] = "local"
    (orders.folder / "more").mkdir()
    (orders.folder / "more" / "y.csv").write_text(rows(70, 5))
    result = orders.run(cut=THREE)
    assert (result.inserted, result.deleted) == (10, 10)


def test_two_parts_do_not_both_read_what_turns_out_to_be_the_same(orders):
    run_id, _ = begun(orders)
    start, _ = joined(orders.config, orders.folder, run_id)
    first, second = (replace(start.part, number=number) for number in (1, 2))
    assert load.claimed_by_others(start.engine, first, "s", {"a", "b"}) == set()
    assert load.claimed_by_others(start.engine, second, "s", {"b", "c"}) == {"b"}
    assert load.claimed_by_others(start.engine, first, "s", {"a", "b"}) == set()


def test_a_part_of_a_run_that_is_given_up_meanwhile_is_superseded(orders, monkeypatch):
    run_id, _ = begun(orders)
    start, plan = joined(orders.config, orders.folder, run_id)
    claimed = load.claimed_by_others

    def late(*given):
        begin(orders.config, orders.folder)
        return claimed(*given)

    monkeypatch.setattr(load, "claimed_by_others", late)
    with pytest.raises(Superseded):
        put_aside(start, plan.parts[1], Progress())


def test_transforms_and_checks_see_all_parts_once(orders):
    orders.transform = [{"name": "seen", "sql": "create table seen as select count(*) from orders"}]
    orders.checks = [{"sql": "select id from orders where id < 0", "name": "positive"}]
    result = orders.run(cut=THREE)
    assert orders.query("select * from seen") == [(62,)]
    assert [check.name for check in result.checks] == ["positive"]


def test_the_combined_csvs_of_the_parts_are_listed(orders):
    output = orders.run(cut=THREE).output
    parts = json.loads(output.read_text())["parts"]
    lines = [(output.parent / part["file"]).read_text().splitlines() for part in parts]
    assert [len(rows) - 1 for rows in lines] == [part["rows"] for part in parts] == [20, 20, 22]
