"""The table to load, and the database it is in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from chalicelib.config.model.common import Frozen, Names, TableName

Mode = Literal["append", "replace", "merge"]

LINEAGE = {
    "_run_id": "text",
    "_source": "text",
    "_loaded_at": "timestamp with time zone",
}
"""The columns of `lineage: true` with their PostgreSQL types."""


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
    sslrootcert: str | None = Field(
        None, description="verify-full: a file of the authorities to trust in place of the system's"
    )
    table: TableName = Field(description="table or schema.table, made when it does not exist")
    mode: Mode = "append"
    primary_key: Names = Field((), description="merge: the column or columns that tell rows apart")
    allow_empty: bool = Field(False, description="replace: a run without rows empties the table")
    lineage: bool = Field(False, description="Add _run_id, _source and _loaded_at to each row")
    evolve: bool = Field(False, description="A column whose type does not take the data turns text")

    @field_validator("primary_key")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(doubles)} is named twice")
        return names

    @model_validator(mode="after")
    def _authorities_are_asked(self) -> Target:
        if self.sslrootcert and self.sslmode != "verify-full":
            raise ValueError("sslrootcert: is for sslmode: verify-full, nothing else looks at it")
        return self

    @model_validator(mode="after")
    def _merge_has_a_key(self) -> Target:
        if self.mode == "merge" and not self.primary_key:
            raise ValueError("mode merge needs primary_key, the columns that tell rows apart")
        if self.mode != "merge" and self.primary_key:
            raise ValueError(f"primary_key: is for mode merge, not {self.mode}")
        return self

    @property
    def qualified_table(self) -> str:
        """`schema.table`, with PostgreSQL's default schema when none is given."""
        return self.table if "." in self.table else f"public.{self.table}"
