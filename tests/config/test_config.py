import json
import os
import subprocess
import sys

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.config import (
    ApiSource,
    LocalSource,
    explain,
    json_schema,
    load_config,
    parse_config,
)
from chalicelib.config.document import parse
from chalicelib.config.places import located
from chalicelib.errors import ConfigError

GOOD = """\
sources:
  - name: shop-export
    type: local
    path: data/orders
    s3: s3://bucket/orders/
    csv: {delimiter: ";", null_values: ["", NA]}
  - name: web-orders
    type: api
    url: https://api.example.com/v1/orders
    auth: {type: bearer, token: "${env:ELT_TOKEN}"}
    params: {status: paid}
    pagination: {type: page, size: 500}
    incremental: {cursor: updated_at, param: since}
    timeout: 0.5
target:
  port: ${env:ELT_PORT:-5432}
  table: sales.orders
schema:
  strict_mode: true
  on_invalid: quarantine
  columns:
    order_id: integer
    amount: {type: decimal, required: true, min: 0.10, from: Betrag}
    country: {type: text, allowed: [DE, NO], pattern: "[A-Z]{2}"}
"""
ENV = {"ELT_TOKEN": "hunter2"}


def mistakes(text, **env):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, env)
    return caught.value.problems


def with_target(lines, **env):
    return mistakes(f"sources: [{{type: local, path: x}}]\ntarget:\n  table: t\n{lines}", **env)


def with_source(lines, **env):
    return mistakes(
        f"target: {{table: t}}\nsources:\n  - type: api\n    url: http://x\n{lines}", **env
    )


def with_columns(lines, **env):
    head = "target: {table: t}\nsources: [{type: local, path: x}]\nschema:\n  columns:\n"
    return mistakes(head + lines, **env)


def test_a_good_configuration_is_read():
    config = parse_config(GOOD, ENV)
    files, api = config.sources
    assert isinstance(files, LocalSource)
    assert isinstance(api, ApiSource)
    assert api.auth.token.get_secret_value() == "hunter2"
    assert api.timeout == 0.5
    assert config.target.port == 5432
    assert str(config.declared["amount"].min) == "0.10"
    assert config.declared["amount"].from_ == ("Betrag",)
    assert config.declared["country"].allowed == ("DE", "NO")
    assert config.declared["order_id"].type == "integer"


def test_all_mistakes_are_named_at_once_in_the_order_of_their_lines():
    assert mistakes(
        """\
sources:
  - type: local
    path: ${env:HOME}
    incremental: perhaps
  - type: api
    auth: {type: bearr}
target:
  tabel: a
  port: abc
  port: 70000
schema:
  columns:
    net amount: {type: integr}
    b: {type: integer, min: abc}
"""
    ) == [
        "line 3: sources[0].path: HOME cannot be read; only names that begin with ELT_ can",
        "line 4: sources[0].incremental: 'perhaps' is not true or false",
        "line 5: sources[1].url: missing; http:// or https:// address",
        "line 6: sources[1].auth.type: 'bearr' is not one of none, bearer, basic, api_key, "
        "oauth2_client_credentials",
        "line 8: target.tabel: unknown key; did you mean table?",
        "line 10: target.port: a second time; first on line 9, keep one",
        "line 13: schema.columns[\"net amount\"].type: 'integr' is not one of text, integer,"
        " decimal, float, boolean, date, timestamp, json",
        "line 14: schema.columns.b.min: 'abc' is not of type integer",
    ]


def test_a_missing_key_says_what_it_is_for():
    assert mistakes("sources:\n  - {type: local, path: x}\n\ntarget:\n  host: x\n") == [
        "line 4: target.table: missing; table or schema.table, made when it does not exist"
    ]


def test_an_unknown_key_that_resembles_none_lists_the_known_ones():
    assert with_source("    auth: {type: bearer, token: x, qqq: 1}") == [
        "line 5: sources[0].auth.qqq: unknown key; there is type, token"
    ]


def test_a_key_that_is_there_already_is_not_suggested():
    (problem,) = with_target("  tables: x")
    assert "did you mean" not in problem


def test_the_names_of_python_fields_are_not_keys():
    assert with_columns("    a: {type: text, from_: x}") == [
        "line 5: schema.columns.a.from_: unknown key; did you mean from?"
    ]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{path: x}", "sources[0].type: missing; one of local, api"),
        ("{tpye: local, path: x}", "sources[0].tpye: unknown key; did you mean type?"),
        ("{type: ftp}", "sources[0].type: 'ftp' is not one of local, api"),
        ("{type: [x]}", "sources[0].type: a list is not one of local, api"),
        ("local", "sources[0]: text where keys are expected: type"),
        ("", "sources[0]: nothing where keys are expected: type"),
    ],
)
def test_the_type_of_a_source_is_explained(source, problem):
    assert mistakes(f"target: {{table: t}}\nsources:\n  - {source}\n") == [f"line 3: {problem}"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("port: abc", "port: 'abc' is not a whole number"),
        ("port: 1.5", "port: 1.5 is not a whole number"),
        ("port: 0", "port: 0 is less than 1"),
        ("port: 1e999", "port: 1E+999 is more than 65535"),
        ("allow_empty: 7", "allow_empty: 7 is not true or false"),
        ("database: 5", "database: 5 is not text; put it in quotes"),
        ("database: true", "database: true is not text; put it in quotes"),
        ("database: [a]", "database: a list where text is expected"),
        ("database:", "database: nothing where text is expected"),
        ("mode: upsert", "mode: 'upsert' is not one of append, replace, merge"),
        ("sslmode: no", "sslmode: 'no' is not one of disable, require, verify-full"),
        ("port: !!int 5", "port: tags (!…) are not supported; put text with a ! in quotes"),
    ],
)
def test_a_wrong_value_is_shown_with_what_would_be_right(line, problem):
    assert with_target(f"  {line}") == [f"line 4: target.{problem}"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("timeout: soon", "timeout: 'soon' is not a number"),
        ("timeout: 0", "timeout: 0 is not more than 0.0"),
        ("params: {a: [1]}", "params.a: a list where a single value is expected"),
        ("params: {a: }", "params.a: nothing where a single value is expected"),
        ("params: 5", "params: a number where names, each with its value, are expected"),
        (
            "records: data",
            "records: 'data' is not a path such as $.data.items, $.data[0] or $['odd key'][*]",
        ),
        ("auth: hunter2", "auth: text where keys are expected: type"),
        ("pagination: {type: page, size: 0}", "pagination.size: 0 is less than 1"),
    ],
)
def test_a_wrong_value_of_a_source_is_placed_without_pydantics_own_steps(line, problem):
    assert with_source(f"    {line}") == [f"line 5: sources[0].{problem}"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a: integr", "a: 'integr' is not one of text, integer, decimal, float, boolean, date,"),
        ("a: 5", "a: a number where keys are expected: type, from, required, default,"),
        ("a.b: {type: text, from: [1]}", '["a.b"].from[0]: 1 is not text; put it in quotes'),
        ("'': text", '[""]: a name needs at least one character'),
        ("a: {type: text, allowed: x}", "a.allowed: text where a list is expected"),
        ("a: {type: text, allowed: [[1]]}", "a.allowed[0]: a list where a single value is exp"),
        ("a: {type: text, pattern: (?=x)}", "a.pattern: '(?=x)' uses look-around"),
        ("a: {type: text, pattern: (}", "a.pattern: '(' is not a regular expression"),
        ("a: {type: date, timezone: Mars}", "a.timezone: 'Mars' is not a time zone"),
        (
            'a: {type: text, decimal_separator: ","}',
            "a: decimal_separator is for numbers, not text",
        ),
        ("a: {type: text, format: x}", "a: format is for date and timestamp, not text"),
    ],
)
def test_a_wrong_column_is_explained(line, problem):
    (found,) = with_columns(f"    {line}\n")
    join = "" if problem.startswith("[") else "."
    assert found.startswith(f"line 5: schema.columns{join}{problem}")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n...\n"])
def test_an_empty_text_says_what_it_needs(text):
    keys = "sources, target, schema, transform, checks, retention"
    assert mistakes(text) == [f"line 1: nothing where keys are expected: {keys}"]


def test_no_sources_at_all_is_a_mistake():
    assert mistakes("sources: []\ntarget: {table: t}") == [
        "line 1: sources: empty; at least one is needed"
    ]


def test_what_two_sources_have_in_common_is_a_mistake():
    source = "{type: local, path: x, name: a}"
    (problem,) = mistakes(f"target: {{table: t}}\nsources: [{source}, {source}]")
    assert "a" in problem
    assert "Value error" not in problem


@pytest.mark.parametrize(
    "lines",
    [
        "    headers: {X-Key: [hunter2]}",
        "    headers: hunter2",
        "    auth: {token: hunter2}",
        "    auth: hunter2",
        "    auth: {type: bearer, tokn: hunter2}",
        "    auth: {type: bearer, token: [hunter2]}",
        "    url: ftp://user:hunter2@host",
        "    url: user:hunter2@host",
        "    url: ftp://host/?key=hunter2",
        "    params: {a: [hunter2]}",
    ],
)
def test_secrets_are_never_shown(lines):
    found = with_source(lines)
    assert found
    assert "hunter2" not in "".join(found)


def test_a_number_as_password_is_not_shown():
    assert with_target("  password: 472911") == [
        "line 4: target.password: the value is not text; put it in quotes"
    ]


def test_an_address_with_a_password_in_place_of_the_target_is_not_shown():
    (problem,) = mistakes("sources: [{type: local, path: x}]\ntarget: postgres://u:hunter2@h/d")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    "line",
    [
        "port: ${env:ELT_A}",
        "mode: ${env:ELT_A}",
        "allow_empty: ${env:ELT_A}",
        "user: ${env:ELT_A}\n  port: x",
        "table: ${env:ELT_A}.b.c",
        "table: x.${env:ELT_A}${env:ELT_LONG}",
    ],
)
def test_what_comes_from_the_environment_is_never_shown(line):
    text = f"sources: [{{type: local, path: x}}]\ntarget:\n  table: t\n  {line}".replace(
        "  table: t\n  table", "  table"
    )
    found = mistakes(text, ELT_A="hunter2", ELT_LONG="y" * 70)
    assert found
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "a: ${env:ELT_A}",
        "a: {type: date, timezone: '${env:ELT_A}'}",
        "a: {type: integer, min: '${env:ELT_A}'}",
        "a: {type: text, pattern: '(${env:ELT_A}'}",
    ],
)
def test_a_check_of_the_model_shows_the_reference_instead_of_its_value(line):
    (problem,) = with_columns(f"    {line}\n", ELT_A="hunter2")
    assert "${env:ELT_A}" in problem
    assert "hunter2" not in problem


def test_an_unresolved_reference_has_no_follow_ups():
    assert with_target("  port: ${env:ELT_P}") == [
        "line 4: target.port: ELT_P is not set; set it or write ${env:ELT_P:-default}"
    ]
    (problem,) = with_columns("    a: {type: integer, min: '${env:ELT_P}'}")
    assert "is not set" in problem


def test_a_mistake_behind_an_anchor_is_named_at_each_use():
    text = (
        "target: {table: t}\nsources:\n- {type: local, name: a, path: x, csv: &c {delimiter: ab}}\n"
    )
    found = mistakes(text + "- {type: local, name: b, path: x, csv: *c}\n")
    assert [problem.split(": ")[:2] for problem in found] == [
        ["line 3", "sources[0].csv.delimiter"],
        ["line 4", "sources[1].csv.delimiter"],
    ]


def test_control_characters_do_not_reach_the_terminal():
    (problem,) = with_target('  "\\e[2J": 1')
    assert "\x1b" not in problem


def test_long_values_and_long_lists_are_cut():
    (problem,) = with_target(f"  mode: {'x' * 5000}")
    assert len(problem) < 200
    found = with_target("\n".join(f"  q{i}: 1" for i in range(300)))
    assert (len(found), found[-1]) == (101, "and 200 more")


COLUMNS = "sources: [{type: local, path: d}]\ntarget: {table: t}\nschema:\n  columns:\n"


def test_only_the_mistakes_that_are_listed_are_explained(monkeypatch):
    """A hostile document has thousands, and each takes its time."""
    explained = []
    monkeypatch.setattr(explain, "located", lambda loc: explained.append(loc) or located(loc))
    columns = "".join(f"    c{n}: bogus\n" for n in range(4000))
    with pytest.raises(ConfigError, match="and 3,900 more"):
        parse_config(COLUMNS + columns, {})
    assert len(explained) == 100


def test_a_mistake_is_compared_with_the_references_below_it_alone(monkeypatch):
    compared = []
    replaced = explain._replaced
    monkeypatch.setattr(
        explain, "_replaced", lambda text, r: compared.append(r) or replaced(text, r)
    )
    columns = "".join(f"    c{n}: {{type: text, min: '${{env:ELT_A:-x}}'}}\n" for n in range(900))
    with pytest.raises(ConfigError, match="and 800 more"):
        parse_config(COLUMNS + columns, {})
    assert len(compared) == 100


def test_a_table_of_as_many_columns_as_postgresql_has_fits():
    columns = "".join(f"    c{n}: {{type: text, required: true}}\n" for n in range(1600))
    assert len(parse_config(COLUMNS + columns, {}).declared) == 1600


def test_a_file_is_read_with_its_name_in_the_error(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(GOOD, encoding="utf-8-sig")
    config = load_config(path, ENV)
    assert config.model_dump() == parse_config(GOOD, ENV).model_dump()
    assert config.base == tmp_path
    path.write_text("a: [")
    with pytest.raises(ConfigError, match="1 mistake") as caught:
        load_config(path, ENV)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"a: 1\nb: \xff", "line 2: not UTF-8"),
        (b"\xff\xfea\x00", "UTF-8"),
        (b"#" * 1000002, "longer than 1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, content, words):
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_config(path, {})


def test_a_folder_is_not_a_configuration(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path, {})


def test_the_json_schema_agrees_with_the_model():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["title"]
    validator = jsonschema.Draft202012Validator(schema)
    good = json.loads(json.dumps(parse(GOOD).data, default=float))
    validator.validate(good)
    assert not validator.is_valid({**good, "target": {"tabel": "x"}})
    assert not validator.is_valid({**good, "target": {"table": "x", "mode": "appendd"}})
    assert not validator.is_valid({**good, "target": {"table": "x", "port": "many"}})
    assert not validator.is_valid({**good, "schema": {"columns": {"a": "integr"}}})


def test_loading_a_configuration_needs_neither_arrow_nor_pandas():
    script = (
        "import sys, chalicelib.config as c; c.json_schema()\n"
        "print(sorted({'pyarrow', 'pandas', 'boto3', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


KEYS = st.sampled_from(
    [
        "sources",
        "target",
        "schema",
        "columns",
        "type",
        "auth",
        "params",
        "name",
        "path",
        "table",
        "from",
        "min",
        "allowed",
        "csv",
        "pagination",
        "headers",
        "port",
        "url",
        "records",
        "a",
    ]
)
LEAVES = st.sampled_from(
    [
        "local",
        "api",
        "text",
        "integer",
        "bearer",
        "page",
        "http://x",
        "${env:ELT_A}",
        "${",
        "x",
        None,
        True,
        0,
        1.5,
        10**99,
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(st.text() | TREES.map(json.dumps))
def test_any_text_is_a_configuration_or_a_list_of_mistakes(text):
    read_or_refused(text)


def read_or_refused(text):
    try:
        parse_config(text, {"ELT_A": "hunter2"})
    except ConfigError as error:
        said = "\n".join(error.problems)
        assert "Input should" not in said
        assert "Value error" not in said
        assert "hunter2" not in said


@given(st.fixed_dictionaries({"sources": st.lists(TREES, min_size=1, max_size=3), "target": TREES}))
def test_any_tree_is_a_configuration_or_a_list_of_mistakes(tree):
    read_or_refused(json.dumps(tree))


def test_the_environment_is_the_default(monkeypatch, tmp_path):
    monkeypatch.setitem(os.environ, "ELT_TOKEN", "x")
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    assert load_config(path).sources[1].auth.token.get_secret_value() == "x"


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ("delimiter: ab", "delimiter: 'ab' is not a single ASCII character, or one and a space"),
        ("delimiter: '; '", None),
        ("delimiter: none", None),
        ("quote: abc", "quote: 'abc' is not a single ASCII character, or auto or none"),
        ("escape: doubled", None),
        ("escape: twice", "escape: 'twice' is not a single ASCII character, or auto or doubled"),
        ("quote: ';', delimiter: ';'", ": delimiter, quote and escape must differ"),
        ("encoding: utf-9", "encoding: 'utf-9' is not an encoding such as utf-8"),
        ("encoding: hex", "encoding: 'hex' is not an encoding such as utf-8"),
        ("encoding: shift_jis", None),
        ("header: 2", None),
        ("header: [a, b]", None),
        ("header: 0", "header: 0 is not auto, none, a number of rows, or a list of names"),
        ("header: first", "header: 'first' is not auto, none, a number of rows"),
        ("header: []", "header: [] is not auto, none, a number of rows"),
        ("skip_lines: -1", "skip_lines: -1 is less than 0"),
    ],
)
def test_how_delimited_files_are_written_is_checked(options, mistake):
    text = f"sources: [{{type: local, path: x, csv: {{{options}}}}}]\ntarget: {{table: t}}"
    if mistake is None:
        assert parse_config(text, {}).sources
        jsonschema.validate(yaml.safe_load(text), json_schema())
    else:
        (found,) = mistakes(text)
        assert mistake in found


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("auth: {type: basic}", "auth.username: missing"),
        ("auth: {type: api_key, name: k}", "auth.api_key: missing"),
        (
            "auth: {type: api_key, api_key: k, location: cookie}",
            "auth.location: 'cookie' is not one of header, query",
        ),
        (
            "auth: {type: oauth2_client_credentials, access_token_url: 'ftp://x', client_id: a, "
            "client_secret: b}",
            "auth.access_token_url: 'ftp://x' does not fit; http:// or https:// address that "
            "gives tokens",
        ),
        (
            "pagination: {type: cursor}",
            "pagination.cursor_path: missing; JSONPath of it, as $.next_cursor or $.data[-1].id",
        ),
        (
            "pagination: {type: next_url, next_url_path: '$.a[*]'}",
            "pagination.next_url_path: '$.a[*]' leads to many values, where one is expected",
        ),
        ("pagination: {type: offset, limit: 0}", "pagination.limit: 0 is less than 1"),
        ("requests_per_second: 0", "requests_per_second: 0 is not more than 0.0"),
        ("deadline: 0", "deadline: 0 is not more than 0.0"),
        ("json: {depth: -1}", "json.depth: -1 is less than 0"),
        ("json: {seperator: x}", "json.seperator: unknown key; did you mean separator?"),
    ],
)
def test_mistakes_of_an_api_source_say_what_would_be_right(line, problem):
    assert with_source(f"    {line}") == [f"line 5: sources[0].{problem}"]


@pytest.mark.parametrize("url", ["http://h:99999", "http://[::1", "https://:80/x"])
def test_an_address_without_a_host_or_with_an_odd_port_is_a_mistake(url):
    found = mistakes(f"target: {{table: t}}\nsources:\n  - type: api\n    url: '{url}'")
    assert found == ["line 4: sources[0].url: the host or the port in it is none"]


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ("url: 'http://a', auth: {type: bearer, token: x}", True),
        ("url: 'http://a', headers: {X-Key: x}", True),
        (
            "url: 'https://a', auth: {type: oauth2_client_credentials, client_id: a, "
            "client_secret: b, access_token_url: 'http://a'}",
            True,
        ),
        ("url: 'http://a'", False),
        ("url: 'https://a', auth: {type: bearer, token: x}", False),
        ("url: 'http://127.0.0.1:8010', auth: {type: bearer, token: x}", False),
    ],
)
def test_credentials_that_can_be_read_on_the_way_are_warned_of(more, warned):
    config = parse_config(f"sources: [{{type: api, {more}}}]\ntarget: {{table: t}}", {})
    said = "source api: its credentials can be read on the way; use https"
    assert (said in config.warnings) == warned


def test_a_format_that_says_a_thing_twice_is_a_mistake():
    with pytest.raises(ConfigError, match="'%d%d' is not a strptime format"):
        parse_config(COLUMNS + "    a: {type: date, format: '%d%d'}\n", {})
