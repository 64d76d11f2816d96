"""From a request to its answer. Whatever goes wrong on the way becomes an answer, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalice.app import Request, Response

from chalicelib import log
from chalicelib.errors import EltError
from chalicelib.routes import answers
from chalicelib.routes.answers import RequestError
from chalicelib.routes.endpoint import Endpoint

METHOD_NOT_ALLOWED = 405


def respond(request: Request, endpoint: Endpoint, endpoints: tuple[Endpoint, ...]) -> Response:
    """Check the request, ask the handler, write its answer."""
    try:
        return _answered(request, endpoint, endpoints)
    except EltError as error:
        if answers.status_of(error.code) >= answers.INTERNAL:
            log.LOGGER.error("%s failed: %s", endpoint.name, error, extra=_about(request))
        return answers.failure(error)
    except Exception:
        log.LOGGER.exception("%s broke", endpoint.name, extra=_about(request))
        return answers.unexpected(answers.request_id(request))


def _answered(request: Request, endpoint: Endpoint, endpoints: tuple[Endpoint, ...]) -> Response:
    from chalicelib.routes import handler
    from chalicelib.routes.request import call_from

    handling = handler.load(endpoint.handler)
    answer = handling.function(call_from(request, endpoint, handling, endpoints))
    if isinstance(answer, handler.Raw):
        return Response(
            answer.text, {"Content-Type": answer.content_type, **answer.headers}, endpoint.status
        )
    return answers.json_answer(handling.json(answer), endpoint.status)


def finish(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware around every answer: our headers, and our shape for what Chalice answers."""
    response = get_response(request)
    if isinstance(response.body, dict):  # ours are text already
        response = _reshaped(request, response)
    common = answers.common_headers(request.headers.get("origin"), answers.request_id(request))
    response.headers = {**common, **response.headers}
    if request.method == "HEAD":
        response.body = ""
    return response


def _reshaped(request: Request, response: Response) -> Response:
    if response.status_code != METHOD_NOT_ALLOWED:
        return answers.unexpected(answers.request_id(request))
    allowed = response.headers["Allow"]
    what = f"{request.path} does not take {request.method[:20]}"
    refused = answers.failure(RequestError("method_not_allowed", what, fix=f"Use {allowed}."))
    refused.headers["Allow"] = allowed
    return refused


def _about(request: Request) -> dict[str, Any]:
    return log.about(
        request_id=answers.request_id(request), method=request.method, path=request.path
    )
