"""The table to load, and the database it is in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from chalicelib.config.model.common import Frozen, TableName


class Target(Frozen):
    """The PostgreSQL table to load."""

    host: str | None = Field(
        None, description="Name, or /folder of a unix socket; left out: ELT_TARGET_URL"
    )
    port: int = Field(5432, ge=1, le=65535)
    database: str = "postgres"
    user: str = "postgres"
    password: SecretStr | None = None
    sslmode: Literal["disable", "require", "verify-full"] | None = Field(
        None, description="Default: require over a network, none over a unix socket"
    )
    table: TableName = Field(description="table or schema.table, made when it does not exist")
    mode: Literal["append", "replace"] = "append"
    allow_empty: bool = Field(False, description="replace: a run without rows empties the table")

    @property
    def qualified_table(self) -> str:
        """`schema.table`, with PostgreSQL's default schema when none is given."""
        return self.table if "." in self.table else f"public.{self.table}"
