"""What runs after the rows are in, in their transaction: SQL of the user, and checks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from chalicelib.config.model.common import Frozen, Names
from chalicelib.config.sql import statements


def _statements(sql: str) -> str:
    statements(sql)
    return sql


def _one_statement(sql: str) -> str:
    if len(statements(sql)) > 1:
        raise ValueError("a check is a single query")
    return sql


class Transform(Frozen):
    """Statements that run in the target after the load, in its transaction."""

    name: str = Field(min_length=1, description="what messages and reports call it")
    sql: Annotated[str, AfterValidator(_statements)] = Field(
        description="One or several statements; {table} and {run_id} are filled in, quoted"
    )


class RowCount(Frozen):
    """How many rows the table may have."""

    min: int | None = Field(None, ge=0)
    max: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _bounded(self) -> RowCount:
        if self.min is None and self.max is None:
            raise ValueError("min, max or both are needed")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min: {self.min} is more than max, {self.max}")
        return self


class Check(Frozen):
    """What must hold of the whole table before the load commits; one of the four kinds."""

    name: str = Field("", description="What messages call it; else what it checks")
    unique: Names = Field((), description="No two rows have the same values in these columns")
    not_null: Names = Field((), description="Each row has a value in each of these columns")
    row_count: RowCount | None = None
    sql: Annotated[str, AfterValidator(_one_statement)] | None = Field(
        None, description="A query that finds no rows when all is well"
    )
    on_failure: Literal["fail", "warn"] = "fail"

    @model_validator(mode="after")
    def _one_kind(self) -> Check:
        kinds = [self.unique, self.not_null, self.row_count, self.sql]
        if sum(bool(kind) for kind in kinds) != 1:
            raise ValueError("one of unique, not_null, row_count and sql is needed")
        return self

    @property
    def label(self) -> str:
        """Its name, or what it checks."""
        if self.name or self.sql:
            return self.name or "sql"
        if self.row_count:
            limits = self.row_count.model_dump(exclude_none=True)
            return f"row_count {', '.join(f'{name} {limit}' for name, limit in limits.items())}"
        kind = "unique" if self.unique else "not_null"
        return f"{kind} {', '.join(self.unique or self.not_null)}"
