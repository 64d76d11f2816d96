"""What must hold of the table is looked at before the rows are there for others to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import CheckFailed, StatementError
from tests.pipelines import Pipeline


@pytest.fixture
def shop(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    shop = Pipeline(tmp_path, database)
    shop.write("a.csv", "id,name\n1,Ada\n2,\n2,Grace\n")
    return shop


FAILING: list[tuple[dict[str, Any], str]] = [
    ({"unique": "id"}, "unique id: 1 found: id=2, count=2"),
    ({"not_null": ["id", "name"]}, "not_null id, name: 1 found: id=2, name=None"),
    ({"row_count": {"min": 4}}, "row_count min 4: 1 found: count=3"),
    ({"row_count": {"max": 2}}, "row_count max 2: 1 found: count=3"),
    ({"name": "few", "sql": "select id from {table}"}, "few: 3 found: id=1; id=2; id=2"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "said"), FAILING)
def test_a_check_that_fails_loads_nothing_and_says_what_it_found(
    check: dict[str, Any], said: str, shop: Pipeline
) -> None:
    shop.checks = [check]
    with pytest.raises(CheckFailed) as failed:
        shop.run()
    assert said in str(failed.value)
    assert shop.rows == []
    assert shop.query("select count(*) from elt.loads") == [(0,)]


@pytest.mark.parametrize(("check", "said"), FAILING)
def test_a_check_that_only_warns_is_reported_with_the_rows(
    check: dict[str, Any], said: str, shop: Pipeline
) -> None:
    shop.checks = [{**check, "on_failure": "warn"}]
    result = shop.run()
    assert len(shop.rows) == 3
    assert [(one.passed, f"{one.name}: {one.detail}") for one in result.checks] == [(False, said)]
    assert result.warnings == [f"check {said}"]


@pytest.mark.parametrize(
    "check",
    [
        {"unique": ["id", "name"]},
        {"unique": "name"},
        {"not_null": "id"},
        {"row_count": {"min": 3, "max": 3}},
        {"sql": "select 1 from {table} where name = '%s :x' -- ;"},
        {"sql": "select 1 where {run_id} = '';"},
    ],
)
def test_a_check_that_passes_is_reported_as_such(check: dict[str, Any], shop: Pipeline) -> None:
    shop.checks = [check]
    result = shop.run()
    assert [one.passed for one in result.checks] == [True]
    assert len(shop.rows) == 3


def test_all_checks_that_fail_are_named_at_once(shop: Pipeline) -> None:
    shop.checks = [check for check, _ in FAILING]
    with pytest.raises(CheckFailed, match=r"5 checks fail(.|\n)*unique id(.|\n)*few"):
        shop.run()


def test_checks_see_what_the_transforms_made_of_the_rows(shop: Pipeline) -> None:
    shop.transform = [{"name": "tidy", "sql": "delete from {table} where name is null"}]
    shop.checks = [{"unique": "id"}, {"not_null": "name"}]
    assert all(check.passed for check in shop.run().checks)


def test_checks_look_at_rows_of_earlier_runs_too(shop: Pipeline) -> None:
    shop.run()
    shop.checks = [{"row_count": {"max": 3}}]
    shop.write("b.csv", "id,name\n3,Katherine\n")
    with pytest.raises(CheckFailed, match="count=4"):
        shop.run()
    assert len(shop.rows) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "insert into {table} values (9, 'x') returning id",
        "with gone as (delete from {table} returning 1) select * from gone where false",
        "select nextval('numbers')",
        "select set_config('transaction_read_only', 'off', true)",
        "select writing()",
        "delete from {table}",
        "drop table {table}",
        "select no_such from {table}",
        "select 1 from",
    ],
)
def test_a_check_can_change_nothing_and_one_that_cannot_run_fails_by_name(
    sql: str, shop: Pipeline
) -> None:
    shop.query("create sequence numbers")
    shop.query(
        "create function writing() returns int language plpgsql as "
        "'begin insert into orders values (9); return 1; end'"
    )
    shop.checks = [{"name": "odd", "sql": sql, "on_failure": "warn"}]
    with pytest.raises(StatementError, match=r"^check 'odd', line 1 of its SQL: PostgreSQL says"):
        shop.run()
    assert shop.rows == []


def test_after_a_check_the_transaction_writes_again(shop: Pipeline) -> None:
    """The fence and the next check come after it."""
    shop.checks = [{"row_count": {"min": 1}}, {"unique": "name"}]
    shop.run()
    assert len(shop.rows) == 3


def test_a_check_of_a_large_result_counts_it_and_shows_three_rows(shop: Pipeline) -> None:
    shop.checks = [{"name": "many", "sql": "select n from generate_series(1, 100000) n"}]
    with pytest.raises(CheckFailed, match="many: 100,000 found: n=1; n=2; n=3"):
        shop.run()
