"""SQL of the user runs with the rows, in their transaction, or nothing of either is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib import database, pipeline, user_sql
from chalicelib.errors import StatementError, TargetError
from chalicelib.user_sql import Filled
from tests.pipelines import Pipeline


@pytest.fixture
def shop(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    shop = Pipeline(tmp_path, database)
    shop.write("a.csv", "id,name\n1,Ada\n2,Alan\n")
    return shop


def transformed(shop: Pipeline, *statements: str) -> Pipeline:
    shop.transform = [{"name": f"step {n}", "sql": sql} for n, sql in enumerate(statements, 1)]
    return shop


def test_statements_run_after_the_load_in_their_order(shop: Pipeline) -> None:
    transformed(
        shop,
        "create table totals (run text, rows bigint);",
        "insert into totals select {run_id}, count(*) from {table}; update totals set rows = -rows",
    ).run(run_id="run ' 1")
    assert shop.query("select * from totals") == [("run ' 1", -2)]


def test_names_are_quoted_and_what_looks_like_a_parameter_is_left_alone(shop: Pipeline) -> None:
    shop.target["table"] = """odd.o"r'd :x %s"""
    transformed(
        shop,
        "create table seen as select name, '100%' as a, ':x' as b, '{}'::jsonb as c from {table}",
        "do $$ begin insert into seen select name, {run_id} from {table}; end $$",
    ).run(run_id="r")
    found = shop.query("select name, a, b, c from seen order by 1, 2")
    assert found == [
        ("Ada", "100%", ":x", {}), ("Ada", "r", None, None),
        ("Alan", "100%", ":x", {}), ("Alan", "r", None, None),
    ]  # fmt: skip


def test_when_nothing_is_new_nothing_is_run(shop: Pipeline) -> None:
    shop.query("create table runs (id text)")
    transformed(shop, "insert into runs values ({run_id})")
    shop.run()
    shop.run()
    assert len(shop.query("select * from runs")) == 1


def test_replace_that_keeps_the_old_rows_runs_nothing(shop: Pipeline) -> None:
    shop.target["mode"] = "replace"
    shop.run()
    shop.write("a.csv", "id,name\n")
    result = transformed(shop, "select 1 / 0").run()
    assert (result.inserted, len(shop.rows)) == (0, 2)


def test_a_replay_is_a_load_like_any_other(shop: Pipeline) -> None:
    shop.query("create table runs (id text)")
    shop.write("b.csv", "id,name\nx,Grace\n")
    first = shop.run().run_id
    transformed(shop, "insert into runs values ({run_id})")
    (reject,) = [row[0] for row in shop.query("select id from elt.rejects")]
    corrections = {reject: {"id": "3", "name": "Grace"}}
    again = pipeline.replay(shop.config, shop.folder, first, corrections).run_id
    assert shop.query("select * from runs") == [(again,)]


@pytest.mark.parametrize(
    ("sql", "where", "what"),
    [
        ("select 1;\nselect\n  nothing from {table}", "line 3", 'column "nothing" does not exist'),
        ("select 1;\n\nselct 1", "line 3", 'syntax error at or near "selct"'),
        ("select 1;\n\nselect id / 0\nfrom {table}", "line 3", "division by zero"),
        ("copy orders to stdout", "line 1", "cannot COPY to/from client"),
        ("do $$ begin\nperform no_such(); end $$", "line 1", "no_such"),
    ],
)
def test_an_error_names_the_statement_and_the_line_and_loads_nothing(
    sql: str, where: str, what: str, shop: Pipeline
) -> None:
    transformed(shop, "create table made (id int)", sql)
    with pytest.raises(StatementError) as failed:
        shop.run()
    assert f"transform 'step 2', {where} of its SQL: PostgreSQL says: " in str(failed.value)
    assert what in str(failed.value)
    assert shop.rows == []
    assert shop.query("select to_regclass('made')") == [(None,)]
    assert shop.query("select count(*) from elt.loads") == [(0,)]


PROCEDURE = "create procedure ending() language plpgsql as 'begin commit; end'"

ENDINGS = (
    "commit",
    "COMMIT;",
    "rollback",
    "abort",
    "end",
    "/* */ commit -- x",
    "insert into orders values (9, 'x'); commit; select 1",
    "insert into orders values (9, 'x');\ncommit and chain",
    "select ';'; commit",
    "select 'a' \n 'b'; rollback; begin",
    r"select e'\'; '; commit",
    "select $$'$$; commit",
    "commit prepared 'x'",
    "prepare transaction 'x'",
    "savepoint elt_query; commit",
    "rollback to savepoint elt_query",
    "start transaction",
    "do $$ begin commit; end $$",
    "do $$ begin execute 'commit'; end $$",
    "call ending()",
    "do $$ begin call ending(); end $$",
    "vacuum orders",
    "create index concurrently i on orders (id)",
    "create database other",
    "copy orders from stdin",
    "listen x; commit",
)


@pytest.mark.parametrize("sql", ENDINGS)
def test_the_server_itself_refuses_what_would_end_the_transaction(
    sql: str, shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the look at the text before it may have missed."""
    shop.query(PROCEDURE)
    transformed(shop, "insert into {table} values (8, 'with the load')", "select 1")

    def unseen(where: str, _sql: str, table: str, run_id: str) -> list[Filled]:
        first = "insert into orders values (8, 'with the load')"
        return [Filled(where, first, 1), Filled(where, sql, 1)]

    monkeypatch.setattr(user_sql, "filled", unseen)
    with pytest.raises(StatementError, match=r"^transform 'step 1', line \d"):
        shop.run()
    assert shop.rows == []
    assert shop.query("select count(*) from elt.loads") == [(0,)]
    assert shop.query("select count(*) from elt.files") == [(0,)]


def test_a_transaction_that_ended_all_the_same_fails_the_run_by_name(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line: as if the server had let it through."""
    monkeypatch.setattr(user_sql, "EXECUTE", "commit; begin")
    with pytest.raises(StatementError, match=r"'step 1'.*ended the transaction of the load"):
        transformed(shop, "select 1").run()


def test_a_savepoint_within_a_block_is_no_end(shop: Pipeline) -> None:
    transformed(
        shop,
        "do $$ begin perform 1 / 0; exception when division_by_zero then null; end $$;"
        "create table made as select 1 as a",
    ).run()
    assert shop.query("select * from made") == [(1,)]


def test_a_backend_that_is_ended_in_a_transform_costs_one_attempt(shop: Pipeline) -> None:
    shop.query("create sequence attempts; create table runs (id text)")
    once = "select pg_terminate_backend(pg_backend_pid()) where nextval('attempts') = 1"
    transformed(shop, f"insert into runs values ({{run_id}}); {once}").run()
    assert len(shop.rows) == 2
    assert shop.query("select count(*), last_value from runs, attempts group by 2") == [(1, 2)]


def test_a_statement_may_take_longer_than_a_network_may_be_silent(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_DATABASE_TIMEOUT", "1")
    shop.query("create sequence attempts")
    transformed(shop, "select nextval('attempts'); select pg_sleep(1.5)").run()
    assert shop.query("select last_value from attempts") == [(1,)]


def test_a_deadlock_in_a_transform_is_tried_again(shop: Pipeline) -> None:
    shop.query("create sequence attempts")
    once = """
        do $$ begin
            if nextval('attempts') = 1 then raise exception 'busy' using errcode = '40P01'; end if;
        end $$
    """
    transformed(shop, once).run()
    assert len(shop.rows) == 2


def test_a_transform_cannot_outrun_the_fence(shop: Pipeline) -> None:
    """A newer run takes over while it works: nothing of the older one is there."""
    takeover = "update elt.fence set token = token + 1"
    transformed(shop, takeover)
    with pytest.raises(Exception, match="a newer run has taken over"):
        shop.run()
    assert shop.rows == []


def test_a_statement_is_handed_over_whatever_is_in_it(shop: Pipeline) -> None:
    engine = database.connect(shop.config.target)
    odd = "select '" + "%s :x $1 \\ \n \u20ac" * 1000 + "'"
    with database.transaction(engine) as connection:
        user_sql.execute(connection, Filled("odd", odd, 1))


def test_a_transform_that_removes_the_ledgers_row_fails_the_run(shop: Pipeline) -> None:
    """Without it a lost answer would load the rows once more."""
    with pytest.raises(TargetError, match=r"^elt\.loads: the ledger's row of this load is gone"):
        transformed(shop, "truncate elt.loads").run()
    assert shop.rows == []


def test_a_trigger_that_removes_it_fails_the_run_as_well(shop: Pipeline) -> None:
    shop.query(
        "create table orders (id bigint, name text);"
        "create function wipe() returns trigger language plpgsql as"
        " $$ begin delete from elt.loads; return null; end $$;"
        "create trigger wipe after insert on orders execute function wipe()"
    )
    with pytest.raises(TargetError, match="the ledger's row of this load is gone"):
        shop.run()
    assert shop.rows == []
