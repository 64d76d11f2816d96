import pytest

from chalicelib.config.document import parse
from chalicelib.config.references import resolve
from chalicelib.errors import ConfigError


def resolved(text, **env):
    done = resolve(parse(text), env)
    assert done.mistakes == ()
    return done.data


def mistakes(text, **env):
    return [str(mistake) for mistake in resolve(parse(text), env).mistakes]


def test_references_are_replaced_inside_text_at_any_depth():
    text = "a: [{b: 'x-${env:ELT_A}-${env:ELT_B}'}]"
    assert resolved(text, ELT_A="1", ELT_B="2") == {"a": [{"b": "x-1-2"}]}


def test_a_default_stands_in_for_what_is_unset_or_empty():
    assert resolved("${env:ELT_A:-x:y}") == "x:y"
    assert resolved("${env:ELT_A:-}") == ""
    assert resolved("${env:ELT_A:-x}", ELT_A="") == "x"
    assert resolved("${env:ELT_A:-x}", ELT_A="a") == "a"


def test_a_doubled_dollar_is_a_literal():
    assert resolved("a$${env:ELT_A}$$${x}") == "a${env:ELT_A}$${x}"


def test_text_from_the_environment_is_not_looked_through_again():
    assert resolved("${env:ELT_A}", ELT_A="${env:ELT_B}", ELT_B="x") == "${env:ELT_B}"


def test_dollars_and_braces_alone_are_text():
    assert resolved("'$5 {a} $x'") == "$5 {a} $x"


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "HOME", "elt_a", "XELT_A"])
def test_other_names_of_the_environment_are_out_of_reach(name):
    (mistake,) = mistakes(f"a: 1\nb: ${{env:{name}}}", **{name: "hunter2"})
    assert mistake.startswith("line 2: b: ")
    assert mistake.endswith("cannot be read; only names that begin with ELT_ can")


@pytest.mark.parametrize("name", ["ELT_TARGET_URL", "ELT_SERVICE_URL"])
def test_the_addresses_of_the_services_own_databases_are_out_of_reach(name):
    (mistake,) = mistakes(f"a: ${{env:{name}:-x}}", **{name: "postgresql://u:hunter2@h/d"})
    assert mistake == f"line 1: a: {name} cannot be read; it holds the service's own password"


def test_an_unset_name_without_a_default_is_a_mistake():
    (mistake,) = mistakes("a:\n  - b\n  - ${env:ELT_A}")
    assert mistake == "line 3: a[1]: ELT_A is not set; set it or write ${env:ELT_A:-default}"


@pytest.mark.parametrize("kind", ["vault", "foo"])
def test_an_unknown_kind_names_the_kinds_there_are(kind):
    (mistake,) = mistakes(f"a: ${{{kind}:x}}")
    assert mistake.startswith(f"line 1: a: '{kind}' is not a kind of reference; there is env")


@pytest.mark.parametrize("text", ["${env:ELT_A", "x${", "${env:ELT_A}${"])
def test_an_unclosed_reference_is_a_mistake(text):
    (mistake,) = mistakes(f"a: '{text}'", ELT_A="1")
    assert "not closed" in mistake


def test_a_default_holds_no_reference():
    (mistake,) = mistakes("a: ${env:ELT_A:-${env:ELT_B}}")
    assert "a default cannot hold another reference" in mistake


def test_all_mistakes_are_collected():
    found = mistakes("a: ${x:y}${env:ELT_A}\nb: [ok, '${']\nc: ${env:HOME}")
    assert [m.split(": ")[:2] for m in found] == [
        ["line 1", "a"],
        ["line 1", "a"],
        ["line 2", "b[1]"],
        ["line 3", "c"],
    ]


def test_a_password_that_looks_like_a_reference_is_not_quoted():
    found = mistakes("target:\n  password: 'x${hunter2:hunter2}${env:hunter2 }${hunter2'")
    assert len(found) == 3
    assert "hunter2" not in "".join(found)


SECRETS = {"id": "1d", "pw": "p4ss"}


@pytest.mark.parametrize(
    "auth",
    [
        "{type: basic, username: '${secret:id}', password: '${secret:pw}'}",
        "{type: api_key, api_key: '${secret:pw}'}",
        "{type: oauth2_client_credentials, client_id: '${secret:id}', client_secret: "
        "'${secret:pw}', access_token_request_data: {scope: '${secret:id}'}}",
    ],
)
def test_secrets_may_stand_in_every_kind_of_credentials(auth):
    document = parse(f"sources: [{{type: api, auth: {auth}}}]")
    done = resolve(document, {}, lambda _, name: SECRETS[name])
    assert done.mistakes == ()
    assert "p4ss" in str(done.data)


@pytest.mark.parametrize(
    "place",
    ["auth: {access_token_url: 'https://${secret:pw}/'}", "params: {key: '${secret:pw}'}"],
)
def test_a_secret_cannot_stand_where_messages_show_it(place):
    document = parse(f"sources: [{{type: api, {place}}}]")
    (mistake,) = resolve(document, {}, lambda _, name: SECRETS[name]).mistakes
    assert "can stand only under auth, headers and target" in str(mistake)
    assert "p4ss" not in str(mistake)


@pytest.mark.parametrize("text", ["${env:ELT_A:-}", "$${", "${nothing}"])
def test_references_are_counted(text):
    document = parse(f"a: b\nc: '{text * 1001}'")
    with pytest.raises(ConfigError, match="line 2: more than 1,000 references"):
        resolve(document, {})
