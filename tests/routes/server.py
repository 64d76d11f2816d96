"""`chalice local` in a thread, on a free port, with the gateway's own failures in our shape."""

from __future__ import annotations

from typing import NamedTuple

from chalice.app import AuthRequest, AuthResponse, Chalice

from chalicelib import routes
from chalicelib.routes.endpoint import Access, Endpoint


class Identity(NamedTuple):
    name: str
    role: Access


TOKENS = {
    f"{role}-token": Identity(f"ann-{role}", role) for role in ("viewer", "operator", "admin")
}


def demo_app(endpoints: tuple[Endpoint, ...]) -> Chalice:
    app = Chalice(app_name="demo", env={})

    @app.authorizer()
    def authorizer(request: AuthRequest) -> AuthResponse:
        return routes.authorize(request, endpoints, TOKENS.get)

    routes.register(app, authorizer, endpoints)
    return app
