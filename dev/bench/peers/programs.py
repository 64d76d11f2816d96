"""The other loaders: what to install of each, and how to call it."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[2] / "build" / "peers"
SETTINGS = (
    "RUNTIME__DLTHUB_TELEMETRY=false",
    "SLING_DISABLE_TELEMETRY=TRUE",
    "SLING_LOADED_AT_COLUMN=false",
)
"""No telemetry, and no column that the others do not have."""

Command = Callable[[Path, str, Path, str], list[str]]
"""From the environment's folder, the database's URL, a CSV file and a table."""


@dataclass(frozen=True)
class Peer:
    """One way to load. Those with the same `environment` share it; the first requirement is it."""

    environment: str
    requirements: tuple[str, ...]
    command: Command

    @property
    def version(self) -> str:
        """As it is pinned."""
        return self.requirements[0].replace("==", " ")

    def install(self) -> Path:
        """The folder of its environment, made once. Raises CalledProcessError when pip fails."""
        folder = ENVIRONMENTS / self.environment
        done = folder / f".installed-{'-'.join(self.requirements)}"
        if not done.exists():
            venv.create(folder, clear=True, with_pip=True)
            pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
            subprocess.run(
                [*pip, *self.requirements], check=True, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            done.touch()
        return folder


def _script(name: str, *more: str) -> Command:
    def command(environment: Path, url: str, file: Path, table: str) -> list[str]:
        return [str(environment / "bin/python"), str(HERE / name), url, str(file), table, *more]

    return command


def _sling(environment: Path, url: str, file: Path, table: str) -> list[str]:
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = environment / "lib" / python / "site-packages"
    return [
        str(packages / "sling_linux_amd64/bin/sling-linux-amd64"), "run",
        "--src-stream", f"file://{file}", "--tgt-conn", url,
        "--tgt-object", f"public.{table}", "--mode", "truncate",
    ]  # fmt: skip


ADBC = ("adbc-driver-postgresql==1.13.0", "pyarrow==26.0.1")
DLT = ("dlt[postgres]==1.31.0", *ADBC)

PEERS = {
    "ADBC": Peer("adbc", ADBC, _script("with_adbc.py")),
    "dlt with ADBC": Peer("dlt", DLT, _script("with_dlt.py", "parquet")),
    "dlt with CSV": Peer("dlt", DLT, _script("with_dlt.py", "csv")),
    "sling": Peer("sling", ("sling-linux-amd64==1.4.11",), _sling),
}
"""By the name that the table gives them."""
