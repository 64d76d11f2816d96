"""Text, booleans and JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.arrow import may_hold
from chalicelib.config.model.schema import BOOLEAN_WORDS, Column
from chalicelib.schema.columns import keep, trimmed

WORDS = [word for words in BOOLEAN_WORDS.values() for word in words]
MEANINGS = [truth for truth, words in BOOLEAN_WORDS.items() for _ in words]
NUL = "\x00"
MAX_EXPONENT = 10_000
"""PostgreSQL's numeric, which jsonb uses, ends somewhat beyond."""


class Text:
    """Kept as it is, white space too. PostgreSQL has no place for the character NUL."""

    def sql(self, column: Column) -> str:
        return "text"

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        return text

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        if not may_hold(values, NUL.encode()):
            return values
        spoiled = pc.match_substring(values, NUL)
        return keep(values, pc.invert(spoiled)) if pc.any(spoiled).as_py() else values

    def expected(self, column: Column) -> str:
        return "text that PostgreSQL can hold (it has a NUL character)"


class Boolean:
    """true, t, yes, y, on, 1 and their opposites, in any case."""

    def sql(self, column: Column) -> str:
        return "boolean"

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        return pc.cast(text, pa.bool_())

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        standard = pa.array([*dict.fromkeys(MEANINGS), None])
        if pc.all(pc.is_in(values, value_set=standard)).as_py() is not False:
            return values
        meanings, words = pa.array(MEANINGS), pa.array(WORDS)
        return meanings.take(pc.index_in(pc.utf8_lower(trimmed(values)), value_set=words))

    def expected(self, column: Column) -> str:
        return "true or false"


class Json:
    """Any JSON value; jsonb in PostgreSQL, which has no place for NUL in it."""

    def sql(self, column: Column) -> str:
        return "jsonb"

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        return text

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        coded = values.dictionary_encode()
        valid = pa.array([_is_json(text) for text in coded.dictionary.to_pylist()], pa.bool_())
        return keep(values, valid.take(coded.indices)) if len(valid) else values

    def expected(self, column: Column) -> str:
        return "JSON"


def _is_json(text: str) -> bool:
    try:
        found = json.loads(text, parse_float=_number, parse_constant=_refuse)
        # half of a surrogate pair parses, but is no text
        json.dumps(found, ensure_ascii=False, default=str).encode()
    except (ValueError, ArithmeticError, RecursionError):
        return False
    return "\\u0000" not in text


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError(text)
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
