"""Where a database is said to be, and who is asked first."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.config import Target
from chalicelib.database.address import SECRET_NAME, address, service_address
from chalicelib.errors import AddressError
from chalicelib.secrets import service_store

NOWHERE = Target(table="orders")


@pytest.fixture(autouse=True)
def _nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("ELT_TARGET_URL", raising=False)
    monkeypatch.delenv("ELT_SERVICE_URL", raising=False)


def test_without_variables_the_secret_of_the_service_says_it() -> None:
    service_store().put(SECRET_NAME, "postgresql://a:b@db:5433/x")
    for found in (address(NOWHERE), service_address()):
        assert (found.host, found.port, found.database, found.user) == ("db", 5433, "x", "a")
    assert address(NOWHERE).table == "orders"


def test_the_configuration_and_the_variables_come_before_the_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service_store().put(SECRET_NAME, "postgresql://a:b@secret/x")
    named = Target(table="orders", host="named", database="x", user="a")
    assert address(named).host == "named"
    monkeypatch.setenv("ELT_TARGET_URL", "postgresql://a:b@variable/x")
    assert address(NOWHERE).host == "variable"
    assert service_address().host == "variable"


def test_an_address_names_the_authorities_that_prove_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verified = "postgresql://a:b@db/x?sslmode=verify-full"
    monkeypatch.setenv("ELT_TARGET_URL", f"{verified}&sslrootcert=/var/task/rds.pem")
    assert address(NOWHERE).sslrootcert == "/var/task/rds.pem"
    monkeypatch.setenv("ELT_TARGET_URL", "postgresql://a:b@db/x?sslrootcert=/var/task/rds.pem")
    with pytest.raises(AddressError, match="verify-full, this with &sslrootcert=FILE"):
        address(NOWHERE)


def test_a_secret_that_is_no_address_is_named_and_not_shown() -> None:
    service_store().put(SECRET_NAME, "mysql://a:canary@db/x")
    with pytest.raises(AddressError, match=SECRET_NAME) as refusal:
        service_address()
    assert "canary" not in str(refusal.value)


def test_without_any_both_ways_to_say_it_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELT_STAGE", "prod")
    with pytest.raises(AddressError, match=r"ELT_SERVICE_URL.*elt/prod/service/database-url"):
        service_address()
