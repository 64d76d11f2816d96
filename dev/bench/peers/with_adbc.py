"""`python with_adbc.py URL FILE TABLE`: a CSV file by ADBC's COPY."""

from __future__ import annotations

import sys

import adbc_driver_postgresql.dbapi
from reading import open_csv


def main(url: str, file: str, table: str) -> None:
    """Append to the table, or make it."""
    with (
        open_csv(file) as reader,
        adbc_driver_postgresql.dbapi.connect(url) as connection,
        connection.cursor() as cursor,
    ):
        cursor.adbc_ingest(table, reader, mode="create_append")
        connection.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
