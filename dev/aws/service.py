"""The deployed service, called without its gateway: by whoever may invoke its functions.

So it can be set up before there is a token, and although its database is reached only from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.errors import EltError
from dev.aws.account import client, translated
from dev.aws.names import function_name


class Answer(NamedTuple):
    """What the API answers."""

    status: int
    body: Any


def call(stage: str, method: str, path: str, body: str = "", content_type: str = "") -> Answer:
    """Ask the API function as an admin. Raises EltError when it cannot be asked or breaks."""
    answer = invoke(stage, "api", gateway_event(method, path, body, content_type))
    return Answer(answer["statusCode"], json.loads(answer["body"]))


def invoke(stage: str, function: str, event: Mapping[str, Any]) -> Any:
    """What the function returns. Raises EltError when it cannot be invoked or breaks."""
    name = function_name(stage, function)
    with translated(f"function {name}"):
        aws = client("lambda", read_timeout=90)
        try:
            answer = aws.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        except aws.exceptions.ResourceNotFoundException:
            fix = f"Say make deploy STAGE={stage} first."
            raise EltError("nothing is deployed", where=f"function {name}", fix=fix) from None
    said = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        what = f"it broke: {said.get('errorType')}: {said.get('errorMessage')}"
        raise EltError(
            what, where=f"function {name}", fix=f"Say make doctor STAGE={stage}; look at its log."
        )
    return said


def gateway_event(
    method: str, path: str, body: str = "", content_type: str = "", role: str = "admin"
) -> dict[str, Any]:
    """A request as API Gateway hands it on, of an endpoint without parameters in its path."""
    headers = {"content-type": content_type} if content_type else {}
    return {
        "httpMethod": method,
        "resource": path,
        "path": path,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "path": f"/api{path}",
            "identity": {},
            "authorizer": {"principalId": "make deploy", "role": role},
        },
    }
