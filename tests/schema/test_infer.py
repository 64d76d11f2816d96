"""Types from data: what is beyond doubt, and text otherwise."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.batch import Batch
from chalicelib.config import Column
from chalicelib.errors import SourceError
from chalicelib.schema import TableSchema
from chalicelib.schema.columns import matching
from chalicelib.schema.infer import CANDIDATES, Evidence, _fitting, _is_integer

INTEGERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.from_regex(r"-?0?x?[0-9]{1,3}( |\.0|e1)?", fullmatch=True),
)
VALUES = st.sampled_from(
    ["1", "-2", "007", "2.50", "1e5", "true", "2026-01-31", "2026-01-31 10:00", "x", "0000-01-01"]
)


def inferred(*batches: dict[str, list[str | None]], **declared: Column) -> TableSchema:
    evidence = Evidence(declared)
    for columns in batches:
        table = pa.table({name: pa.array(v, pa.string()) for name, v in columns.items()})
        evidence.see(Batch("shop", "a.csv", table, range(table.num_rows)))
    return evidence.schema()


@pytest.mark.parametrize(
    ("values", "sql"),
    [
        (["1", "-2", None], "bigint"),
        (["1", ""], "bigint"),
        (["007", "1"], "text"),
        (["9223372036854775808"], "numeric"),
        (["1", "2.50"], "numeric"),
        (["1e-05"], "numeric"),
        (["1.5E3"], "numeric"),
        (["1E5"], "text"),
        (["1,234"], "text"),
        ([" 1"], "text"),
        (["true", "false"], "boolean"),
        (["yes", "no"], "text"),
        (["1", "0"], "bigint"),
        (["2026-01-31"], "date"),
        (["2026-01-31", "2026-01-31 10:00"], "timestamp without time zone"),
        (["2026-01-31 10:00"], "timestamp without time zone"),
        (["2026-01-31T10:00Z", "2026-01-31 10:00+02:00"], "timestamp with time zone"),
        (["2026-01-31T10:00Z", "2026-01-31 10:00"], "text"),
        (["2026-02-30"], "text"),
        (["NA"], "text"),
        (["null"], "text"),
        (["NaN"], "text"),
        ([None, None], "text"),
    ],
)
def test_types(values: list[str | None], sql: str) -> None:
    assert inferred({"c": values}).sql_type("c") == sql


@given(st.lists(VALUES, min_size=1, max_size=3))
def test_a_kind_is_tried_only_where_it_must_be_and_found_all_the_same(texts: list[str]) -> None:
    values = pa.array(texts)
    assert _fitting(values, CANDIDATES) == {
        k for k, (_, fits) in CANDIDATES.items() if fits(values)
    }


@given(INTEGERS)
def test_an_integer_is_written_as_its_number_is(text: str) -> None:
    canonical = matching(pa.array([text]), r"^(0|-?[1-9][0-9]{0,18})$")[0].as_py()
    small = canonical and -(2**63) <= int(text) < 2**63
    assert _is_integer(pa.array([text])) == small


def test_every_batch_counts() -> None:
    assert inferred({"c": ["1"]}, {"c": ["x"]}, {"c": ["2"]}).sql_type("c") == "text"


def test_columns_come_in_the_order_of_their_first_appearance_after_the_declared() -> None:
    found = inferred({"b": ["1"]}, {"a": ["1"], "b": ["1"], "D": ["1"]}, d=Column(type="text"))
    assert found.names == ("d", "b", "a", "D")


def test_a_declared_column_claims_its_names_in_the_sources() -> None:
    declared = Column.model_validate({"type": "text", "from": "Nr"})
    assert inferred({"Nr": ["1"], "x": ["1"]}, id=declared).names == ("id", "x")


def test_a_name_that_postgresql_would_cut_is_refused() -> None:
    with pytest.raises(
        SourceError, match=r"a\.csv: the column name .* is longer than the 63 bytes"
    ):
        inferred({"x" * 64: ["1"]})
