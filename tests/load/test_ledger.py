"""Rejects of a run that loads nothing are kept all the same."""

from __future__ import annotations

from chalicelib.load import Part, store_not_loaded
from tests.load.test_load import HEADER, reject

PART = Part("failed", 0, "public.orders", "append")


def test_rejects_of_a_failed_run_are_stored_as_not_loaded(engine, query, tmp_path):
    file = tmp_path / "rejects.csv"
    file.write_bytes(HEADER + reject("failed") * 2)
    assert store_not_loaded(engine, PART, file) == 2
    assert query("select status, count(*) from elt.rejects group by 1") == [("not_loaded", 2)]


def test_storing_them_again_doubles_none(engine, query, tmp_path):
    file = tmp_path / "rejects.csv"
    file.write_bytes(HEADER + reject("failed"))
    store_not_loaded(engine, PART, file)
    store_not_loaded(engine, PART, file)
    assert query("select count(*) from elt.rejects") == [(1,)]
