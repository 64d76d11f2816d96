"""Orders of a small tea shop, January to March 2026, as its three systems export them.

The web shop writes semicolon CSV, the two tills JSON, the wholesale desk a tab-separated file.
A few rows are broken on purpose, as real exports are; `SPOILED` lists them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]

BERLIN = ZoneInfo("Europe/Berlin")
PRODUCTS = (
    ("T-100", "Grüner Tee Sencha, 100 g", "8.90"),
    ("T-110", "Darjeeling First Flush, 100 g", "14.50"),
    ("T-120", "Früchtetee Waldbeere, 250 g", "9.80"),
    ("K-200", "Kännchen, handgetöpfert", "64.00"),
    ("K-210", "Teeschale 'Küstennebel'", "27.50"),
    ("Z-300", "Teefilter, 100 Stück", "5.25"),
    ("M-400", "Samowar, Messing", "349.00"),
)
PEOPLE = (
    "Jörg Müller",
    "Zoë Lefèvre",
    "Łukasz Wójcik",
    "Renée d'Aubigné",
    "Anna-Lena Weiß",
    "Café Größenwahn; Inh. Weiß",
    'Teestube "Zum Kännchen"',
    "O'Brien & Söhne",
)
COUNTRIES = ("DE", "DE", "DE", "DE", "AT", "CH", "FR", "NL")
NOTES = (
    'Bitte beim Nachbarn "Schäfer" abgeben; 2. OG',
    "Hinterhof, Tür links\nKlingel defekt, bitte anrufen",
    "Abstellen: Garage",
    "Geschenk! Rechnung nicht beilegen;\nKarte: „Alles Gute“",
)
SPOILED: dict[str, dict[int, Row]] = {
    "webshop/bestellungen-2026-01.csv": {40: {"Bestelldatum": "31.02.2026 10:15"}},
    "webshop/bestellungen-2026-02.csv.gz": {17: {"Gesamtbetrag": "n/a"}},
    "webshop/bestellungen-2026-03.csv": {88: {"Bestellnummer": ""}, 133: {"E-Mail": ...}},
    "tills/shop-2026-q1.json": {205: {"customer": {"name": "Zoë Lefèvre", "country": "XX"}}},
    "tills/market-stall-2026-q1.json": {61: {"total": None}, 90: {"paid": "maybe"}},
    "wholesale/orders-2026-q1.txt": {12: {"Qty": "-4"}, 150: {"OrderNo": "3151"}},
}
"""File and index of the row (from 0) → values that do not fit; `...` leaves the field out."""


@dataclass(frozen=True)
class Order:
    """An order before a system has written it down. `placed_at` is in Berlin's zone."""

    number: str
    placed_at: datetime
    customer: str
    country: str
    items: tuple[Row, ...]
    paid: bool
    note: str

    @property
    def quantity(self) -> int:
        """Pieces of all items."""
        return sum(item["quantity"] for item in self.items)

    @property
    def total(self) -> Decimal:
        """Euros."""
        prices = (item["quantity"] * Decimal(item["unit_price"]) for item in self.items)
        return sum(prices, Decimal(0))

    @property
    def email(self) -> str:
        """An address made of the customer's name without its accents."""
        letters = unicodedata.normalize("NFKD", self.customer.lower())
        name = "".join(c for c in letters if c.isascii() and c.isalpha())
        return f"{name}@example.com"


def write_sample(folder: Path, seed: int = 2026) -> list[Path]:
    """Write all exports below `folder`; the same seed gives the same bytes. Returns the files."""
    random = Random(seed)
    web = make_orders(random, "W", 1001, 840)
    january, february, march = ([o for o in web if o.placed_at.month == m] for m in (1, 2, 3))
    rows = {
        "webshop/bestellungen-2026-01.csv": map(_webshop_row, january),
        "webshop/bestellungen-2026-02.csv.gz": map(_webshop_row, february),
        "webshop/bestellungen-2026-03.csv": map(_webshop_row, march),
        "tills/shop-2026-q1.json": map(_till_row, make_orders(random, "P", 2001, 300)),
        "tills/market-stall-2026-q1.json": map(_till_row, make_orders(random, "P", 2301, 150)),
        "wholesale/orders-2026-q1.txt": map(_wholesale_row, make_orders(random, "H", 3001, 260)),
    }
    return [_write(folder, name, list(exported)) for name, exported in rows.items()]


def make_orders(random: Random, prefix: str, first: int, count: int) -> list[Order]:
    """Orders in the sequence they were placed, numbered `<prefix>-<first>` and up."""
    times = sorted((random.randrange(90), random.randrange(12 * 60)) for _ in range(count))
    opening = datetime(2026, 1, 1, 8, tzinfo=BERLIN)
    return [
        _make_order(random, f"{prefix}-{number}", opening + timedelta(days=day, minutes=minute))
        for number, (day, minute) in enumerate(times, first)
    ]


def _make_order(random: Random, number: str, placed_at: datetime) -> Order:
    return Order(
        number=number,
        placed_at=placed_at,
        customer=random.choice(PEOPLE),
        country=random.choice(COUNTRIES),
        items=tuple(_make_item(random) for _ in range(random.randint(1, 3))),
        paid=random.random() < 0.9,
        note=random.choice(NOTES) if random.random() < 0.2 else "",
    )


def _make_item(random: Random) -> Row:
    sku, name, price = random.choice(PRODUCTS)
    return {"sku": sku, "name": name, "quantity": random.randint(1, 6), "unit_price": price}


def _webshop_row(order: Order) -> Row:
    delivery = order.placed_at + timedelta(days=3)
    return {
        "Bestellnummer": order.number,
        "Bestelldatum": f"{order.placed_at:%d.%m.%Y %H:%M}",
        "Kunde": order.customer,
        "E-Mail": order.email,
        "Land": order.country,
        "Menge": order.quantity,
        "Gesamtbetrag": f"{order.total:,.2f}",
        "Bezahlt": "yes" if order.paid else "no",
        "Lieferdatum": f"{delivery:%d.%m.%Y}",
        "Lieferhinweis": order.note,
    }


def _till_row(order: Order) -> Row:
    return {
        "id": order.number,
        "customer": {"name": order.customer, "country": order.country},
        "placed_at": order.placed_at.isoformat(),
        "total": float(order.total),
        "paid": order.paid,
        "quantity": order.quantity,
        "items": order.items,
    }


def _wholesale_row(order: Order) -> Row:
    return {
        "OrderNo": order.number,
        "OrderDate": f"{order.placed_at:%Y-%m-%d %H:%M:%S}",
        "Customer": order.customer,
        "Country": order.country,
        "Qty": f" {order.quantity} ",
        "Amount": f"{order.total:.2f}",
        "Paid": "Y" if order.paid else "N",
        "DeliveryDate": f"{order.placed_at + timedelta(days=7):%Y-%m-%d}",
    }


def _write(folder: Path, name: str, rows: list[Row]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_render(name, _spoil(name, rows)))
    return path


def _spoil(name: str, rows: list[Row]) -> list[Row]:
    for index, values in SPOILED[name].items():
        rows[index] = {k: v for k, v in (rows[index] | values).items() if v is not ...}
    return rows


def _render(name: str, rows: list[Row]) -> bytes:
    """The file's bytes, in the format that the writing system has."""
    if name.startswith("webshop"):
        text = "\ufeff" + _delimited(rows, ";", "\r\n")
        return _gzip(text.encode()) if name.endswith(".gz") else text.encode()
    if name.startswith("wholesale"):
        return _delimited(rows, "\t", "\n").encode()
    if name.startswith("tills/shop"):
        export = {"exported_at": "2026-04-01T06:00:00+02:00", "orders": rows}
        return json.dumps(export, ensure_ascii=False, indent=1).encode()
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _gzip(content: bytes) -> bytes:
    """Compressed with neither name nor time in the header: the same rows are the same bytes."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as file:
        file.write(content)
    return out.getvalue()


def _delimited(rows: list[Row], delimiter: str, line_end: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([rows[0].keys(), *(row.values() for row in rows)])
    return out.getvalue()
