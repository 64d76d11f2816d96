"""SQL in the configuration: cut where statements end, filled where names stand, refused early."""

from __future__ import annotations

import pytest

from chalicelib.config.sql import statements


def texts(sql):
    return [statement.text.strip() for statement in statements(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        (";; select 1 ;; select 2; -- the end", ["select 1", "select 2"]),
        ("select ';'; select 2", ["select ';'", "select 2"]),
        ("select 'it''s;'", ["select 'it''s;'"]),
        (r"select e'\';'; select 2", [r"select e'\';'", "select 2"]),
        (r"select '\'; select 2", [r"select '\'", "select 2"]),
        ('select 1 as ";"', ['select 1 as ";"']),
        ("select $$;$$, $a$;$$;$a$", ["select $$;$$, $a$;$$;$a$"]),
        ("select a$b$c; select $1", ["select a$b$c", "select $1"]),
        ("select 1 -- ;\n; select 2", ["select 1 -- ;", "select 2"]),
        ("select 1 /* ; /* ; */ ; */; select 2", ["select 1 /* ; /* ; */ ; */", "select 2"]),
        (
            "create function f() returns int begin atomic select case when true then 1 end; "
            "select 2; end; select 3",
            ["create function f() returns int begin atomic select case when true then 1 end; "
             "select 2; end", "select 3"],
        ),
    ],
)  # fmt: skip
def test_a_text_is_cut_at_the_semicolons_that_end_statements(sql, expected):
    assert texts(sql) == expected


def test_a_statement_knows_the_line_it_begins_in():
    found = statements("-- one\nselect 1;\n\n/* two\n */ select\n2; select 3")
    assert [statement.line for statement in found] == [2, 5, 6]


def test_placeholders_are_filled_in_code_and_in_the_bodies_of_functions():
    (one,) = statements("insert into {table} select {run_id}, '{}', '{x}' -- {table}")
    values = {"{table}": '"a"."b"', "{run_id}": "'r'"}
    assert one.filled(values) == """insert into "a"."b" select 'r', '{}', '{x}' -- {table}"""
    (body,) = statements("do $x$ begin delete from {table}; end $x$")
    assert body.filled(values) == 'do $x$ begin delete from "a"."b"; end $x$'


def test_a_name_cannot_end_the_body_it_is_put_into():
    (body,) = statements("do $x$ begin delete from {table}; end $x$")
    assert "drop" not in body.filled({"{table}": '"$x$; drop table a"'})


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("", "there is no statement"),
        (" -- nothing\n;", "there is no statement"),
        ("select 1;\nselect {tabel}", r"line 2 .*\{tabel\} stands for nothing"),
        ("select '{run_id}'", "leave its quotes out"),
        ('select * from "{table}"', "leave its quotes out"),
        ("select 1;\nselect 'a", "line 2 .*' is opened and not closed"),
        ("select /* /* */", r"/\* is opened and not closed"),
        ("select $a$ $b$", r"\$a\$ is opened and not closed"),
        ("commit", "line 1 .*COMMIT"),
        ("select 1;\n\n COMMIT AND CHAIN", "line 3 .*COMMIT"),
        ("/* x */ rollback to a", "ROLLBACK"),
        ("begin; select 1", "BEGIN"),
        ("end", "END"),
        ("abort", "ABORT"),
        ("savepoint a", "SAVEPOINT"),
        ("release a", "RELEASE"),
        ("start\ttransaction", "START TRANSACTION"),
        ("prepare transaction 'a'", "PREPARE TRANSACTION"),
        ("set transaction read only", "SET TRANSACTION"),
        ("vacuum orders", "VACUUM"),
        ("create index concurrently on a (b)", "CONCURRENTLY"),
        ("refresh materialized view /**/ concurrently a", "CONCURRENTLY"),
    ],
)
def test_what_cannot_run_in_the_transaction_of_the_load_is_refused_with_its_line(sql, problem):
    with pytest.raises(ValueError, match=problem):
        statements(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select 'commit'",
        "select 1 as commit",
        "create table vacuum_log (a text)",
        "select 'concurrently'",
        "do $$ begin perform 1; end $$",
        "prepare a as select 1",
        'create table "commit" (a int)',
    ],
)
def test_words_that_only_look_like_it_pass(sql):
    assert texts(sql) == [sql]
