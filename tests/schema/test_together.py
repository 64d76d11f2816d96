"""Batches checked together are checked as each of them would be by itself."""

from __future__ import annotations

from typing import get_args

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.batch import Batch, Problem, Reject
from chalicelib.config.model.schema import OnInvalid
from chalicelib.schema.together import ENOUGH, grouped, validate_together
from chalicelib.schema.validate import Validated, validate
from tests.schema.test_validate import batch, schema

COLUMNS = schema(
    id={"type": "integer", "required": True},
    paid={"type": "boolean", "default": True},
    on={"type": "date"},
    code={"type": "text", "allowed": ["a", "b"]},
)
CELLS = {
    "id": ["1", " 2.0 ", "1,234", "x", None],
    "paid": ["true", "No", "", None],
    "on": ["2026-01-02", "2026-13-01", None],
    "code": ["a", "b", "c", ""],
}
UNSPLIT = Reject(9, {"_raw": "1,2"}, (Problem(None, "1,2", "has 2 fields"),))


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    found = []
    for _ in range(draw(st.integers(1, 5))):
        rows = draw(st.integers(0, 4))
        columns = {
            name: draw(st.lists(st.sampled_from(cells), min_size=rows, max_size=rows))
            for name, cells in CELLS.items()
        }
        found.append(batch(rejects=draw(st.sampled_from([[], [UNSPLIT]])), **columns))
    return found


def shown(valid: Validated) -> tuple[object, ...]:
    kept = [True] * valid.table.num_rows if valid.kept is None else valid.kept.to_pylist()
    return valid.table.to_pydict(), valid.rejects, valid.nulled, kept


@settings(deadline=None)
@given(batches=batches(), on_invalid=st.sampled_from(get_args(OnInvalid)))
def test_together_is_as_each_by_itself(batches: list[Batch], on_invalid: OnInvalid) -> None:
    together = validate_together(batches, COLUMNS, on_invalid)
    each = [validate(batch, COLUMNS, on_invalid) for batch in batches]
    assert list(map(shown, together)) == list(map(shown, each))


def test_batches_of_other_columns_are_not_checked_together() -> None:
    one, other = batch(a=["1"]), batch(b=["1"])
    assert list(grouped([one, one, other, one])) == [[one, one], [other], [one]]


def test_rejects_do_not_pile_up() -> None:
    one, other = batch(a=["1"]), batch(rejects=[UNSPLIT], a=["1"])
    assert list(grouped([one, other, other, one])) == [[one, other], [other], [one]]


def test_a_batch_that_is_enough_waits_for_no_other() -> None:
    large = Batch("shop", "a", pa.table({"a": ["x" * ENOUGH]}), [2])
    pulled = []

    def one_after_the_other():
        for each in (large, large):
            pulled.append(each)
            yield each

    assert next(grouped(one_after_the_other())) == [large]
    assert pulled == [large]
