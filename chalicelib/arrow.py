"""Two ways around costs of pyarrow that show in every run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


class _NoPandas:
    """Finds no pandas, wherever it is."""

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(name)
        return None


def put_pandas_off() -> None:
    """Let pyarrow look for pandas now, in vain, unless it was imported before.

    With its first value pyarrow imports pandas to know its types when it meets them: 0.3 seconds
    and 40 MB of each run and each cold start. It looks again when somebody wants a pandas object.
    """
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.scalar(None)
    finally:
        sys.meta_path.remove(_NoPandas)


def may_hold(values: pa.StringArray, *signs: bytes) -> bool:
    """False where none of the values holds one of these bytes: a look at the speed of memory.

    The bytes of other values beside them, of which they are a slice, may make it true.
    """
    text = values.buffers()[2]
    held: bytes = text.to_pybytes() if text else b""
    return any(sign in held for sign in signs)
