"""What is got around in pyarrow stays got around."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest

from chalicelib.arrow import may_hold

CLEAN_LOAD = """
import sys
import pyarrow as pa
from chalicelib import pipeline
from chalicelib.batch import Batch, to_frame
from chalicelib.combine import to_csv
from chalicelib.config import Column
from chalicelib.schema import TableSchema
from chalicelib.schema.validate import validate

values = {"integer": "1", "decimal": "1.5", "boolean": "true", "date": "2026-01-31", "text": "x"}
table = pa.table({kind: [value] for kind, value in values.items()})
schema = TableSchema({kind: Column(type=kind) for kind in values})
to_csv(validate(Batch("s", "f", table, [1]), schema).table)
print([name for name in ("pandas", "requests", "boto3") if name in sys.modules])
odd = pa.table({"timestamp": ["2026-01-31 14:30:00Z", "2026-01-31 14:30 +01:00"]})
schema = TableSchema({"timestamp": Column(type="timestamp", timezone="Europe/Berlin")})
print(validate(Batch("s", "f", odd, [1, 2]), schema).table["timestamp"].to_pylist())
print(to_frame(table).dtypes["text"])
"""


def test_a_clean_load_does_without_what_others_need_and_they_still_get_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLEAN_LOAD], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "[]",
        "['2026-01-31 14:30:00Z', '2026-01-31 13:30:00Z']",
        "string[pyarrow]",
    ]


@pytest.mark.parametrize(
    ("values", "held"),
    [(["a", "bc"], True), (["a", None], False), ([], False), ([None], False), (["ç"], False)],
)
def test_a_column_is_looked_through_for_bytes(values: list[str | None], held: bool) -> None:
    assert may_hold(pa.array(values, pa.string()), b"x", b"c") is held
