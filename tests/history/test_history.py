"""The service database is found, and has a schema of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url, text

from chalicelib import history
from chalicelib.database import transaction
from chalicelib.errors import TargetError


def name_of(engine):
    with transaction(engine) as connection:
        return connection.execute(text("select current_database()")).scalar_one()


def test_the_service_has_a_database_of_its_own(database, postgres_url, monkeypatch):
    monkeypatch.setenv("ELT_SERVICE_URL", database)
    monkeypatch.setenv("ELT_TARGET_URL", postgres_url)
    assert name_of(history.connect()) == make_url(database).database


def test_without_one_it_uses_the_targets(database, monkeypatch):
    monkeypatch.delenv("ELT_SERVICE_URL", raising=False)
    monkeypatch.setenv("ELT_TARGET_URL", database)
    assert name_of(history.connect()) == make_url(database).database


def test_without_any_the_error_says_what_to_set(monkeypatch):
    monkeypatch.delenv("ELT_SERVICE_URL", raising=False)
    monkeypatch.delenv("ELT_TARGET_URL", raising=False)
    with pytest.raises(TargetError, match=r"ELT_SERVICE_URL.*`make local`"):
        history.connect()


def test_a_url_that_is_no_address_is_refused_without_being_shown(monkeypatch):
    monkeypatch.setenv("ELT_SERVICE_URL", "mysql://u:hush@h/d")
    with pytest.raises(TargetError, match=r"^ELT_SERVICE_URL") as caught:
        history.connect()
    assert "hush" not in str(caught.value)


def test_two_stages_share_a_database(engine, query, monkeypatch):
    monkeypatch.setenv("ELT_SCHEMA", "prod")
    history.migrate(engine)
    tables = "select table_schema::text from information_schema.tables where table_name = 'runs'"
    assert sorted(query(tables)) == [("elt_service",), ("prod_service",)]
