"""API Gateway's authorizers, which LocalStack's free edition stores and never asks.

LocalStack runs this script in its own process when it starts. Before a method with a custom
authorizer is called, the deployed authorizer function is, as on AWS: it answers a policy, which is
kept per token; the policy decides, and the context goes to the method's function.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.apigateway.next_gen.execute_api import handlers
from localstack.services.apigateway.next_gen.execute_api.context import RestApiInvocationContext
from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    AccessDeniedError,
    AuthorizerFailureError,
    UnauthorizedError,
)

_Answer = dict[str, Any]
_KEPT: dict[tuple[str, str], tuple[float, _Answer]] = {}
"""When it ends, and the answer, by authorizer and token."""


def authorize(_chain: Any, context: RestApiInvocationContext, _response: Any) -> None:
    """Let the request pass, with the authorizer's context, or raise the gateway's answer."""
    method = context.resource_method
    if method.get("authorizationType") != "CUSTOM":
        return
    authorizer = context.deployment.rest_api.authorizers[method["authorizerId"]]
    header = authorizer["identitySource"].removeprefix("method.request.header.")
    token = context.invocation_request["headers"].get(header)
    if not token:
        raise UnauthorizedError("Unauthorized")
    answer = _answer(authorizer, token, context)
    if not _allows(answer["policyDocument"], _arn(context)):
        raise AccessDeniedError("User is not authorized to access this resource")
    context.context_variables["authorizer"] = {
        **answer.get("context", {}),
        "principalId": answer["principalId"],
    }


def _answer(authorizer: dict[str, Any], token: str, context: RestApiInvocationContext) -> _Answer:
    """The function's answer, or the one it gave for this token a while ago."""
    key, now = (authorizer["id"], token), time.monotonic()
    if key not in _KEPT or _KEPT[key][0] < now:
        kept_for = float(authorizer.get("authorizerResultTtlInSeconds") or 0)
        _KEPT[key] = (now + kept_for, _ask(authorizer, token, context))
    return _KEPT[key][1]


def _ask(authorizer: dict[str, Any], token: str, context: RestApiInvocationContext) -> _Answer:
    function = authorizer["authorizerUri"].split("/functions/")[1].removesuffix("/invocations")
    event = {"type": "TOKEN", "authorizationToken": token, "methodArn": _arn(context)}
    answer = connect_to(region_name=context.region).lambda_.invoke(
        FunctionName=function, Payload=json.dumps(event).encode()
    )
    if "FunctionError" in answer:
        raise AuthorizerFailureError("Internal server error")
    policy: _Answer = json.load(answer["Payload"])
    return policy


def _arn(context: RestApiInvocationContext) -> str:
    """The method that is called, as policies name it."""
    api = f"{context.region}:{context.account_id}:{context.api_id}"
    request = context.invocation_request
    return f"arn:aws:execute-api:{api}/{context.stage}/{request['http_method']}{request['path']}"


def _allows(policy: dict[str, Any], arn: str) -> bool:
    """Something allows it, and nothing denies it."""
    effects = {one["Effect"] for one in policy["Statement"] if _is_about(one, arn)}
    return effects == {"Allow"}


def _is_about(statement: dict[str, Any], arn: str) -> bool:
    resources = statement["Resource"]
    patterns = [resources] if isinstance(resources, str) else resources
    return any(_matches(pattern, arn) for pattern in patterns)


def _matches(pattern: str, arn: str) -> bool:
    """`*` is any text, with slashes too; `?` is one character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, arn) is not None


handlers.preprocess_request.append(authorize)
