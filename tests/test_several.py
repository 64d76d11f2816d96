"""A run of several parts ends as a run of one does, and nobody sees half of it."""

from __future__ import annotations

import pytest

from chalicelib import load, pipeline
from chalicelib.errors import InvalidRows, SourceError, Superseded, TargetError
from chalicelib.several import Cut
from tests.pipelines import DECLARED

THREE = Cut(parts=3)


@pytest.fixture
def orders(shop):
    """Seven files, two of the same content, with a row that does not fit and a key that recurs."""
    for number in range(6):
        shop.write(f"{number}.csv", rows(number * 10, 10))
    shop.write("twin.csv", rows(0, 10))
    shop.write("x.csv", "id,name\nbad,row\n3,last\n3,very last\n")
    return shop


def rows(first, count):
    return "id,name\n" + "".join(f"{n},name {n}\n" for n in range(first, first + count))


def staged(orders):
    names = "select table_name from information_schema.tables where table_name like 'stage_%'"
    return [name for (name,) in orders.query(names)]


def test_the_rows_are_those_of_a_run_of_one_part(orders):
    result = orders.run(cut=THREE)
    assert (result.inserted, result.quarantined, result.read) == (62, 1, 63)
    assert [tuple(r) for r in orders.rows] == sorted(
        [(n, f"name {n}") for n in range(60)] + [(3, "last"), (3, "very last")]
    )
    assert orders.query("select part, rows_inserted from elt.loads") == [(0, 62)]
    assert orders.query("select status, count(*) from elt.rejects group by 1") == [
        ("quarantined", 1)
    ]
    assert staged(orders) == []
