"""Rows of the combined CSV: by COPY into the target, or through a temporary table that merges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from sqlalchemy import Connection

from chalicelib import database
from chalicelib.load import ledger, rejected
from chalicelib.load.attempt import Harvest, agree, ask, own
from chalicelib.load.ledger import Part
from chalicelib.load.merge import Incoming, Merged


class CsvRows:
    """The rows of one attempt; its source is asked for them from their start."""

    def __init__(
        self,
        part: Part,
        columns: Sequence[str],
        rows: Callable[[], Iterator[bytes]],
        harvest: Callable[[], Harvest],
    ) -> None:
        self._part = part
        self._columns = columns
        self._harvest = harvest
        self._rest = own(rows)
        self._first = next(self._rest, None)

    def are_none(self) -> bool:
        """Known once the first chunk is there, or will not come."""
        return self._first is None

    def bring_in(self, connection: Connection) -> tuple[Merged, tuple[str, ...]]:
        """COPY, and by way of a temporary table when rows are merged."""
        if self.are_none() or self._part.mode != "merge":
            table = database.quote_table(self._part.table)
            return Merged(self.copy(connection, table, self._columns)), ()
        incoming = Incoming(connection, self._part.table, self._columns, self._part.key)
        replayed = self._part.replayed is not None
        columns = [*self._columns, incoming.reject] if replayed else self._columns
        copied = self.copy(connection, incoming.table, columns)
        with database.patient(connection):
            stale = self._leave_out_stale(connection, incoming) if replayed else ()
            return incoming.merge(copied), stale

    def copy(self, connection: Connection, table: str, columns: Sequence[str]) -> int:
        """COPY into this table, quoted, and return how many rows there were."""
        chunks = () if self._first is None else chain((self._first,), self._rest)
        copied = database.copy_csv(connection, table, columns, chunks) if chunks else 0
        agree("rows", counted=copied, written=ask(self._harvest).rows)
        return copied

    def bring_rejects(self, connection: Connection, harvest: Harvest) -> int:
        """COPY the rejects."""
        return copy_rejects(connection, harvest)

    def _leave_out_stale(self, connection: Connection, incoming: Incoming) -> tuple[str, ...]:
        return tuple(incoming.leave_out_stale(ledger.runs_before(connection, self._part)))


def copy_rejects(connection: Connection, harvest: Harvest) -> int:
    """COPY the rejects of a part, and return how many they are."""
    quarantined = 0
    if file := harvest.rejects:
        chunks: Iterable[bytes] = own(lambda: rejected.chunks_of(file))
        quarantined = rejected.copy_rejects(connection, chunks)
    agree("rejects", counted=quarantined, written=harvest.quarantined)
    return quarantined
