"""The configuration as frozen values. Field descriptions end up in the JSON Schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, model_validator

from chalicelib.config.model.api import ApiSource
from chalicelib.config.model.common import Frozen
from chalicelib.config.model.files import LocalSource
from chalicelib.config.model.retention import Retention
from chalicelib.config.model.schema import Column, OnInvalid, Schema
from chalicelib.config.model.target import LINEAGE, Target
from chalicelib.config.model.transform import Check, Transform

SourceConfig = Annotated[LocalSource | ApiSource, Field(discriminator="type")]


class Config(Frozen):
    """One pipeline: sources, the target table and its schema."""

    _base: Path = PrivateAttr(default=Path())
    _is_own: bool = PrivateAttr(default=False)

    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    target: Target
    schema_: Schema | None = Field(None, alias="schema")
    transform: tuple[Transform, ...] = ()
    checks: tuple[Check, ...] = ()
    retention: Retention = Retention()

    @model_validator(mode="before")
    @classmethod
    def _name_the_sources(cls, data: Any) -> Any:
        sources = data.get("sources") if isinstance(data, dict) else None
        if not isinstance(sources, list) or not all(isinstance(s, dict) for s in sources):
            return data
        types = [s.get("type") for s in sources]
        named = [
            {"name": s["type"], **s} if types.count(s.get("type")) == 1 and s.get("type") else s
            for s in sources
        ]
        return {**data, "sources": named}

    @model_validator(mode="after")
    def _names_are_unique(self) -> Config:
        names = [source.name for source in self.sources]
        if "" in names:
            raise ValueError("each source of a type that occurs twice needs a name")
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two sources are called {', '.join(doubles)}")
        return self

    @model_validator(mode="after")
    def _replace_reads_everything(self) -> Config:
        steps = [
            source.name
            for source in self.sources
            if "incremental" in source.model_fields_set and source.incremental
        ]
        if self.target.mode == "replace" and steps:
            raise ValueError(
                f"mode replace always reads everything: remove incremental from {', '.join(steps)}"
            )
        skipping = [s.name for s in self.sources if getattr(s, "on_file_error", "") == "skip"]
        if self.target.mode == "replace" and skipping:
            raise ValueError(
                "mode replace would delete the rows of a file that it skips: remove "
                f"on_file_error: skip from {', '.join(skipping)}"
            )
        return self

    @model_validator(mode="after")
    def _changes_fit_the_mode(self) -> Config:
        choosing = [s for s in self._files if "on_change" in s.model_fields_set]
        if self.target.mode == "merge" and choosing:
            raise ValueError(
                "mode merge takes changed files by their keys: remove on_change from "
                f"{', '.join(source.name for source in choosing)}"
            )
        replacing = [s for s in choosing if s.on_change == "replace_rows"]
        if replacing and not self.target.lineage:
            raise ValueError(
                "on_change: replace_rows finds the rows of a file by target.lineage: true, which "
                f"{replacing[0].name} needs"
            )
        if aimless := [source.name for source in replacing if not source.incremental]:
            raise ValueError(
                f"on_change: replace_rows needs to know what was loaded: remove incremental: false "
                f"from {aimless[0]}"
            )
        return self

    @model_validator(mode="after")
    def _lineage_is_unambiguous(self) -> Config:
        if not self.target.lineage:
            return self
        if slashed := [source.name for source in self.sources if "/" in source.name]:
            raise ValueError(
                f"lineage writes source/file: the name {slashed[0]} may have no / itself"
            )
        if taken := sorted(LINEAGE.keys() & self.declared.keys()):
            raise ValueError(f"schema: lineage fills {', '.join(taken)} itself; leave it out there")
        return self

    @model_validator(mode="after")
    def _the_key_is_declared(self) -> Config:
        lost = [n for n in self.target.primary_key if n not in self.declared]
        if self.strict and lost:
            raise ValueError(f"target: primary_key {', '.join(lost)} is not in schema.columns")
        return self

    @property
    def _files(self) -> list[LocalSource]:
        return [source for source in self.sources if isinstance(source, LocalSource)]

    @property
    def base(self) -> Path:
        """The folder of the configuration file: paths are relative to it."""
        return self._base

    @property
    def is_own(self) -> bool:
        """Whether it is a file of whoever runs it, rather than a version that somebody uploaded."""
        return self._is_own

    @property
    def warnings(self) -> list[str]:
        """What is allowed, and seldom meant."""
        apis = [source for source in self.sources if source.type == "api"]
        return [
            f"source {source.name}: without incremental every run adds all of its records again"
            for source in apis
            if not source.incremental and self.target.mode == "append"
        ] + [
            f"source {source.name}: its credentials can be read on the way; use https"
            for source in apis
            if source.is_readable_on_the_way
        ]

    @property
    def declared(self) -> dict[str, Column]:
        """The declared columns, none without a schema. Those of a key must have a value."""
        columns = self.schema_.columns if self.schema_ else {}
        return {
            name: column.model_copy(update={"required": True})
            if name in self.target.primary_key
            else column
            for name, column in columns.items()
        }

    def rebuilding(self) -> Config:
        """For a run that replaces all rows: a file it skipped would lose those it had."""
        sources = tuple(
            source.model_copy(update={"on_file_error": "fail"})
            if isinstance(source, LocalSource)
            else source
            for source in self.sources
        )
        return self.model_copy(update={"sources": sources})

    @property
    def strict(self) -> bool:
        """Whether the columns of the target are known before the first row is read."""
        return self.schema_ is not None and self.schema_.strict_mode

    @property
    def on_invalid(self) -> OnInvalid:
        """What becomes of a row that does not fit; without a schema none can fail to."""
        return self.schema_.on_invalid if self.schema_ else "fail"
