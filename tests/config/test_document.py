import subprocess
import sys
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.config import document
from chalicelib.config.document import parse
from chalicelib.errors import ConfigError

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


def refusal(text):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    return problem


def test_lines_are_those_of_the_keys_and_items():
    read = parse("sources:\n  - type: api\n    auth:\n      type:\n        bearer\n  - two\n")
    assert read.data == {"sources": [{"type": "api", "auth": {"type": "bearer"}}, "two"]}
    assert read.line(("sources", 0, "auth", "type")) == 4
    assert read.line(("sources", 1)) == 6


def test_the_line_of_an_unknown_path_is_that_of_its_nearest_ancestor():
    read = parse("a: 1\ntarget:\n  host: x\n")
    assert read.line(("target", "table")) == 2
    assert read.line(("nowhere", 3)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "NO",
        "off",
        "yes",
        "y",
        "22:22",
        "007",
        "-01",
        "0x1F",
        "0o17",
        "1_000",
        "2026-01-01",
        ".5",
        "+5",
        ".inf",
        ".nan",
        "1.",
        "9" * 101,
        "1e9999",
        "=",
        "null_",
    ],
)
def test_what_only_looks_like_a_number_a_date_or_a_boolean_stays_text(text):
    assert parse(f"- {text}").data == [text]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("0", 0),
        ("true", True),
        ("TRUE", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"null"', "null"),
    ],
)
def test_other_unquoted_scalars_have_their_type(text, value):
    (read,) = parse(f"- {text}").data
    assert read == value
    assert type(read) is type(value)


def test_fractions_are_exact():
    assert str(parse("0.10").data) == "0.10"
    assert parse("1.5e3").data == Decimal(1500)


def test_a_byte_order_mark_and_windows_lines_are_fine():
    assert parse("\ufeffa: 1\r\nb: |\r\n  x\r\n").data == {"a": 1, "b": "x\n"}


def test_a_duplicate_key_names_both_lines():
    (mistake,) = parse("a:\n  b: 1\n  c: 2\n  b: 3\n").mistakes
    assert str(mistake) == "line 4: a.b: a second time; first on line 2, keep one"


@pytest.mark.parametrize("key", ["2024", "true", "null", "0.5"])
def test_keys_must_be_text(key):
    (mistake,) = parse(f"a: 1\n{key}: x\n").mistakes
    assert mistake.line == 2
    assert "must be text; put it in quotes" in mistake.text


def test_a_quoted_number_is_a_key():
    assert parse('"2024": x').mistakes == ()


def test_tags_are_refused_and_nothing_is_made_of_them():
    read = parse("a: 1\nb: !!python/object/apply:os.system [exit 1]\n")
    assert [(m.line, m.path) for m in read.mistakes] == [(2, ("b",))]
    assert read.data["b"] == ["exit 1"]


def test_merging_is_refused():
    (mistake,) = parse("a: &a {b: 1}\nc:\n  <<: *a\n").mistakes
    assert mistake.line == 3


def test_aliases_stand_for_their_anchors():
    assert parse("a: &o {b: 1}\nc: *o\n").data == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\nb: x: y\n", "line 2, column 5", "a ':' that does not belong here"),
        ("a: [1, 2\nb: 3\n", "line 2, column 2", "the bracket opened on line 1"),
        ("a: 1\nb: 'c\nd: e\n", "line 4, column 1", "the quote opened on line 2 is never closed"),
        ("a:\n\tb: 1\n", "line 2, column 1", "a tab"),
        ("a: @x\n", "line 1, column 4", "in quotes"),
        ("- a\nb: 1\n", "line 2, column 1", "not indented like the list"),
        ('a: "\\q"\n', "line 1, column 5", "backslash"),
        ("a: ]\n", "line 1, column 4", "a value is missing"),
        ("a: 'b' c\n", "line 1, column 8", "closing quote"),
        ("a: 1\nb\n", "line 3, column 1", "without ':'"),
        ("é: 1\nb: \x00\n", "line 2", "control character"),
        ("a: 1\nb: \ud800\n", "line 2", "surrogate"),
        ("a: 1\n---\nb: 2\n", "line 2", "a second document"),
        ("%YAML 1.1\n---\na: 1\n", "line 1", "directives"),
        ("a: *x\n", "line 1", "without an anchor"),
        ("a: &x [*x]\n", "line 1", "without an anchor"),
        ("a: {{ x }}\n", "line 1", "a key must be text"),
    ],
)
def test_what_is_no_yaml_is_refused_in_plain_words(text, place, words):
    problem = refusal(text)
    assert problem.startswith(f"{place}: ")
    assert words in problem


@pytest.mark.parametrize("password", ["*hunter2", "!hunter2", "@hunter2", "%hunter2", "x: hunter2"])
def test_a_refusal_does_not_quote_a_password_that_yaml_misreads(password):
    text = f"target:\n  password: {password}\n"
    try:
        problems = [str(mistake) for mistake in parse(text).mistakes]
    except ConfigError as error:
        problems = error.problems
    assert problems
    assert "hunter2" not in "".join(problems)


def test_too_long_a_text_is_refused():
    assert "1,000,000 bytes" in refusal("é" * 500_001)


def test_depth_is_limited():
    assert parse("[" * 50 + "]" * 50).data
    assert "50 levels" in refusal("[" * 60 + "]" * 60)


def test_aliases_are_counted():
    assert "100 aliases" in refusal("a: &a x\nb: [" + "*a, " * 101 + "]")


def test_values_are_counted():
    assert "10,000 values" in refusal("[" + "a, " * 10_001 + "]")


@pytest.mark.parametrize("text", ["a: {}", "? {}\n: a", "- - '{}'"])
def test_a_single_text_is_limited(text):
    assert parse(text.format("x" * 65_536)).data
    assert "more than 65,536 characters" in refusal(text.format("x" * 65_537))


def test_an_alias_bomb_is_refused_at_once():
    started = time.perf_counter()
    assert "aliases included" in refusal(BOMB)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        "'[' * 100_000",
        "'{a: ' * 100_000",
        "'- ' * 100_000",
        "'? ' * 100_000",
        "''.join(f'%TAG !a{i}! x\\n' for i in range(60_000))",
        "'&a ' * 300_000",
    ],
)
def test_hostile_nesting_ends_in_a_refusal_not_in_a_crash(text):
    script = (
        "from chalicelib.config.document import parse\n"
        "from chalicelib.errors import ConfigError\n"
        f"try: parse({text})\n"
        "except ConfigError: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=20, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr


@given(st.text() | st.text(alphabet="{}[]:,-&*!|>'\"%@` \n\tab01?#~<.\\"))
def test_random_text_is_read_or_refused(text):
    try:
        parse(text)
    except ConfigError as error:
        assert all(problem.startswith("line ") for problem in error.problems)  # noqa: PT017


@given(st.text(alphabet="{}[]:,-&*!|>'\"%@` \n\tab01?#~<.\\"))
def test_the_parser_written_in_python_serves_as_well(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "_LOADER", document.yaml.SafeLoader)
        try:
            parse(text)
        except ConfigError as error:
            assert error.problems  # noqa: PT017


@pytest.mark.parametrize(("key", "most"), [("sql", 49_152), ("pattern", 16_384)])
def test_what_is_costly_to_check_is_bounded_in_all_also_behind_aliases(key, most):
    part = "x" * 1_000
    fits = "".join(f"- {{{key}: {part}}}\n" for _ in range(most // 1_000))
    assert parse(fits).data
    said = f"all values of {key} together have more than {most:,} characters"
    assert said in refusal(f"{fits}- {{{key}: {part}}}\n")
    aliased = f"- &a {{{key}: {part}}}\n" + "- *a\n" * (most // 1_000)
    assert said in refusal(aliased)
