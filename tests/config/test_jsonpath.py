from __future__ import annotations

import pytest

from chalicelib.config.jsonpath import records_path, steps, value_path


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", ()),
        ("$.data.items", ("data", "items")),
        ("$['data']['odd.key'].x", ("data", "odd.key", "x")),
        ('$["it\'s"]', ("it's",)),
        ("$[0][-1]", (0, -1)),
        ("$[*].rows.*", (None, "rows", None)),
        ("$.größe.a-b.@type", ("größe", "a-b", "@type")),
    ],
)
def test_a_path_is_its_steps(path, found):
    assert steps(path) == found


@pytest.mark.parametrize(
    "path",
    ["", "data", "$data", "$.", "$..a", "$.a.", "$[", "$[x]", "$['']", "$[?(@.a)]", "$.a[1:2]"],
)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match="is not a path such as"):
        steps(path)


def test_records_are_counted_from_the_start_and_a_value_is_one():
    assert records_path("$.a[0][*]") == "$.a[0][*]"
    assert value_path("$.a[-1]") == "$.a[-1]"
    with pytest.raises(ValueError, match="counts from the end"):
        records_path("$.a[-1]")
    with pytest.raises(ValueError, match="leads to many values"):
        value_path("$.a[*].b")
