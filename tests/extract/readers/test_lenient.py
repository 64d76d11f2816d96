"""Records are split the same, at once or field by field."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.extract.readers.dialect import Dialect
from chalicelib.extract.readers.lenient import Grammar

TEXTS = st.lists(
    st.sampled_from(["a", "1.5", "ü", ",", ";", " ", "\n", "\r", "\r\n", '"', "\\", "\t"]),
    max_size=30,
).map("".join)
DIALECTS = st.builds(
    Dialect,
    delimiter=st.sampled_from(",; "),
    quote=st.sampled_from(['"', ""]),
    escape=st.sampled_from(["", "\\"]),
    padded=st.booleans(),
    newline=st.sampled_from("\n\r"),
)


class FieldByField(Grammar):
    """Never splits a record at once."""

    def _record(self, text, start, line, *, final):
        return self._field_by_field(text, start, line, final=final)


@given(TEXTS, DIALECTS, st.booleans(), st.booleans())
def test_a_record_split_at_once_is_the_same(text, dialect, any_end, final):
    fast, slow = (kind(dialect, 2, any_end) for kind in (Grammar, FieldByField))
    assert list(fast.records(text, 1, final=final)) == list(slow.records(text, 1, final=final))
