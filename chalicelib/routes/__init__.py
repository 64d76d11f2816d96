"""The HTTP API: all endpoints, their routes, and who may call them.

Each resource has a module here with its declarations, and one in `handlers` with its models and
functions, which is imported at the first call. This keeps a cold start short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from chalice.app import AuthRequest, AuthResponse, AuthRoute, Chalice, Request, Response

from chalicelib import log, settings
from chalicelib.routes import (
    answers,
    configs,
    console,
    health,
    jobs,
    previews,
    rejects,
    schedule,
    serve,
)
from chalicelib.routes.endpoint import FORM, TEXT_TYPES, Endpoint

if TYPE_CHECKING:
    from chalicelib.auth import Identity

ENDPOINTS: tuple[Endpoint, ...] = (
    *health.ENDPOINTS,
    *console.ENDPOINTS,
    *configs.ENDPOINTS,
    *previews.ENDPOINTS,
    *jobs.ENDPOINTS,
    *rejects.ENDPOINTS,
    *schedule.ENDPOINTS,
)

ALWAYS_ALLOWED = ("Authorization", "Content-Type")
"""Request headers that a page of another origin may send to any path."""


def register(
    app: Chalice,
    authorizer: Callable[..., Any],
    endpoints: tuple[Endpoint, ...] = ENDPOINTS,
) -> None:
    """Give the app a route for each endpoint, OPTIONS for each path, headers for each answer."""
    if settings.on_lambda():
        log.configure(verbose=True)
    app.register_middleware(serve.finish, "http")
    # API Gateway hands on bytes as they are only for these types; others it repairs as UTF-8.
    app.api.binary_types += [FORM, *TEXT_TYPES]
    for endpoint in endpoints:
        options = {} if endpoint.role == "public" else {"authorizer": authorizer}
        _route(app, endpoint.method, endpoint.route, _view(app, endpoint, endpoints), **options)
    for path in dict.fromkeys(endpoint.route for endpoint in endpoints):
        same = [endpoint for endpoint in endpoints if endpoint.route == path]
        _route(app, "OPTIONS", path, _preflight(same))


def identify(token: str) -> Identity | None:
    """Whose token it is."""
    from chalicelib import auth

    return auth.role_of(token)


def authorize(
    request: AuthRequest,
    endpoints: tuple[Endpoint, ...] = ENDPOINTS,
    identify: Callable[[str], Identity | None] = identify,
) -> AuthResponse:
    """The policy of a token: all endpoints that its role may call, none for an unknown token.

    All, as API Gateway keeps the policy and asks it for other paths, too. In a policy `*` also
    matches `/`, so the endpoint looks at the role once more.
    """
    scheme, _, token = request.token.partition(" ")
    identity = identify(token.strip()) if scheme.lower() == "bearer" else None
    if identity is None:
        return AuthResponse(routes=[], principal_id="nobody")
    allowed: list[str | AuthRoute] = [
        AuthRoute(endpoint.wildcard, [endpoint.method])
        for endpoint in endpoints
        if endpoint.permits(identity.role)
    ]
    return AuthResponse(routes=allowed, principal_id=identity.name, context={"role": identity.role})


def tick(event: dict[str, Any]) -> None:
    """EventBridge fired its rule."""
    from datetime import datetime

    from chalicelib import jobs as service

    service.tick(event["id"], datetime.fromisoformat(event["time"]))


def work(event: dict[str, str], seconds: float) -> None:
    """The job function was invoked, and has so many seconds."""
    from chalicelib.jobs import worker

    worker.handle(event, seconds)


def part(event: dict[str, Any], seconds: float) -> None:
    """Step Functions invokes the function of parts, which has so many seconds."""
    from chalicelib.jobs import invoked

    invoked.load_part(event, seconds)


def finish(event: dict[str, Any], seconds: float) -> None:
    """Step Functions is done with the parts of a run."""
    from chalicelib.jobs import invoked

    invoked.end(event, seconds)


def doctor() -> list[dict[str, Any]]:
    """The doctor function was invoked."""
    from dataclasses import asdict

    from chalicelib import doctor as checks

    return [asdict(check) for check in checks.examine()]


def _route(app: Chalice, method: str, path: str, view: Callable[..., Any], **options: Any) -> None:
    # Without content types Chalice leaves it to the endpoint to refuse one, in our words.
    app.route(path, methods=[method], content_types=[], name=view.__name__, **options)(view)


def _view(app: Chalice, endpoint: Endpoint, endpoints: tuple[Endpoint, ...]) -> Callable[..., Any]:
    def view(**_path: str) -> Response:
        return serve.respond(cast(Request, app.current_request), endpoint, endpoints)

    view.__name__ = endpoint.name
    return view


def _preflight(endpoints: list[Endpoint]) -> Callable[..., Any]:
    methods = [endpoint.method for endpoint in endpoints]
    headers = [header.name for endpoint in endpoints for header in endpoint.headers]

    def preflight(**_path: str) -> Response:
        return answers.preflight(methods, [*ALWAYS_ALLOWED, *headers])

    return preflight
