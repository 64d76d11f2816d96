from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config import parse_config
from chalicelib.config.literals import move_literals
from chalicelib.errors import ConfigError
from chalicelib.secrets.names import checked

GOOD = """
sources:
  - type: api
    url: http://a/b
    auth: {type: bearer, token: "${secret:orders}"}
target: {table: t, password: "${env:ELT_PASSWORD}"}
"""


def test_references_are_fine() -> None:
    assert moved(GOOD) == (GOOD, {})


@pytest.mark.parametrize(
    ("reference", "place"),
    [("${secret:orders}", "config/api/token"), ("${env:ELT_PASSWORD}", "config/target/password")],
)
def test_a_secret_that_is_written_out_is_named_after_its_place(reference: str, place: str) -> None:
    new, values = moved(GOOD.replace(reference, "canary"))
    assert "canary" not in new
    assert [(name.rpartition("-")[0], value) for name, value in values.items()] == [
        (place, "canary")
    ]


def test_a_default_is_written_out_too() -> None:
    with pytest.raises(ConfigError, match=r"line 6: target\.password"):
        moved(GOOD.replace("ELT_PASSWORD", "ELT_PASSWORD:-canary"))


def test_a_secret_reference_is_resolved_where_secrets_belong() -> None:
    stored = {"orders": "t0ken"}
    config = parse_config(GOOD, {"ELT_PASSWORD": "x"}, secrets=lambda _, name: stored.get(name))
    assert config.sources[0].auth.token.get_secret_value() == "t0ken"  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match="there is no secret 'orders'"):
        parse_config(GOOD, {"ELT_PASSWORD": "x"}, secrets=lambda *_: None)
    with pytest.raises(ConfigError, match="can stand only under auth, headers and target"):
        parse_config(GOOD.replace("http://a/b", "http://${secret:orders}/b"), {})


KEY = b"k" * 64
CANARY = "c4nary+P@ss/w\u00f6rd=="
TEXT = """\
# orders of the web shop
sources:
  - name: Web Orders
    type: api
    url: http://a/b   # no password here
    auth: {type: bearer, token: tök€n😀-1}  # rotated in May
    headers:
      X-Api-Key: 'it''s a key'
      Cookie: "a=\\u00e4; b=\\"c\\""
      Accept: text/csv
      Authorization: Bearer ${secret:orders}
target:
  host: db.internal
  table: t
  password: |-   # of the loader
    first line
      second line

# the end
"""


def moved(text: str) -> tuple[str, dict[str, str]]:
    return move_literals(text, KEY)


def same(text: str, new: str, values: dict[str, str]) -> bool:
    """Whether both texts are the same configuration."""
    stored = {**values, "orders": "x"}
    config = parse_config(text, {}, secrets=lambda _, name: stored[name])
    return parse_config(new, {}, secrets=lambda _, name: stored.get(name)) == config


def mistakes(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        moved(text)
    said = f"{refused.value} {refused.value!r}"
    assert CANARY not in said
    return said


def target(password: str, more: str = "") -> str:
    return (
        f"sources: [{{type: local, path: d}}]\ntarget:\n  table: t\n  password: {password}\n{more}"
    )


def test_each_scalar_is_replaced_and_nothing_else() -> None:
    new, values = moved(TEXT)
    token, key, cookie, password = values
    assert list(values.values()) == [
        "tök€n😀-1",
        "it's a key",
        'a=ä; b="c"',
        "first line\n  second line",
    ]
    old_block = "|-   # of the loader\n    first line\n      second line\n"
    expected = (
        TEXT.replace("tök€n😀-1", f'"${{secret:{token}}}"')
        .replace("'it''s a key'", f'"${{secret:{key}}}"')
        .replace('"a=\\u00e4; b=\\"c\\""', f'"${{secret:{cookie}}}"')
        .replace(old_block, f'"${{secret:{password}}}"   # of the loader\n')
    )
    assert new == expected
    assert same(TEXT, new, values)
    assert moved(new) == (new, {})


def test_names_tell_the_place_and_can_be_stored() -> None:
    _, values = moved(TEXT)
    places = [name.rpartition("-")[0] for name in values]
    assert places == [
        "config/web-orders/token",
        "config/web-orders/x-api-key",
        "config/web-orders/cookie",
        "config/target/password",
    ]
    assert [checked(name) for name in values] == list(values)


def test_a_name_is_that_of_one_value_at_one_place_for_those_who_have_the_key() -> None:
    (name,) = moved(target("one"))[1]
    assert [name] == list(moved("# again\n" + target("'one'"))[1])
    assert [name] != list(moved(target("two"))[1])
    assert [name] != list(move_literals(target("one"), b"another")[1])
    assert hashlib.sha256(b"one").hexdigest()[:8] not in name


def test_places_that_are_called_alike_share_no_name() -> None:
    source = "{{name: {}, type: api, url: 'http://a', auth: {{type: bearer, token: {}}}}}"
    names = ["Shop A", "shop-a", "shop/a", "注文"]
    sources = ", ".join(source.format(name, "same") for name in names)
    text = f"sources: [{sources}]\ntarget: {{table: t}}"
    new, values = moved(text)
    assert len(values) == 4
    assert [checked(name) for name in values] == list(values)
    assert same(text, new, values)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_windows_lines_and_a_byte_order_mark_stay(end: str, mark: str) -> None:
    text = mark + TEXT.replace("\n", end)
    new, values = moved(text)
    assert new == mark + moved(TEXT)[0].replace("\n", end)
    assert same(text, new, values)


@pytest.mark.parametrize(
    "written",
    [
        "abc def",
        "abc\n    def",
        "'abc\n\n    def'",
        '"abc\\\n    def"',
        "&p abc",
        "&p  # why\n    abc",
        "&p |\n    abc\n    #def\n",
        ">2-\n    abc\n",
        "|+  \n    abc\n\n\n",
        "|\n    abc",
        "\n    abc",
        "a$${b}c",
        "a$$${b}c",
        "a#b",
        "\xa0abc",
        "&p \xa0abc",
        "'\u2028abc\x85'",
    ],
)
def test_every_style_of_scalar_is_replaced(written: str) -> None:
    text = target(written, "  mode: append  # stays\n")
    new, values = moved(text)
    assert same(text, new, values)
    assert new.endswith("\n  mode: append  # stays\n")
    assert "abc" not in new


def test_flow_style_and_json_are_fine() -> None:
    document = {
        "sources": [{"type": "api", "url": "http://a", "headers": {"X-Token": CANARY}}],
        "target": {"table": "t", "password": CANARY},
    }
    new, values = moved(json.dumps(document))
    assert json.loads(new)["target"].keys() == {"table", "password"}
    assert set(values.values()) == {CANARY}
    assert same(json.dumps(document), new, values)


@pytest.mark.parametrize("written", ["", "''", "null", '"${env:ELT_P:-}"', "${secret:a}x"])
def test_what_is_no_literal_stays(written: str) -> None:
    assert moved(target(written)) == (target(written), {})


def test_a_secret_that_two_sources_share_is_moved_once() -> None:
    text = f"""sources:
  - {{name: a, type: api, url: 'http://a', auth: &auth {{type: bearer, token: "{CANARY}"}}}}
  - {{name: b, type: api, url: 'http://b', auth: *auth}}
target: {{table: t}}
"""
    new, values = moved(text)
    assert len(values) == 1
    assert same(text, new, values)


def test_an_alias_that_would_carry_a_secret_to_where_none_may_stand_is_a_mistake() -> None:
    text = f"""sources:
  - type: api
    url: http://a
    auth: {{type: bearer, token: &token "{CANARY}"}}
    params:
      page: *token
target: {{table: t}}
"""
    assert "line 6: sources[0].params.page: an alias (*…) of a secret" in mistakes(text)


def test_a_secret_that_is_an_alias_of_something_else_is_a_mistake() -> None:
    text = f"""sources: [{{type: local, path: &path "{CANARY}"}}]
target: {{table: t, password: *path}}
"""
    assert "line 2: target.password: a secret may not be stored as it is" in mistakes(text)


def test_a_default_is_a_mistake() -> None:
    assert "line 4: target.password: a secret" in mistakes(target(f"'${{env:ELT_P:-{CANARY}}}'"))


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (f"  # {CANARY}", 5),
        (f"  user: '{CANARY}'", 5),
        (f"  user: 'x{CANARY}x'", 5),
        ('  user: "c4nary+P@ss/w\\u00f6rd=="', 5),
        (f"schema: {{columns: {{'{CANARY}': text}}}}", 5),
    ],
)
def test_a_secret_that_also_stands_elsewhere_is_a_mistake(more: str, line: int) -> None:
    said = mistakes(target(f"'{CANARY}'", more))
    assert f"line {line}: the secret of target.password is repeated here" in said


def test_a_short_password_may_be_any_word_but_not_in_a_comment() -> None:
    assert len(moved(target("postgres", "  user: postgres"))[1]) == 1
    assert "line 5: " in mistakes(target("hunter2", "  # was hunter2!"))
    assert "line 4: " in mistakes(target("hunter2 # hunter2"))
    assert len(moved(target("data", "  # database"))[1]) == 1


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        (f"https://me:{CANARY.replace('/', '')}@a/b", True),
        ("https://${env:ELT_U}:pw@a/b", True),
        ("https://${env:ELT_U}:${env:ELT_P}@a/b", False),
        ("https://${env:ELT_U:-me:pw}@a/b", True),
        ("https://me@a:80/b:c@d", False),
        ("https://a?at=b:c@d", False),
    ],
)
def test_a_password_in_a_url_is_a_mistake(url: str, refused: bool) -> None:
    text = f"sources: [{{type: api, url: '{url}'}}]\ntarget: {{table: t}}"
    if refused:
        assert "line 1: sources[0].url: a URL with a password in it" in mistakes(text)
    else:
        assert moved(text) == (text, {})


def test_more_secrets_than_references_can_stand_for_are_refused() -> None:
    headers = "\n".join(f"      X-Key-{n}: {CANARY}" for n in range(101))
    text = (
        f"sources:\n  - type: api\n    url: http://a\n    headers:\n{headers}\ntarget: {{table: t}}"
    )
    assert "more than 100 secrets" in mistakes(text)


def test_an_invalid_text_is_refused_without_its_secrets() -> None:
    mistakes(target(f"'{CANARY}"))


SCALARS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\u2028\u2029"),
    min_size=4,
    max_size=30,
).map(lambda text: f"§{text}§")


def plain(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def single(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def block(value: str) -> str:
    return f"|- # a comment\n        {value}"


def anchored(value: str) -> str:
    return f"&secret {single(value)}"


@settings(max_examples=150, deadline=None)
@given(
    SCALARS,
    SCALARS,
    st.sampled_from([plain, single, block, anchored]),
    st.sampled_from(["\n", "\r\n"]),
    st.text("äß€😀 #", max_size=8),
)
def test_the_new_text_is_the_same_configuration_without_the_secrets(
    token: str, password: str, style: Any, end: str, comment: str
) -> None:
    token, password = token.replace("${", "$$"), password.replace("${", "$$")
    text = f"""# {comment}
sources:
  - name: über
    type: api
    url: http://a
    auth:
      type: bearer  # {comment}
      token: {style(token)}
    params: {{q: "{comment}"}}
target: {{table: t, password: {single(password)}}}  # {comment}
""".replace("\n", end)
    new, values = moved(text)
    assert list(values.values()) == [token, password]
    assert same(text, new, values)
    assert "§" not in new
    assert new.count(comment) >= 4
    assert new.count(end) == new.count("\n")


OAUTH = f"""\
sources:
  - type: api
    url: http://a/b
    auth:
      type: oauth2_client_credentials
      access_token_url: https://a/token
      client_id: shop-{CANARY[:3]}
      client_secret: {CANARY}
      access_token_request_data: {{scope: orders, client_assertion: "{CANARY}2"}}
target: {{table: t}}
"""
AUTHS = [
    (f"{{type: basic, username: {CANARY}, password: '{CANARY}2'}}", 2),
    (f"{{type: basic, username: '${{env:ELT_U}}', password: {CANARY}}}", 1),
    (f"{{type: api_key, name: X-Key, location: query, api_key: {CANARY}}}", 1),
    (f"{{type: bearer, token: {CANARY}}}", 1),
]


@pytest.mark.parametrize(("auth", "secrets"), AUTHS)
def test_the_secrets_of_each_kind_of_credentials_are_moved(auth: str, secrets: int) -> None:
    text = f"sources: [{{type: api, url: 'http://a', auth: {auth}}}]\ntarget: {{table: t}}"
    new, values = moved(text)
    assert len(values) == secrets
    assert CANARY not in new
    assert moved(new) == (new, {})


def test_of_oauth_the_secret_is_moved_and_what_is_public_stays() -> None:
    new, values = moved(OAUTH)
    assert list(values.values()) == [CANARY, CANARY + "2"]
    assert "client_id: shop-c4n\n" in new
    assert "scope: orders" in new
    assert same(OAUTH, new, values)


def api(more: str, url: str = "http://a") -> str:
    return f"sources: [{{type: api, url: '{url}', {more}}}]\ntarget: {{table: t}}"


@pytest.mark.parametrize("name", ["X-Api", "X-Pin", "Ocp-Apim", "x_accept"])
def test_a_header_is_moved_whatever_it_is_called(name: str) -> None:
    text = api(f"headers: {{{name}: '{CANARY}'}}")
    new, values = moved(text)
    assert list(values.values()) == [CANARY]
    assert same(text, new, values)


@pytest.mark.parametrize("name", ["Accept", "accept-language", "Content-Type", "USER-AGENT"])
def test_headers_that_are_no_secret_by_their_meaning_stay(name: str) -> None:
    text = api(f"headers: {{{name}: de}}")
    assert moved(text) == (text, {})


KEYS = [
    "api_key", "apikey", "x-api-key", "key", "access_token", "token", "Signature", "pwd", "passw",
    "userPassword", "subscription-key", "serviceKey", "sig", "X-Amz-Credential", "client_secret",
    "appid", "pin",
]  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_a_key_in_params_is_a_mistake_that_says_where_it_belongs(name: str) -> None:
    text = api(f"params: {{{name}: '{CANARY}'}}")
    assert f"type: api_key, location: query, name: {name}, api_key: …" in mistakes(text)
    assert moved(text.replace(CANARY, "${env:ELT_KEY}"))[1] == {}


@pytest.mark.parametrize("name", [*KEYS, "api%5Fkey", "a=b&token"])
@pytest.mark.parametrize("place", ["url", "access_token_url"])
def test_a_key_in_a_url_is_a_mistake_that_says_where_it_belongs(place: str, name: str) -> None:
    url = f"http://a/b?{name}=c4nary"
    oauth = "{type: oauth2_client_credentials, client_id: a, client_secret: '', access_token_url: "
    text = api("", url) if place == "url" else api(f"auth: {oauth}'{url}'}}")
    said = mistakes(text)
    assert f"{place}: " in said
    assert "type: api_key, location: query, name: " in said
    assert "c4nary" not in said
    assert moved(text.replace("c4nary", "${env:ELT_KEY}"))[1] == {}


def test_a_key_that_is_a_number_is_a_mistake_too() -> None:
    assert "location: query, name: pin, api_key" in mistakes(api("params: {pin: 123456}"))


@pytest.mark.parametrize("name", ["sort_key", "status", "keys", "page", "max_tokens", "author"])
@pytest.mark.parametrize("value", ["x", "7", "true"])
def test_other_params_are_stored_as_they_are(name: str, value: str) -> None:
    for text in (api(f"params: {{{name}: {value}}}"), api("", f"http://a?{name}={value}")):
        assert moved(text) == (text, {})
