"""What API Gateway refuses by itself, in the service's own words and shape."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.routes.answers import gateway_failure

KINDS = {
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "REQUEST_TOO_LARGE": 413,
    "THROTTLED": 429,
    "QUOTA_EXCEEDED": 429,
    "AUTHORIZER_FAILURE": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "INTEGRATION_TIMEOUT": 504,
}
"""What API Gateway calls a failure, and its status."""

UNKNOWN_PATHS = ("MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE")
"""What it says of paths that it does not know: it asks for a signature there."""

OTHERS = {"DEFAULT_4XX": "invalid_request", "DEFAULT_5XX": "internal"}
"""The code of all others; their status and message are the gateway's own."""

OWN_WORDS = "$context.error.messageString"
"""Replaced by the gateway, with quotes around it."""


ONE_STAGE = {"OpenApiVersion": "2.0"}
"""Without it SAM makes a second public stage beside ours, called Stage."""


def rest_api() -> dict[str, Any]:
    """Properties of the API. Any page may read these answers: they hold nothing but the reason."""
    responses = {
        **{kind: _response(status, "") for kind, status in KINDS.items()},
        **{kind: _response(403, "Missing Authentication Token") for kind in UNKNOWN_PATHS},
        **{kind: _other(code) for kind, code in OTHERS.items()},
    }
    return {**ONE_STAGE, "DefinitionBody": {"x-amazon-apigateway-gateway-responses": responses}}


def _response(status: int, said: str) -> dict[str, Any]:
    status, headers, body = gateway_failure(status, said, {}, "")
    # The gateway adds the type itself, and takes no quotes within a value.
    quotable = {name: value for name, value in headers.items() if "'" not in value}
    own = {name: f"'{value}'" for name, value in quotable.items() if name != "Content-Type"}
    sent = {**own, "Access-Control-Allow-Origin": "'*'", "X-Request-Id": "context.requestId"}
    return {
        "statusCode": str(status),
        "responseParameters": {f"gatewayresponse.header.{name}": v for name, v in sent.items()},
        "responseTemplates": {"application/json": body},
    }


def _other(code: str) -> dict[str, Any]:
    body = json.dumps({"error": {"code": code, "message": OWN_WORDS, "details": []}})
    unquoted = body.replace(f'"{OWN_WORDS}"', OWN_WORDS)
    response = {**_response(500, ""), "responseTemplates": {"application/json": unquoted}}
    del response["statusCode"]
    return response
