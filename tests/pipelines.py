"""A small pipeline in a folder: files, a configuration, runs of it, and a look at the target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy

from chalicelib import pipeline
from chalicelib.config import Config, parse_config
from chalicelib.reports import RunResult

DECLARED: dict[str, Any] = {
    "strict_mode": True,
    "on_invalid": "quarantine",
    "columns": {"id": {"type": "integer", "required": True}, "name": "text"},
}


class Pipeline:
    """Loads the folder `data` into the table `orders`; `schema`, `target` and `source` vary it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.schema: dict[str, Any] | None = DECLARED
        self.target: dict[str, Any] = {"table": "orders"}
        self.source: dict[str, Any] = {"type": "local", "path": "data"}
        self.more_sources: list[dict[str, Any]] = []
        self.transform: list[dict[str, Any]] = []
        self.checks: list[dict[str, Any]] = []
        (folder / "data").mkdir()
        self.url = url

    @property
    def config(self) -> Config:
        document = {
            "sources": [self.source, *self.more_sources],
            "target": self.target,
            "transform": self.transform,
            "checks": self.checks,
        }
        if self.schema:
            document["schema"] = self.schema
        return parse_config(json.dumps(document), {})

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, **options: Any) -> RunResult:
        return pipeline.run(self.config, self.folder, **options)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        engine = sqlalchemy.create_engine(
            self.url.replace("postgresql://", "postgresql+pg8000://"),
            poolclass=sqlalchemy.NullPool,
            connect_args={"unix_sock": _socket(self.url)},
        )
        with engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return self.query("select * from orders order by 1, 2")


def _socket(url: str) -> str:
    return f"{sqlalchemy.make_url(url).query['host']}/.s.PGSQL.5432"
