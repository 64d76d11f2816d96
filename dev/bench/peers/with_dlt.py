"""`python with_dlt.py URL FILE TABLE FORMAT`: a CSV file by dlt.

FORMAT is how dlt hands it on: `csv`, which PostgreSQL copies, or `parquet`, which ADBC does.
"""

from __future__ import annotations

import sys
import tempfile

import dlt
from reading import open_csv


def main(url: str, file: str, table: str, file_format: str) -> None:
    """Append to the table, or make it."""
    complete = url.replace("@/", ":none@localhost/")  # dlt asks for both; the socket is used
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench",
            destination=dlt.destinations.postgres(complete),
            dataset_name="public",
            pipelines_dir=folder,
        )
        pipeline.run(
            open_csv(file),
            table_name=table,
            write_disposition="append",
            loader_file_format=file_format,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
