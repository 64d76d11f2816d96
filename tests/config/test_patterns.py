import pytest

from chalicelib.config.patterns import re2


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d{5}",
        r"[A-Z]{2}-\d+",
        r"\p{L}+",
        r"\pN",
        r"[[:alpha:]_]+",
        r"(?i)a|b",
        r"(?P<n>x)",
        r"[(?=]",
        r"\\1",
        r"\(?=",
        r"[*+]+",
        r"[\]\d]*?",
        r"a\z",
    ],
)
def test_re2_expressions_pass(pattern):
    assert re2(pattern) == pattern


@pytest.mark.parametrize(
    "pattern", [r"(?=a)", r"(?!a)", r"(?<=a)b", r"(?<!a)b", r"(a)\1", r"(?P<n>a)(?P=n)", r"a++"]
)
def test_what_re2_lacks_is_refused(pattern):
    with pytest.raises(ValueError, match="RE2 expressions do not have"):
        re2(pattern)


@pytest.mark.parametrize("pattern", ["(", "[a", "*a", "a{3,1}", "[z-a]", "(" * 1_000, "\\"])
def test_what_is_no_expression_is_refused(pattern):
    with pytest.raises(ValueError, match="is not a regular expression"):
        re2(pattern)


def test_a_pattern_is_limited():
    assert re2("a" * 1000)
    with pytest.raises(ValueError, match="longer than 1,000 characters"):
        re2("a" * 1001)
