"""What is loaded: the shapes that data comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dev.bench.shapes import tables
from dev.bench.shapes.tables import Make

Written = Literal["csv", "two files", "small files", "ndjson", "json"]
Ours = Literal["pipeline", "two parts at once", "two \\copy at once"]
Yardstick = Literal["copy", "copy and upsert", "one file"]


@dataclass(frozen=True)
class Shape:
    """One kind of data, what is done with it, and what that is measured against.

    `share`: its rows for one row of `orders`, so that what is read is of about one size.
    `pairs`: at most so many, where one takes long. `inferred`: no schema is declared. `key`: the
    column that the target's primary key consists of.
    """

    title: str
    make: Make
    columns: Mapping[str, Any]
    written: Written = "csv"
    ours: Ours = "pipeline"
    share: float = 1.0
    mode: str = "append"
    key: str = ""
    yardstick: Yardstick = "copy"
    inferred: bool = False
    pairs: int = 1000


def _orders(title: str, **options: Any) -> Shape:
    return Shape(title, tables.orders, tables.ORDERS, **options)


SHAPES = {
    "orders": _orders("nine columns of all types, clean"),
    "narrow": Shape("3 columns", tables.narrow, tables.NARROW, share=2.5),
    "wide": Shape("200 columns", tables.wide, tables.WIDE, share=0.06),
    "numeric": Shape("numbers alone", tables.numeric, tables.NUMERIC),
    "texts": Shape("text-heavy", tables.texts, tables.TEXTS, share=0.3),
    "dates": Shape("dates in declared formats", tables.dates, tables.DATES, share=1.4),
    "messy": Shape("20 % of values need standardising", tables.messy, tables.MESSY),
    "spoiled": Shape("1 % of rows quarantined", tables.spoiled, tables.ORDERS),
    "notes": Shape("quoted newlines throughout", tables.notes, tables.NOTES, share=0.8),
    "inferred": _orders("schema inferred", inferred=True),
    "ndjson": _orders("NDJSON", written="ndjson"),
    "json": _orders("JSON array", written="json"),
    "files": _orders("files of 100 rows", written="small files", yardstick="one file"),
    "keyed": _orders("append to a keyed table", key="order_id"),
    "merge": _orders(
        "merge, all updates",
        mode="merge",
        key="order_id",
        yardstick="copy and upsert",
    ),
    "parts": _orders("in two parts, published once", written="two files", ours="two parts at once"),
    "copies": _orders("two `\\copy` at once", written="two files", ours="two \\copy at once"),
    "medium": _orders("as orders, 4 × the rows", share=4, pairs=1),
    "large": _orders("as orders, 10 × the rows", share=10),
    "huge": _orders("as orders, 40 × the rows", share=40, pairs=1),
}
"""By the name that an option takes."""

USUAL = tuple(name for name in SHAPES if name != "huge")
"""Huge takes minutes, and 15 GB of the disk."""
