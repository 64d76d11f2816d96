"""The benchmark's file: rows as a shop would have them, the same each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

COLUMNS = {
    "order_id": "integer",
    "customer": "text",
    "amount": "decimal",
    "ordered_at": "timestamp",
    "delivery_on": "date",
    "paid": "boolean",
    "country": "text",
    "weight": "float",
    "note": "text",
}
CHUNK = 100_000
DAY = np.timedelta64(1, "D")
START = np.datetime64("2026-01-01T00:00:00")


def write_csv(path: Path, rows: int) -> None:
    """About 105 bytes a row; nine columns, comma separated, with a header."""
    with path.open("wb") as file:
        for first in range(0, rows, CHUNK):
            table = _table(np.arange(first, min(first + CHUNK, rows)))
            options = pyarrow.csv.WriteOptions(include_header=not first, quoting_style="none")
            pyarrow.csv.write_csv(table, file, options)


def _table(number: np.ndarray) -> pa.Table:
    seconds = (number * 37).astype("timedelta64[s]")
    return pa.table(
        {
            "order_id": _text(number),
            "customer": _joined("Customer ", number * 7919 % 100_003),
            "amount": _joined("", number * 37 % 100_000, ".", 10 + number % 90),
            "ordered_at": _text(START + seconds),
            "delivery_on": _text((START + seconds).astype("datetime64[D]") + 3 * DAY),
            "paid": pc.if_else(pa.array(number % 3 > 0), "true", "false"),
            "country": pa.array(np.array(["DE", "FR", "US"])[number % 3]),
            "weight": _text(number * 0.001),
            "note": _joined("leave it at the door number ", number % 977),
        }
    )


def _text(values: np.ndarray) -> pa.Array:
    return pc.cast(pa.array(values), pa.string())


def _joined(*parts: str | np.ndarray) -> pa.Array:
    texts = [part if isinstance(part, str) else _text(part) for part in parts]
    return pc.binary_join_element_wise(*texts, "")
