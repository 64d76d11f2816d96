"""Requests that a program makes, right and wrong, over a real server."""

from __future__ import annotations

import json

import pytest

from tests.routes.conftest import Api
from tests.routes.demo import SECRET, WRONG

YAML_TYPES = ["text/yaml", "application/x-yaml", "application/yaml", "text/plain; charset=UTF-8"]


def code(answer) -> str:
    return answer.json()["error"]["code"]


def details(answer) -> list[str]:
    return answer.json()["error"]["details"]


def test_a_query_is_converted_and_has_defaults(api: Api) -> None:
    path = "/things?state=old&tag=a&tag=b%20c"
    expected = {"limit": 10, "state": "old", "tags": ["a", "b c"]}
    assert api("GET", path, role="viewer").json() == expected


def test_all_mistakes_of_a_query_are_told_at_once(api: Api) -> None:
    answer = api("GET", "/things?limit=0&state=odd&stat=new", role="viewer")
    assert (answer.status_code, code(answer)) == (400, "invalid_request")
    places = [line.partition(":")[0] for line in details(answer)]
    assert places == ["query.limit", "query.state", "query.stat"]


def test_a_single_parameter_given_twice_is_refused(api: Api) -> None:
    answer = api("GET", "/things?limit=1&limit=2", role="viewer")
    assert answer.status_code == 400
    assert details(answer) == ["query.limit: it is given more than once"]


def test_an_endpoint_without_a_query_refuses_one(api: Api) -> None:
    answer = api("GET", "/health?verbose=1")
    assert (answer.status_code, details(answer)) == (
        400,
        ["query.verbose: there is no such parameter"],
    )


def test_a_path_is_decoded_once_and_converted(api: Api) -> None:
    answer = api("GET", "/things/%34%32/owners/ann%2Eb", role="admin")
    assert answer.json() == {"thing": 42, "owner": "ann.b"}


@pytest.mark.parametrize(
    "part", ["0", "-1", "1.0", "x", "%2e%2e", "1%00", "%31%0a", "9" * 19, "%D9%A1"]
)
def test_what_is_no_number_in_a_path_is_refused(api: Api, part: str) -> None:
    answer = api("GET", f"/things/{part}", role="viewer")
    assert (answer.status_code, code(answer)) == (400, "invalid_request")


@pytest.mark.parametrize(
    "part", ["..%2f..", "%252e", "a%20b", "a%0d%0aSet-Cookie:x=1", "%ff", "-a"]
)
def test_what_is_no_name_in_a_path_is_refused(api: Api, part: str) -> None:
    answer = api("GET", f"/things/1/owners/{part}", role="admin")
    assert (answer.status_code, code(answer)) == (400, "invalid_request")
    assert "Set-Cookie" not in answer.headers


def test_a_body_arrives_with_the_actor_and_the_declared_header(api: Api) -> None:
    headers = {"idempotency-key": "again"}
    answer = api("POST", "/things", role="operator", json={"name": "ä"}, headers=headers)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": 1, "name": "ä", "actor": "ann-operator", "role": "operator", "key": "again",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ä"])
def test_a_declared_header_is_short_visible_text(api: Api, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = api("POST", "/things", role="operator", json={"name": "a"}, headers=headers)
    assert (answer.status_code, code(answer)) == (400, "invalid_request")


def test_all_mistakes_of_a_body_are_told_without_its_values(api: Api) -> None:
    body = {"name": "", "full": "true", "password": SECRET}
    answer = api("POST", "/things", role="operator", json=body)
    assert (answer.status_code, code(answer)) == (400, "invalid_request")
    places = [line.partition(":")[0] for line in details(answer)]
    assert places == ["body.name", "body.full", "body.password"]
    assert SECRET not in answer.text


def test_broken_json_is_refused_with_its_position(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api("POST", "/things", role="operator", data='{"name":\n "a",}', headers=headers)
    assert answer.status_code == 400
    assert "line 2 column 6" in details(answer)[0]


@pytest.mark.parametrize(
    "body", ['{"name": "a", "name": "b"}', '{"name": "a", "x": {"y": 1, "y": 1}}']
)
def test_a_key_given_twice_is_refused(api: Api, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api("POST", "/things", role="operator", data=body, headers=headers)
    assert (answer.status_code, code(answer)) == (400, "invalid_request")
    assert "twice" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("number", "status"), [("2.0", 201), ("2e0", 201), ("2.5", 400), ("1e999", 400)]
)
def test_a_whole_number_may_be_written_as_a_fraction(api: Api, number: str, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    body = f'{{"name": "a", "count": {number}}}'
    answer = api("POST", "/things", role="operator", data=body, headers=headers)
    assert answer.status_code == status


def test_deeply_nested_json_is_refused(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api("POST", "/things", role="operator", data="[" * 60_000, headers=headers)
    assert (answer.status_code, code(answer)) == (400, "invalid_request")


@pytest.mark.parametrize("body", [None, "", "{}"])
def test_a_body_without_required_fields_may_be_left_out(api: Api, body: str | None) -> None:
    answer = api("POST", "/things/1/stop", role="operator", data=body)
    assert (answer.status_code, answer.json()) == (202, {"hard": False})


def test_a_required_body_that_is_missing_is_refused(api: Api) -> None:
    answer = api("POST", "/things", role="operator")
    assert (answer.status_code, details(answer)) == (400, ["body.name: field required"])


@pytest.mark.parametrize("content_type", YAML_TYPES)
def test_a_text_may_be_the_whole_body(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    body = "\ufeffa: ö\r\n".encode()
    answer = api("POST", "/texts", role="admin", data=body, headers=headers)
    assert answer.json() == {"text": "a: ö\r\n", "comment": None}


def test_a_text_may_be_a_file_of_a_form(api: Api) -> None:
    content = "a: ö\nb: 'x'\r\n"
    answer = api(
        "POST",
        "/texts",
        role="admin",
        files={"upload": ("config.yaml", content.encode())},
        data={"comment": "für\nalle"},
    )
    assert answer.json() == {"text": content, "comment": "für\nalle"}


def test_a_text_may_be_json(api: Api) -> None:
    answer = api("POST", "/texts", role="admin", json={"text": "a: 1", "comment": "c"})
    assert answer.json() == {"text": "a: 1", "comment": "c"}


def _form(*parts: str) -> dict[str, object]:
    body = "".join(f"--x\r\n{part}\r\n" for part in parts) + "--x--\r\n"
    return {
        "data": body.encode("latin-1"),
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
    }


NAMED = 'Content-Disposition: form-data; name="text"\r\n\r\na'


@pytest.mark.parametrize(
    "form",
    [
        {"data": b"a: 1", "headers": {"Content-Type": "multipart/form-data"}},
        {"data": b"a: 1", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        _form("\r\na"),
        _form(NAMED, NAMED),
        _form(NAMED.replace('"text"', '"other"')),
        _form(f"Content-Type: multipart/mixed; boundary=y\r\n{NAMED}\r\n--y\r\n\r\na\r\n--y--"),
        _form(NAMED[:-1] + "\xff"),
    ],
    ids=["no boundary", "no parts", "no name", "twice", "unknown", "nested", "not utf-8"],
)
def test_a_broken_form_is_refused(api: Api, form: dict[str, object]) -> None:
    answer = api("POST", "/texts", role="admin", **form)
    assert (answer.status_code, code(answer)) == (400, "invalid_request")


def test_broken_utf_8_is_refused_with_its_place(api: Api) -> None:
    for content_type in ("application/json", "text/yaml"):
        headers = {"Content-Type": content_type}
        answer = api("POST", "/texts", role="admin", data=b"a: 1\nb: \xe9\n", headers=headers)
        assert (answer.status_code, code(answer)) == (400, "invalid_request")
        assert "byte 0xe9 at position 8, line 2" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "content_type",
    ["text/csv", "application/x-www-form-urlencoded", "text/yaml; charset=latin-1", "x", "*/*"],
)
def test_a_wrong_content_type_is_refused_before_the_body_is_read(
    api: Api, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    answer = api("POST", "/texts", role="admin", data=b"\xff", headers=headers)
    assert (answer.status_code, code(answer)) == (415, "unsupported_media_type")


def test_a_text_is_refused_where_only_json_is_taken(api: Api) -> None:
    headers = {"Content-Type": "text/yaml"}
    answer = api("POST", "/things", role="operator", data="name: a", headers=headers)
    assert answer.status_code == 415
    assert "Send application/json." in answer.json()["error"]["message"]


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(api: Api) -> None:
    headers = {"Content-Type": "text/yaml"}
    assert api("POST", "/texts", role="admin", data=b"a" * 2000, headers=headers).ok
    for size in (2001, 10 << 20):
        answer = api("POST", "/texts", role="admin", data=b"\xff" * size, headers=headers)
        assert (answer.status_code, code(answer)) == (413, "too_large")


def test_mistakes_of_a_configuration_are_told_one_by_one(api: Api) -> None:
    answer = api("POST", "/texts", role="admin", json={"text": "wrong"})
    assert (answer.status_code, code(answer)) == (422, "invalid_configuration")
    assert details(answer) == WRONG


def test_an_error_of_ours_has_its_status_and_says_what_to_do(api: Api) -> None:
    answer = api("GET", "/things/1001", role="viewer")
    assert answer.status_code == 404
    assert answer.json() == {
        "error": {
            "code": "not_found",
            "message": "there is no thing 1001. GET /things lists them.",
            "details": [],
        }
    }


def test_a_conflict_names_the_run(api: Api) -> None:
    answer = api("POST", "/things", role="operator", json={"name": "busy"})
    assert (answer.status_code, code(answer), details(answer)) == (409, "run_active", ["run-1"])


@pytest.mark.parametrize("path", ["/broken/bug", "/broken/answer"])
def test_a_bug_says_nothing_but_where_the_log_has_it(
    api: Api, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = api("GET", path)
    request_id = answer.headers["X-Request-Id"]
    assert (answer.status_code, code(answer)) == (500, "internal")
    assert request_id in answer.json()["error"]["message"]
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    (record,) = caplog.records
    assert (record.exc_info is not None, record.fields["request_id"]) == (True, request_id)


def test_a_page_is_answered_as_it_is_with_its_own_headers(api: Api) -> None:
    answer = api("GET", "/page")
    assert (answer.text, answer.headers["Content-Type"]) == ("<p>ä</p>", "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"] == "default-src 'self'"


def test_every_error_is_json_of_one_shape(api: Api) -> None:
    for answer in (
        api("GET", "/things"),
        api("GET", "/nowhere"),
        api("PUT", "/things"),
        api("GET", "/things?limit=x", role="viewer"),
        api("GET", "/broken/bug"),
    ):
        assert answer.headers["Content-Type"] == "application/json"
        (error,) = json.loads(answer.text).values()
        assert {name: type(value) for name, value in error.items()} == {
            "code": str, "message": str, "details": list,
        }  # fmt: skip
