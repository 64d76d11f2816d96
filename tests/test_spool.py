from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from chalicelib.batch import Batch, Problem, Reject
from chalicelib.spool import Spool


def test_batches_come_back_as_they_went_in_and_the_file_goes(tmp_path: Path) -> None:
    rejects = [Reject(4, {"_raw": "x"}, (Problem(None, "x", "is broken"),), ("a",))]
    first = Batch("shop", "a.csv", pa.table({"a": ["1", None]}), [2, 5], rejects=rejects)
    second = Batch("api", "http://x?page=1", pa.table({"b": ["2"], "a": [""]}), range(1, 2))
    with Spool(tmp_path / "spool") as spool:
        spool.append(first)
        spool.append(second)
        one, two = spool.batches()
        assert (one.source, one.origin, list(one.lines), one.rejects) == (
            "shop", "a.csv", [2, 5], rejects,
        )  # fmt: skip
        assert one.table.to_pydict() == {"a": ["1", None]}
        assert two.table.to_pydict() == {"b": ["2"], "a": [""]}
        assert len(list(spool.batches())) == 2, "it can be read again"
    assert list(tmp_path.iterdir()) == []
