"""Every real endpoint refuses what it must, says what to do, and shows nothing of its insides."""

from __future__ import annotations

import re

import pytest
import requests
from chalice.test import Client

from app import app
from chalicelib import auth
from chalicelib.routes import ENDPOINTS
from chalicelib.routes.endpoint import ACCESS, FORM, TEXT_TYPES, Endpoint
from chalicelib.routes.handler import load
from chalicelib.secrets import service_store

PRIVATE = [endpoint for endpoint in ENDPOINTS if endpoint.role != "public"]
WITH_BODY = [endpoint for endpoint in ENDPOINTS if load(endpoint.handler).body]
TOO_LOW = [
    (endpoint, role)
    for endpoint in PRIVATE
    for role in ACCESS[1 : ACCESS.index(endpoint.role)]
]  # fmt: skip
ORIGINS = ("https://console.example.com", "http://localhost:3000")


def named(value: object) -> str:
    return value.name if isinstance(value, Endpoint) else str(value)


def path_of(endpoint: Endpoint) -> str:
    return re.sub(r"\{\w+\}", "1", endpoint.route)


def ask(service, endpoint: Endpoint, **options) -> requests.Response:
    return service.session.request(
        endpoint.method, service.url + path_of(endpoint), timeout=20, **options
    )


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    """Status, code and message of an error, which has the one shape that all have."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-Id"]
    return answer.status_code, error["code"], error["message"]


@pytest.mark.parametrize("endpoint", PRIVATE, ids=named)
def test_without_a_token_it_says_how_to_send_one(service_url: str, endpoint: Endpoint) -> None:
    answer = requests.request(endpoint.method, service_url + path_of(endpoint), timeout=20)
    assert refusal(answer)[:2] == (401, "unauthorized")
    assert "Authorization: Bearer <token>" in refusal(answer)[2]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("endpoint", "role"), TOO_LOW, ids=named)
def test_with_too_low_a_role_it_says_so(connect, endpoint: Endpoint, role: str) -> None:
    status, code, message = refusal(ask(connect(role), endpoint))
    assert (status, code) == (403, "forbidden")
    assert message == "The token is unknown or may not do this. Ask an admin for a token."


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_another_content_type_is_refused_with_those_it_takes(admin, endpoint: Endpoint) -> None:
    answer = ask(admin, endpoint, data=b"a,b\n", headers={"Content-Type": "text/csv"})
    status, code, message = refusal(answer)
    assert (status, code) == (415, "unsupported_media_type")
    assert "'text/csv'" in message
    assert all(taken in message for taken in endpoint.accepts)


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_ten_megabytes_are_refused_with_what_is_taken(admin, endpoint: Endpoint) -> None:
    for media in endpoint.accepts:
        answer = ask(admin, endpoint, data=b"a" * (10 << 20), headers={"Content-Type": media})
        status, code, message = refusal(answer)
        assert (status, code) == (413, "too_large")
        assert "10,485,760 bytes" in message
        assert f"{endpoint.limit:,}" in message


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_broken_utf_8_is_refused_with_its_place(admin, endpoint: Endpoint) -> None:
    for media in set(endpoint.accepts) - {FORM}:
        body = b'{"a":\n"\xff"}'
        answer = ask(admin, endpoint, data=body, headers={"Content-Type": media})
        status, code, message = refusal(answer)
        assert (status, code) == (400, "invalid_request")
        assert "byte 0xff at position 7, line 2. Save it as UTF-8." in message


def test_broken_utf_8_in_a_file_of_a_form_is_refused(admin) -> None:
    answer = admin.post("/upload-config", files={"file": ("config.yaml", b"sources:\n  \xe9")})
    status, code, message = refusal(answer)
    assert (status, code) == (400, "invalid_request")
    assert "byte 0xe9 at position 11, line 2" in message


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_a_key_given_twice_is_refused(admin, endpoint: Endpoint) -> None:
    headers = {"Content-Type": "application/json"}
    answer = ask(admin, endpoint, data='{"a": 1, "a": 2}', headers=headers)
    assert refusal(answer) == (
        400, "invalid_request", "The body has 'a' twice. Say it once.",
    )  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
def test_another_method_is_refused_with_those_it_takes(admin, endpoint: Endpoint) -> None:
    answer = admin.session.put(admin.url + path_of(endpoint), timeout=20)
    assert refusal(answer)[:2] == (405, "method_not_allowed")
    assert endpoint.method in answer.headers["Allow"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_pages_of_several_origins_may_read_errors_too(
    admin, service_url: str, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_CORS_ORIGINS", ",".join(ORIGINS))
    here = {"Origin": origin}
    too_large = {"data": b"a" * (10 << 20), "headers": {**here, "Content-Type": TEXT_TYPES[0]}}
    for answer, status in (
        (requests.get(f"{service_url}/configs", headers=here, timeout=20), 401),
        (admin.session.get(f"{service_url}/configs/9", headers=here, timeout=20), 404),
        (admin.post("/upload-config", **too_large), 413),
        (admin.post("/trigger-job", headers=here), 409),
    ):
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_a_path_with_the_name_of_a_host_leads_to_no_other_host() -> None:
    with Client(app) as client:
        answer = client.http.get("//evil.example/openapi.json")
    assert answer.json_body["servers"] == [{"url": "/evil.example"}]


def test_tokens_that_cannot_be_read_are_our_failure_and_not_the_callers(
    admin, caplog: pytest.LogCaptureFixture
) -> None:
    service_store().put(auth.STORE, "canary")
    auth.forget()
    status, code, message = refusal(admin.session.get(f"{admin.url}/configs", timeout=20))
    assert (status, code) == (500, "internal")
    assert message == "The token could not be checked. Try again; the service's log knows more."
    assert "the stored tokens are damaged" in caplog.text
    assert "canary" not in caplog.text


def test_a_database_that_is_gone_is_told_without_its_password(
    admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_SERVICE_URL", "postgresql://loader:canary@127.0.0.1:1/warehouse")
    answer = admin.session.get(f"{admin.url}/runs", timeout=30)
    status, code, message = refusal(answer)
    assert (status, code) == (503, "target")
    assert "127.0.0.1:1" in message
    assert "canary" not in answer.text


def test_emulated_eventbridge_that_is_gone_is_told(admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    status, code, message = refusal(admin.post("/schedule-job"))
    assert (status, code) == (502, "schedule")
    assert "EventBridge cannot be asked" in message
