"""A batch against a schema: clean rows, rejects with every reason, and the three policies."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from chalicelib.batch import Batch, Problem, Reject
from chalicelib.config import Column
from chalicelib.errors import InvalidRows
from chalicelib.schema import TableSchema
from chalicelib.schema.validate import Validated, refusal, validate


def batch(rejects: list[Reject] | None = None, **columns: list[str | None]) -> Batch:
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return Batch("shop", "a.csv", table, range(2, 2 + table.num_rows), rejects=rejects or [])


def schema(**columns: Any) -> TableSchema:
    return TableSchema({name: Column.model_validate(spec) for name, spec in columns.items()})


def check(rows: Batch, columns: TableSchema, **options: Any) -> Validated:
    return validate(rows, columns, **options)


def test_columns_are_renamed_ordered_and_cast() -> None:
    found = check(
        batch(b=["x"], Nr=[" 1 "], extra=["?"]),
        schema(id={"type": "integer", "from": ["No", "Nr"]}, b={"type": "text"}),
    )
    assert found.table.to_pydict() == {"id": ["1"], "b": ["x"]}
    assert found.rejects == []


def test_of_several_names_the_first_with_a_value_counts() -> None:
    columns = schema(id={"type": "text", "from": ["a", "b"]})
    assert check(batch(a=["1", None], b=["2", "3"]), columns).table["id"].to_pylist() == ["1", "3"]


def test_a_column_that_is_not_there_is_null_or_its_default() -> None:
    columns = schema(a={"type": "text"}, b={"type": "boolean", "default": True})
    found = check(batch(x=["1"]), columns)
    assert found.table.to_pydict() == {"a": [None], "b": ["true"]}


def test_a_default_stands_in_for_blank_values() -> None:
    columns = schema(n={"type": "integer", "default": 7})
    assert check(batch(n=[None, "", " ", "1"]), columns).table["n"].to_pylist() == [
        "7", "7", "7", "1",
    ]  # fmt: skip


def test_a_comma_of_two_meanings_is_no_number_until_the_column_says_which() -> None:
    rows = batch(i=["1,234"], d=["0,125"], f=["2,500"])
    found = check(rows, schema(i={"type": "integer"}, d={"type": "decimal"}, f={"type": "float"}))
    (reject,) = found.rejects
    assert [problem.column for problem in reject.problems] == ["d", "f"]
    assert "'0,125' has a comma, which may part thousands or a fraction" in reject.describe()
    comma = {"type": "decimal", "decimal_separator": ","}
    found = check(rows, schema(i={"type": "integer"}, d=comma, f=comma))
    assert found.table.to_pylist() == [{"i": "1234", "d": "0.125", "f": "2.500"}]


def test_values_of_the_configuration_have_a_point_whatever_the_sources_have() -> None:
    spec = {"type": "decimal", "decimal_separator": ",", "default": 0.5, "allowed": [0.5, 1.25]}
    found = check(batch(d=["1,25", "", "2,5"], x=["a", "b", "c"]), schema(d=spec))
    assert found.table["d"].to_pylist() == ["1.25", "0.5"]
    assert [reject.line for reject in found.rejects] == [4]


def test_blank_is_null_except_in_text() -> None:
    columns = schema(n={"type": "integer"}, t={"type": "text"})
    found = check(batch(n=["", " "], t=["", " "]), columns)
    assert found.table.to_pydict() == {"n": [None, None], "t": ["", " "]}


def test_a_reject_tells_every_problem_with_the_values_as_extracted() -> None:
    columns = schema(
        id={"type": "integer", "from": "Nr", "required": True},
        country={"type": "text", "allowed": ["DE", "FR"]},
        at={"type": "date"},
    )
    rows = batch(
        Nr=["1", None, "x"], country=["DE", "XX", "FR"], at=["2026-01-31"] * 3, z=["a"] * 3
    )
    found = check(rows, columns)
    assert found.table["id"].to_pylist() == ["1"]
    assert found.rejects == [
        Reject(
            3,
            {"Nr": None, "country": "XX", "at": "2026-01-31", "z": "a"},
            (Problem("id", None, "is required"), Problem("country", "XX", "is not one of DE, FR")),
        ),
        Reject(
            4,
            {"Nr": "x", "country": "FR", "at": "2026-01-31", "z": "a"},
            (Problem("id", "x", "is not a whole number of 64 bits"),),
        ),
    ]


def test_rows_that_could_not_be_split_stay_rejects_in_the_order_of_lines() -> None:
    broken = Reject(3, {"_raw": "1"}, (Problem(None, "1", "has 1 fields"),))
    rows = batch([broken], n=["1", "x"])
    assert [r.line for r in check(rows, schema(n={"type": "integer"})).rejects] == [3, 3]


@pytest.mark.parametrize(
    ("spec", "values", "reasons"),
    [
        ({"type": "integer", "min": 1, "max": 3}, ["0", "1", "3", "4", None],
         ["is less than 1", "is greater than 3"]),
        ({"type": "decimal", "min": "0.1"}, ["0.1", "0.10", "0.09999999999999999999", "-1"],
         ["is less than 0.1", "is less than 0.1"]),
        ({"type": "decimal", "max": "9007199254740993"}, ["9007199254740993", "9007199254740994"],
         ["is greater than 9007199254740993"]),
        ({"type": "date", "min": "2026-01-01"}, ["2026-01-01", "2025-12-31"],
         ["is less than 2026-01-01"]),
        ({"type": "timestamp", "max": "2026-01-01T00:00:00Z"},
         ["2026-01-01T00:30:00+01:00", "2026-01-01T00:30:00Z"],
         ["is greater than 2026-01-01T00:00:00Z"]),
        ({"type": "text", "pattern": "[A-Z]-[0-9]+"}, ["A-1", "A-1x", "xA-1", None, "A-\n1"],
         ["does not match [A-Z]-[0-9]+"] * 3),
        ({"type": "integer", "allowed": [1, 2]}, ["1", " 2 ", "3"], ["is not one of 1, 2"]),
    ],
)  # fmt: skip
def test_constraints(spec: dict[str, Any], values: list[str], reasons: list[str]) -> None:
    found = check(batch(v=values), schema(v=spec))
    assert [reject.problems[0].reason for reject in found.rejects] == reasons
    assert found.table.num_rows == len(values) - len(reasons)


def test_null_takes_the_value_and_keeps_the_row() -> None:
    columns = schema(n={"type": "integer", "max": 9}, t={"type": "text"})
    found = check(batch(n=["1", "x", "10"], t=["a", "b", "c"]), columns, on_invalid="null")
    assert found.table.to_pydict() == {"n": ["1", None, None], "t": ["a", "b", "c"]}
    assert (found.rejects, found.nulled) == ([], 2)


def test_null_cannot_stand_for_a_required_value() -> None:
    columns = schema(n={"type": "integer", "required": True})
    found = check(batch(n=["1", "x"]), columns, on_invalid="null")
    assert found.table["n"].to_pylist() == ["1"]
    assert [reject.line for reject in found.rejects] == [3]


def test_a_refusal_names_the_first_rows_and_counts_the_others() -> None:
    rejects = [
        ("a.csv", Reject(line, {}, (Problem("n", "x", "is not a number"),))) for line in range(12)
    ]
    error = refusal(rejects, 12)
    assert isinstance(error, InvalidRows)
    assert "12 rows do not fit the schema" in str(error)
    assert "a.csv line 3: n: 'x' is not a number" in str(error)
    assert "and 2 more" in str(error)
    assert "on_invalid: quarantine" in str(error)


@pytest.mark.parametrize(
    ("kind", "allowed", "good"),
    [
        ("boolean", [True], "yes"),
        ("integer", [7], "007"),
        ("decimal", ["1.5"], "1.50"),
        ("date", ["2026-01-31"], "20260131"),
        ("timestamp", ["2026-01-31T10:00:00Z"], "2026-01-31 11:00+01:00"),
    ],
)
def test_allowed_compares_values_not_texts(kind: str, allowed: list[Any], good: str) -> None:
    columns = schema(v={"type": kind, "allowed": allowed})
    assert check(batch(v=[good, None]), columns).rejects == []
