"""Where a database is: in the configuration, or in the environment."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from chalicelib import settings
from chalicelib.config.model.target import Target
from chalicelib.errors import AddressError


def address(target: Target) -> Target:
    """The target, with the database of ELT_TARGET_URL when it names no host.

    Raises AddressError when that is missing or is no postgresql:// URL.
    """
    if target.host:
        return target
    if given := settings.target_url():
        return _from_url(given, "ELT_TARGET_URL", target.table)
    raise AddressError(
        "there is no database to load",
        where="target.host",
        fix="Set target.host, or start the embedded database with `make run`.",
    )


def service_address() -> Target:
    """The database of ELT_SERVICE_URL, or else of ELT_TARGET_URL; its table means nothing.

    Raises AddressError when both are missing, or the one that is set is no postgresql:// URL.
    """
    urls = {"ELT_SERVICE_URL": settings.service_url(), "ELT_TARGET_URL": settings.target_url()}
    for variable, given in urls.items():
        if given:
            return _from_url(given, variable, "runs")
    raise AddressError(
        "there is no database for the service",
        where="ELT_SERVICE_URL",
        fix="Set it to postgresql://user:password@host:5432/database, or start everything with "
        "`make local`.",
    )


def _from_url(given: str, variable: str, table: str) -> Target:
    try:
        return Target.model_validate({"table": table, **_fields(make_url(given))})
    except (ArgumentError, ValueError):
        raise AddressError(
            "this is not the address of a PostgreSQL database",
            where=variable,
            fix="Write postgresql://user:password@host:5432/database, if need be with "
            "?sslmode=disable, require or verify-full.",
        ) from None


def _fields(url: URL) -> dict[str, object]:
    fields = {
        "host": url.host or url.query.get("host"),
        "port": url.port or url.query.get("port"),
        "database": url.database,
        "user": url.username,
        "password": url.password,
        "sslmode": url.query.get("sslmode"),
    }
    if not url.drivername.startswith("postgres") or not fields["host"]:
        raise ValueError
    return {key: value for key, value in fields.items() if value}
