"""Five ways to show who asks, and that a secret goes nowhere else."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from urllib.parse import quote

import pytest

from chalicelib.errors import SourceError
from tests.extract.server import TOKEN, always, failure, numbers, ok, reader, rows

SECRET = f"{TOKEN}/+ ü"
KEY = {"type": "api_key", "api_key": TOKEN}
IN_QUERY = {**KEY, "location": "query", "name": "key"}
BASIC = {"type": "basic", "username": "ada", "password": SECRET}


def oauth(url, **more):
    return {
        "type": "oauth2_client_credentials",
        "access_token_url": url.replace("/v1/orders", "/token"),
        "client_id": "me",
        "client_secret": SECRET,
        **more,
    }


def api_with_tokens(*tokens, lifetime=3600):
    """Gives these tokens in turn, and accepts the last one given."""
    given = []

    def answer(request):
        if request.path == "/token":
            given.append(tokens[len(given)])
            return ok({"access_token": given[-1], "expires_in": lifetime})
        accepted = request.headers["Authorization"] == f"Bearer {tokens[-1]}"
        return ok(numbers(1)) if accepted else (401, {}, b"expired")

    return answer


def paths(seen):
    return [request.path.partition("?")[0] for request in seen]


def test_basic_credentials_are_sent_in_utf8(serve):
    url, seen = serve(always())
    rows(reader(url, auth=BASIC))
    scheme, value = seen[0].headers["Authorization"].split()
    assert (scheme, base64.b64decode(value).decode()) == ("Basic", f"ada:{SECRET}")


def test_a_password_may_be_left_out_where_the_name_is_the_key(serve):
    url, seen = serve(always())
    rows(reader(url, auth={"type": "basic", "username": TOKEN}))
    assert base64.b64decode(seen[0].headers["Authorization"][6:]).decode() == f"{TOKEN}:"


@pytest.mark.parametrize("name", [None, "X-Shop-Token"])
def test_a_key_goes_into_a_header(serve, name):
    url, seen = serve(always())
    rows(reader(url, auth={**KEY, **({"name": name} if name else {})}))
    assert seen[0].headers[name or "X-API-Key"] == TOKEN


def test_a_key_goes_into_the_query_and_is_never_shown(serve):
    url, seen = serve(lambda request: (400, {}, f"bad {request.path}".encode()))
    message = failure(url + "?a=b%20c", auth={**IN_QUERY, "api_key": SECRET}, params={"n": 1})
    assert seen[0].query == {"a": "b c", "n": "1", "key": SECRET}
    assert "bad /v1/orders?a=b%20c&n=1&key=***" in message


def test_a_token_is_fetched_once_for_all_pages(serve):
    def answer(request):
        if request.path == "/token":
            return ok({"access_token": "fresh", "token_type": "Bearer", "expires_in": 60})
        return ok([] if request.query["page"] == "3" else [{"id": request.query["page"]}])

    url, seen = serve(answer)
    data = {"scope": "orders", "audience": "shop"}
    auth = oauth(url, access_token_request_data=data)
    assert len(rows(reader(url, auth=auth, pagination={"type": "page"}))) == 2
    assert paths(seen) == ["/token", "/v1/orders", "/v1/orders", "/v1/orders"]
    assert seen[0].form == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_secret": SECRET,
        **data,
    }
    assert seen[0].headers["Authorization"] is None
    assert {request.headers["Authorization"] for request in seen[1:]} == {"Bearer fresh"}


def test_id_and_secret_may_be_sent_as_basic_credentials(serve):
    url, seen = serve(api_with_tokens("one"))
    rows(reader(url, auth=oauth(url, token_endpoint_auth_method="client_secret_basic")))
    sent = base64.b64decode(seen[0].headers["Authorization"][6:]).decode()
    assert sent == f"me:{quote(SECRET, safe='')}"
    assert seen[0].form == {"grant_type": "client_credentials"}


def test_a_refused_token_is_renewed_once(serve):
    url, seen = serve(api_with_tokens("old", "new"))
    assert len(rows(reader(url, auth=oauth(url)))) == 1
    assert paths(seen) == ["/token", "/v1/orders", "/token", "/v1/orders"]


def test_a_new_token_that_is_refused_too_is_an_error(serve):
    url, seen = serve(api_with_tokens("old", "older", "never"))
    assert "the API answers 401 (expired). Check auth" in failure(url, auth=oauth(url))
    assert len(seen) == 4


def test_a_token_that_has_ended_is_not_used(serve):
    def answer(request):
        if request.path == "/token":
            return ok({"access_token": str(len(seen)), "expires_in": 0})
        return ok([] if request.query["page"] == "2" else numbers(1))

    url, seen = serve(answer)
    rows(reader(url, auth=oauth(url), pagination={"type": "page"}))
    assert paths(seen) == ["/token", "/v1/orders", "/token", "/v1/orders"]


def test_a_busy_token_endpoint_is_asked_again(serve):
    answers = [(503, {"Retry-After": "7"}, b""), ok({"access_token": "t"}), ok(numbers(1))]
    url, _ = serve(lambda _: answers.pop(0))
    waits = []
    assert len(rows(reader(url, waits=waits, auth=oauth(url)))) == 1
    assert waits == [7]


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ((401, {}, b"invalid_client"), "401 (invalid_client). Check auth.client_id"),
        ((302, {"Location": "/elsewhere"}, b""), "the API answers 302"),
        (ok({"token": "x"}), "the answer holds no access_token"),
        (ok(b"<html>"), "the JSON is broken"),
        ((400, {}, SECRET.encode()), "the API answers 400 (***)"),
        ((400, {}, quote(SECRET, safe="").encode()), "the API answers 400 (***)"),
        ((400, {}, json.dumps(SECRET).encode()), 'the API answers 400 ("***")'),
    ],
)  # fmt: skip
def test_a_token_endpoint_that_gives_none_is_named(serve, answer, what):
    url, seen = serve(lambda _: answer)
    message = failure(url, auth=oauth(url))
    assert message.startswith(url.replace("/v1/orders", "/token") + ": ")
    assert what in message
    assert len(seen) == 1


def test_a_fetched_token_is_shown_nowhere(serve, caplog):
    def answer(request):
        if request.path == "/token":
            return ok({"access_token": "f3tched-t0ken"})
        return 500, {}, f"no {request.headers['Authorization']}".encode()

    url, _ = serve(answer)
    with caplog.at_level(logging.DEBUG):
        message = failure(url, auth=oauth(url))
    assert "(no Bearer ***)" in message
    assert "f3tched" not in caplog.text + message
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("auth", [KEY, IN_QUERY, BASIC, {"type": "bearer", "token": TOKEN}])
def test_what_is_sent_is_in_no_log_error_or_report(serve, caplog, auth):
    def answer(request):
        if request.query.get("page") == "1":
            return ok(numbers(1))
        return 503, {}, f"failed: {request.path} {dict(request.headers)}".encode()

    url, _ = serve(answer)
    source = reader(url + f"?token={TOKEN}", auth=auth, pagination={"type": "page"})
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceError) as raised:
        rows(source)
    said = "".join(traceback.format_exception(raised.value)) + caplog.text + repr(source.report)
    assert "503 in 3 attempts (failed: /v1/orders?token=***" in said
    for secret in (
        TOKEN,
        quote(SECRET, safe=""),
        base64.b64encode(f"ada:{SECRET}".encode()).decode(),
    ):
        assert secret not in said


@pytest.mark.parametrize("auth", [KEY, IN_QUERY, BASIC, {"type": "bearer", "token": TOKEN}])
def test_no_secret_leaves_by_a_redirect_to_another_origin(serve, auth):
    other, at_other = serve(always())
    url, seen = serve(lambda request: (302, {"Location": other + request.path[10:]}, b""))
    rows(reader(url + "?a=1", auth=auth, headers={"X-Key": TOKEN}))
    request = at_other[0]
    kept = str(seen[0].headers) + seen[0].path
    assert TOKEN in kept or base64.b64encode(f"ada:{SECRET}".encode()).decode() in kept
    assert request.query == {"a": "1"}
    assert TOKEN not in str(request.headers)
    assert request.headers["Authorization"] is None


@pytest.mark.parametrize("auth", [KEY, IN_QUERY, BASIC])
def test_a_redirect_within_the_origin_keeps_who_asks(serve, auth):
    def answer(request):
        return ok(numbers(1)) if "moved" in request.path else (307, {"Location": "/moved"}, b"")

    url, seen = serve(answer)
    assert len(rows(reader(url, auth=auth))) == 1
    for place in ("X-API-Key", "Authorization"):
        assert seen[0].headers[place] == seen[1].headers[place]
    assert seen[0].query.get("key") == seen[1].query.get("key")


@pytest.mark.parametrize("auth", [KEY, IN_QUERY, BASIC])
def test_a_next_page_elsewhere_is_refused_to_who_has_credentials(serve, auth):
    other, at_other = serve(always())
    url, _ = serve(lambda _: ok({"data": numbers(1), "next": other}))
    with pytest.raises(SourceError, match=r"the next page would be at http://127\.0\.0\.1:") as no:
        rows(reader(url, auth=auth))
    assert at_other == []
    assert TOKEN not in repr(no.value)


@pytest.mark.parametrize("auth", [KEY, IN_QUERY, BASIC])
def test_a_next_page_of_the_same_origin_is_asked_with_them(serve, auth):
    def answer(_):
        return ok({"data": numbers(len(seen)), "next": "?p=2" if len(seen) == 1 else None})

    url, seen = serve(answer)
    rows(reader(url, auth=auth))
    first, second = seen
    assert second.query.pop("p") == "2"
    assert first.query == second.query
    for name in ("X-API-Key", "Authorization"):
        assert first.headers[name] == second.headers[name]


def test_a_next_page_elsewhere_is_read_by_who_has_none(serve):
    other, _ = serve(lambda _: ok({"data": [{"id": 2}], "next": None}))
    url, _ = serve(lambda _: ok({"data": [{"id": 1}], "next": other}))
    assert len(rows(reader(url))) == 2


def test_a_secret_in_the_records_is_no_business_of_ours(serve):
    url, _ = serve(always(body=json.dumps([{"note": TOKEN}]).encode()))
    assert rows(reader(url, auth=KEY)) == [{"note": TOKEN}]
