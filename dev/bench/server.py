"""The PostgreSQL that is loaded into, and psql on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

from dev.postgres import program

SETTINGS = ("fsync", "synchronous_commit", "wal_level", "shared_buffers", "max_wal_size")
"""What the speed of COPY depends on."""


@dataclass(frozen=True)
class Server:
    """A server by the URL of a database, whose user is a superuser."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """For programs that load: a time without a zone means UTC, as in the pipeline."""
        return {"ELT_TARGET_URL": self.url, "PGTZ": "UTC"}

    def psql(self, *commands: str) -> list[str]:
        """A command line that carries these out in one session and stops at a mistake."""
        options = ["--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", self.url]
        return [str(program("psql")), *options, *(f"--command={one}" for one in commands)]

    def carry_out(self, *commands: str) -> str:
        """What the commands print. Raises CalledProcessError with what psql says."""
        said = subprocess.check_output(
            self.psql(*commands),
            env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"},
            stderr=subprocess.STDOUT,
            text=True,
        )
        return said.strip()

    def fingerprint(self, table: str) -> str:
        """The count of the rows, and a sum over their texts: the same for the same rows."""
        return self.carry_out(
            "set timezone to 'UTC'",
            f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from {table} t",
        )

    def hold_the_same(self, one: str, other: str, columns: Collection[str]) -> bool:
        """Whether two tables have equal rows in these columns, however a number is written."""
        rows = f"select {', '.join(columns)} from"
        return (
            self.carry_out(
                f"select (select count(*) from {one}) = (select count(*) from {other})"
                f" and not exists ({rows} {one} except all {rows} {other})"
            )
            == "t"
        )

    def settings(self) -> dict[str, str]:
        """Those that matter here, as PostgreSQL shows them, and its version."""
        shown = {name: self.carry_out(f"show {name}") for name in SETTINGS}
        return {"PostgreSQL": self.carry_out("show server_version")} | shown

    @contextmanager
    def confined(self, cores: Collection[int]) -> Iterator[None]:
        """All of its processes, and those that it starts meanwhile, keep to these cores."""
        number = self.carry_out(r"select split_part(pg_read_file('postmaster.pid'), E'\n', 1)")
        postmaster = psutil.Process(int(number))
        before = postmaster.cpu_affinity()
        _keep_to(postmaster, cores)
        try:
            yield
        finally:
            _keep_to(postmaster, before)


def _keep_to(postmaster: psutil.Process, cores: Collection[int]) -> None:
    postmaster.cpu_affinity(list(cores))
    for child in postmaster.children():
        with suppress(psutil.NoSuchProcess):  # as of autovacuum, which comes and goes
            child.cpu_affinity(list(cores))
