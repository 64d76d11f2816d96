"""Answers that are the same everywhere: errors in one shape, and the headers of every answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from chalice.app import Request, Response

from chalicelib import settings
from chalicelib.errors import ConfigError, EltError, RunActive
from chalicelib.routes.endpoint import JSON

ERRORS = {
    "invalid_request": (400, "A parameter, a header or the body does not fit"),
    "invalid_rate": (400, "EventBridge does not understand this rate"),
    "unauthorized": (401, "There is no bearer token"),
    "forbidden": (403, "The token is unknown, or its role is not enough"),
    "not_found": (404, "There is no such thing"),
    "method_not_allowed": (405, "The path is there, but not with this method"),
    "conflict": (409, "It does not fit what is going on at the moment"),
    "no_configuration": (409, "No configuration was uploaded yet"),
    "run_active": (409, "Another run is not over yet; details hold its id"),
    "too_large": (413, "The body is larger than the endpoint takes"),
    "unsupported_media_type": (415, "The body has a content type that the endpoint does not take"),
    "invalid_configuration": (422, "The request is right, but the configuration has mistakes"),
    "too_many_requests": (429, "There are too many requests at the moment"),
    "internal": (500, "Something that should not happen; the log knows it by the request id"),
    "schedule": (502, "EventBridge refused, or cannot be reached"),
    "launch": (502, "It is queued, but the job function cannot be started"),
    "storage": (502, "The bucket of the service refused, or cannot be reached"),
    "secrets": (503, "Secrets cannot be read or stored"),
    "target": (503, "The database refused, or cannot be reached"),
    "no_database": (503, "Nobody said where the database is, or not so that it can be found"),
    "timeout": (504, "There was no answer in time; what was asked for may be done all the same"),
}
"""HTTP status and meaning of an error's code. A code that is not here answers 500.

400 is a request that does not fit the description, which tells the form of each value, that of a
rate too. 422 is one that fits and carries a configuration that a person must mend, so that a page
can show its mistakes beside the editor.
"""

INTERNAL = 500


class RequestError(EltError):
    """The request cannot be answered as it was made. `details` are all reasons, one a line."""

    def __init__(self, code: str, what: str, *, details: Sequence[str] = (), fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.code = code
        self.details = list(details)


def failure(error: EltError) -> Response:
    """The answer for a failure: `{"error": {"code", "message", "details"}}`."""
    message = "The configuration has mistakes" if isinstance(error, ConfigError) else str(error)
    body = {"error": {"code": error.code, "message": message, "details": _details(error)}}
    return json_answer(json.dumps(body), status_of(error.code))


def _details(error: EltError) -> list[str]:
    match error:
        case ConfigError():
            return error.problems
        case RequestError():
            return error.details
        case RunActive():
            return [error.run_id]
    return []


def status_of(code: str) -> int:
    """The HTTP status of an error's code."""
    return ERRORS[code][0] if code in ERRORS else INTERNAL


def unexpected(request_id: str) -> Response:
    """The answer for a bug: it says nothing but where the log has it."""
    what = f"Something went wrong in the service; its log knows this as request {request_id}"
    return failure(RequestError("internal", what))


def json_answer(text: str, status: int) -> Response:
    """An answer whose JSON is already written."""
    return Response(text, {"Content-Type": JSON}, status)


def request_id(request: Request) -> str:
    """The id that the request has in the log."""
    return str(cast(Any, request.lambda_context).aws_request_id)


def common_headers(origin: str | None, request_id: str) -> dict[str, str]:
    """The headers of every answer to a page of `origin`, None when no page asks."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request_id,
    }
    if settings.on_lambda():
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers | _cors_headers(origin)


def _cors_headers(origin: str | None) -> dict[str, str]:
    """What lets a page of an allowed origin read the answer. Tokens are sent, never cookies."""
    allowed = settings.cors_origins()
    if not allowed:
        return {}
    shared = {"Access-Control-Expose-Headers": "X-Request-Id"}
    if "*" in allowed:
        return {"Access-Control-Allow-Origin": "*", **shared}
    # Without Vary a cache could hand the answer for one origin to a page of another.
    vary = {"Vary": "Origin"}
    if origin is None or origin not in allowed:
        return vary
    return {"Access-Control-Allow-Origin": origin, **vary, **shared}


def preflight(methods: Sequence[str], headers: Sequence[str]) -> Response:
    """The answer to OPTIONS: what a page may send to this path."""
    allowed: dict[str, str | list[str]] = {
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": ", ".join(headers),
        "Access-Control-Max-Age": "600",
        "Allow": ", ".join([*methods, "OPTIONS"]),
    }
    return Response("", allowed, 204)


def gateway_failure(
    status: int, said: str, headers: Mapping[str, str], request_id: str
) -> tuple[int, dict[str, str], str]:
    """In our shape, what a gateway refuses before the service is asked: status, headers, body.

    `said` is the gateway's own body, `headers` are those of the request, in lower case. API
    Gateway answers 403 for paths that it does not know, and asks for signatures there.
    """
    unknown_path = "Missing Authentication Token" in said or "Credential" in said
    response = failure(_NOT_FOUND if unknown_path else _REFUSED.get(status, _BROKEN))
    response.headers |= common_headers(headers.get("origin"), request_id)
    if response.status_code == ERRORS["unauthorized"][0]:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response.status_code, _single(response.headers), response.body


def _single(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in headers.items()}


_NOT_FOUND = RequestError("not_found", "There is no such path", fix="GET /openapi.json lists all.")
_BROKEN = RequestError("internal", "The request could not be passed on", fix="Try again.")
_UNCHECKED = RequestError(
    "internal", "The token could not be checked", fix="Try again; the service's log knows more."
)
_REFUSED = {
    400: RequestError("invalid_request", "The request is not valid HTTP"),
    401: RequestError(
        "unauthorized", "There is no token", fix="Send the header Authorization: Bearer <token>."
    ),
    403: RequestError(
        "forbidden", "The token is unknown or may not do this", fix="Ask an admin for a token."
    ),
    413: RequestError("too_large", "The body is too large"),
    429: RequestError("too_many_requests", "There are too many requests", fix="Wait, try again."),
    500: _UNCHECKED,  # only the authorizer's failure has this status
    504: RequestError("timeout", "There was no answer in time", fix="Look whether it was done."),
}
