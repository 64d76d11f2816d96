"""What API Gateway refuses by itself, in the service's own words and shape."""

from __future__ import annotations

from typing import Any

from chalicelib.routes.answers import gateway_failure

KINDS = {
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 500,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "REQUEST_TOO_LARGE": 413,
}
"""What API Gateway calls a failure, and its status."""

UNKNOWN_PATHS = ("MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE")
"""What it says of paths that it does not know: it asks for a signature there."""


def gateway_responses() -> dict[str, Any]:
    """Properties of the API. Any page may read these answers: they hold nothing but the reason."""
    kinds = {kind: _response(status, "") for kind, status in KINDS.items()}
    unknown = {kind: _response(403, "Missing Authentication Token") for kind in UNKNOWN_PATHS}
    return {"DefinitionBody": {"x-amazon-apigateway-gateway-responses": {**kinds, **unknown}}}


def _response(status: int, said: str) -> dict[str, Any]:
    status, headers, body = gateway_failure(status, said, {}, "")
    given = {**headers, "Access-Control-Allow-Origin": "*"}
    del given["X-Request-Id"], given["Content-Type"]
    parameters = {f"gatewayresponse.header.{name}": f"'{given[name]}'" for name in given}
    parameters["gatewayresponse.header.X-Request-Id"] = "context.requestId"
    return {
        "statusCode": str(status),
        "responseParameters": parameters,
        "responseTemplates": {"application/json": body},
    }
