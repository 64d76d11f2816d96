"""Where a database is: in the configuration, in the environment, or in a secret of the service.

On Lambda it is the secret `database-url`, so that no template and no console shows a password.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from chalicelib import settings
from chalicelib.config.model.target import Target
from chalicelib.errors import AddressError
from chalicelib.secrets import service_store

SECRET_NAME = "database-url"  # noqa: S105 - a name
"""The name of the service's secret that stands in for both variables when they are not set."""


def address(target: Target) -> Target:
    """The target, with the database of ELT_TARGET_URL or the secret when it names no host.

    Raises AddressError when both are missing or what is there is no postgresql:// URL, SecretError
    when the secret cannot be read.
    """
    if target.host:
        return target
    if found := _first({"ELT_TARGET_URL": settings.target_url()}, target.table):
        return found
    raise AddressError(
        "there is no database to load",
        where="target.host",
        fix="Set target.host, or start the embedded database with `make run`.",
    )


def service_address() -> Target:
    """The database of ELT_SERVICE_URL, ELT_TARGET_URL or the secret; its table means nothing.

    Raises AddressError when all are missing, or the first is no postgresql:// URL, SecretError
    when the secret cannot be read.
    """
    urls = {"ELT_SERVICE_URL": settings.service_url(), "ELT_TARGET_URL": settings.target_url()}
    if found := _first(urls, "runs"):
        return found
    raise AddressError(
        "there is no database for the service",
        where="ELT_SERVICE_URL",
        fix="Set it to postgresql://user:password@host:5432/database, or start everything with "
        f"`make local`; on AWS store the secret elt/{settings.stage()}/service/{SECRET_NAME}.",
    )


def _first(urls: Mapping[str, str | None], table: str) -> Target | None:
    """The database of the first URL that is set, or of the secret."""
    for variable, given in urls.items():
        if given:
            return _from_url(given, variable, table)
    kept = service_store().get(SECRET_NAME)
    return _from_url(kept, f"secret {SECRET_NAME}", table) if kept else None


def _from_url(given: str, variable: str, table: str) -> Target:
    try:
        return Target.model_validate({"table": table, **_fields(make_url(given))})
    except (ArgumentError, ValueError):
        raise AddressError(
            "this is not the address of a PostgreSQL database",
            where=variable,
            fix="Write postgresql://user:password@host:5432/database, if need be with "
            "?sslmode=disable, require or verify-full, this with &sslrootcert=FILE.",
        ) from None


def _fields(url: URL) -> dict[str, object]:
    fields = {
        "host": url.host or url.query.get("host"),
        "port": url.port or url.query.get("port"),
        "database": url.database,
        "user": url.username,
        "password": url.password,
        "sslmode": url.query.get("sslmode"),
        "sslrootcert": url.query.get("sslrootcert"),
    }
    if not url.drivername.startswith("postgres") or not fields["host"]:
        raise ValueError
    return {key: value for key, value in fields.items() if value}
