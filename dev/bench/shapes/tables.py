"""The rows of each shape: as files have them, and as the target has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dev.bench.shapes.fields import (
    Numbers,
    boolean,
    chosen,
    day,
    decimal,
    joined,
    moment,
    padded,
    sentence,
    some,
    text,
)

Fields = dict[str, pa.Array]
"""By column, fields of CSV as they stand in a file, quotes included."""


@dataclass(frozen=True)
class Rows:
    """`written` is what a file holds, `loaded` what belongs in the target, as COPY takes it."""

    written: Fields
    loaded: Fields


Make = Callable[[Numbers], Rows]

ORDERS = {
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
NARROW = {"id": "integer", "at": "timestamp", "value": "float"}
NUMERIC = {
    "id": "integer",
    **{f"count_{at}": "integer" for at in range(4)},
    **{f"price_{at}": "decimal" for at in range(4)},
    **{f"share_{at}": "float" for at in range(3)},
}
TEXTS = {"id": "integer", "code": "text", "title": "text", "body": "text"}
DATES = {
    "id": "integer",
    "ordered_at": {"type": "timestamp", "format": "%d/%m/%Y %H:%M:%S"},
    "paid_at": {"type": "timestamp", "format": "%d.%m.%Y %H:%M"},
    "delivery_on": {"type": "date", "format": "%d/%m/%Y"},
    "due_on": {"type": "date", "format": "%Y%m%d"},
}
MESSY = ORDERS | {
    "ordered_at": {"type": "timestamp", "format": "%d/%m/%Y %H:%M:%S"},
    "delivery_on": {"type": "date", "format": "%d/%m/%Y"},
}
NOTES = {"id": "integer", "address": "text", "note": "text"}
WIDE_KINDS = ("integer", "decimal", "text", "date", "boolean")
WIDE = {f"{WIDE_KINDS[at % 5]}_{at}": WIDE_KINDS[at % 5] for at in range(200)}


def orders(number: Numbers) -> Rows:
    """Nine columns of all types, clean; about 105 bytes a row."""
    return _clean(_orders(number))


def narrow(number: Numbers) -> Rows:
    """Three columns, as of a sensor."""
    return _clean({"id": text(number), "at": text(moment(number)), "value": text(number * 0.25)})


def wide(number: Numbers) -> Rows:
    """Two hundred columns of five types."""
    by_kind: dict[str, Callable[[Numbers], pa.Array]] = {
        "integer": text,
        "decimal": decimal,
        "text": lambda numbers: joined("item ", numbers % 977),
        "date": lambda numbers: text(day(numbers)),
        "boolean": boolean,
    }
    return _clean(
        {name: by_kind[kind](number + at) for at, (name, kind) in enumerate(WIDE.items())}
    )


def numeric(number: Numbers) -> Rows:
    """Twelve columns of integers, decimals and floats."""
    columns = {"id": text(number)}
    columns |= {f"count_{at}": text(number * (7 + at) % 1_000_003) for at in range(4)}
    columns |= {f"price_{at}": decimal(number + at) for at in range(4)}
    columns |= {f"share_{at}": text((number % 9973 + at) / 9973) for at in range(3)}
    return _clean(columns)


def texts(number: Numbers) -> Rows:
    """Text of about 350 bytes a row."""
    return _clean(
        {
            "id": text(number),
            "code": padded(number % 100_000, 7),
            "title": sentence(number, 8),
            "body": sentence(number, 50),
        }
    )


def dates(number: Numbers) -> Rows:
    """Four columns of times in formats that the schema declares, none of them ISO."""
    ordered, paid = moment(number), moment(number).astype("datetime64[m]")
    loaded = {
        "id": text(number),
        "ordered_at": text(ordered),
        "paid_at": text(paid.astype("datetime64[s]")),
        "delivery_on": text(day(number)),
        "due_on": text(day(number + 1)),
    }
    written = {
        "id": loaded["id"],
        "ordered_at": pc.strftime(pa.array(ordered), "%d/%m/%Y %H:%M:%S"),
        "paid_at": pc.strftime(pa.array(paid.astype("datetime64[s]")), "%d.%m.%Y %H:%M"),
        "delivery_on": pc.strftime(pa.array(day(number)), "%d/%m/%Y"),
        "due_on": pc.strftime(pa.array(day(number + 1)), "%Y%m%d"),
    }
    return Rows(written, loaded)


def messy(number: Numbers) -> Rows:
    """Orders in which one value of five, of each column that is no text, needs standardising."""
    loaded = _orders(number)
    thousands = joined('"1,', padded(number % 1000, 3), '.50"')
    exact = joined("1", padded(number % 1000, 3), ".50")
    loaded["amount"] = some(number + 1, 5, exact, loaded["amount"])
    odd = {
        "order_id": joined(" ", number, ".0 "),
        "amount": thousands,
        "ordered_at": pc.strftime(pa.array(moment(number)), "%d/%m/%Y %H:%M:%S"),
        "delivery_on": pc.strftime(pa.array(day(number)), "%d/%m/%Y"),
        "paid": chosen(["No", "YES", "on"], number),
        "weight": joined(" +", loaded["weight"]),
    }
    changed = {
        name: some(number + at, 5, fields, loaded[name])
        for at, (name, fields) in enumerate(odd.items())
    }
    return Rows(loaded | changed, loaded)


def spoiled(number: Numbers) -> Rows:
    """Orders of which one in a hundred does not fit."""
    fitting = _orders(number)
    amount = some(number + 50, 100, pa.scalar("on request"), fitting["amount"])
    fits = pa.array((number + 50) % 100 != 0)
    return Rows(fitting | {"amount": amount}, {name: c.filter(fits) for name, c in fitting.items()})


def notes(number: Numbers) -> Rows:
    """Two columns of quoted text with newlines, quotes and commas in each row."""
    return _clean(
        {
            "id": text(number),
            "address": joined('"', number % 9973, ' Long Road,\nRear building\nTown "'),
            "note": joined('"', sentence(number, 6), ',\nsaid ""', sentence(number + 1, 4), '"""'),
        }
    )


def _orders(number: Numbers) -> Fields:
    return {
        "order_id": text(number),
        "customer": joined("Customer ", number * 7919 % 100_003),
        "amount": decimal(number),
        "ordered_at": text(moment(number)),
        "delivery_on": text(day(number)),
        "paid": boolean(number),
        "country": chosen(["DE", "FR", "US"], number),
        "weight": text(np.round(number * 0.001, 3)),
        "note": joined("leave it at the door number ", number % 977),
    }


def _clean(fields: Fields) -> Rows:
    return Rows(fields, fields)
