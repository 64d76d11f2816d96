"""How a request shows who asks: one function and one line of `AUTH` for each `auth.type`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from requests import PreparedRequest

from chalicelib.config.model.api import BearerAuth, NoAuth


class Credentials(Protocol):
    """Signs a request; called again for a retry, but not for what a redirect leads to."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """The request with what proves who asks."""


def none(_: NoAuth) -> Credentials:
    """Nothing is added; nor does requests look into ~/.netrc, as it does without credentials."""
    return lambda request: request


def bearer(auth: BearerAuth) -> Credentials:
    """`Authorization: Bearer <token>`."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {auth.token.get_secret_value()}"
        return request

    return sign


AUTH: dict[str, Callable[[Any], Credentials]] = {"none": none, "bearer": bearer}
