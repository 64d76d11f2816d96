"""The app behind a gateway that has a stage in the path, as API Gateway calls it on AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chalice.app import AuthRequest

from app import app
from chalicelib import routes
from dev.background import served

ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc/api/GET/"
LAMBDA = SimpleNamespace(aws_request_id="request-1", function_name="api", memory_limit_in_mb=128)


def get(url: str, stage: str = "", token: str = "") -> dict[str, Any]:
    """What the Lambda function answers to GET of a path that begins with the stage."""
    address = urlsplit(url)
    path = address.path.removeprefix(stage)
    resource, parameters = _resource(path or "/")
    event = {
        "requestContext": {
            "httpMethod": "GET",
            "resourcePath": resource,
            "path": address.path,
            "identity": {"sourceIp": "127.0.0.1"},
            "authorizer": _authorized(token) if token else None,
        },
        "headers": {"host": "127.0.0.1"},
        "multiValueQueryStringParameters": parse_qs(address.query) or None,
        "pathParameters": parameters,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    answer: dict[str, Any] = app(event, LAMBDA)
    answer["headers"] |= {
        name: values[0] for name, values in answer.get("multiValueHeaders", {}).items()
    }
    return answer


@contextmanager
def gateway(stage: str) -> Iterator[str]:
    """The URL of a server that hands GET below `stage` to the app, and knows nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = urlsplit(self.path).path.startswith(stage)
            token = self.headers.get("Authorization", "")
            answer = get(self.path, stage, token) if known else {"statusCode": 404}
            self.send_response(answer["statusCode"])
            for name, value in answer.get("headers", {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.get("body", "").encode())

        def log_message(self, *_: object) -> None:
            pass

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield url


def _resource(path: str) -> tuple[str, dict[str, str] | None]:
    """The route that a path belongs to, and what stands for its parameters."""
    for route in sorted(app.routes, key=lambda route: route.count("{")):
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route)
        if match := re.fullmatch(pattern, path):
            return route, match.groupdict() or None
    return path, None


def _authorized(token: str) -> dict[str, str]:
    answer = routes.authorize(AuthRequest("TOKEN", token, ARN))
    return {"principalId": answer.principal_id, **answer.context}
