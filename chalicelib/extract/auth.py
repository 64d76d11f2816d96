"""How a request shows who asks: one class and one line of `AUTH` for each `auth.type`."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr
from requests import PreparedRequest

from chalicelib.config.mistakes import is_secret_param
from chalicelib.config.model.api import (
    ApiKeyAuth,
    ApiSource,
    BasicAuth,
    BearerAuth,
    NoAuth,
    OAuth2ClientCredentials,
)
from chalicelib.errors import SourceError
from chalicelib.extract.pages import bare

EARLY = 30.0
"""Seconds before its end from which on a token is not used any more."""

AskForToken = Callable[[str, Mapping[str, str], "str | None"], Any]
"""Posts a form to a URL, with a header Authorization if there is one; the JSON it answers."""


class Credentials:
    """Signs a request; this kind adds nothing. requests then looks into no ~/.netrc, either.

    `headers` and `param` are where the credentials are: what must not go to another origin.
    """

    headers: tuple[str, ...] = ()
    param: str | None = None

    def __init__(self, auth: NoAuth, ask: AskForToken) -> None: ...

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """The request with what proves who asks."""
        return request

    def renew(self) -> bool:
        """After a refusal: whether there can be other credentials, and it is worth a try."""
        return False


class Bearer(Credentials):
    """`Authorization: Bearer <token>`."""

    headers = ("Authorization",)

    def __init__(self, auth: BearerAuth, ask: AskForToken) -> None:
        self._token = auth.token.get_secret_value()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Basic(Credentials):
    """`Authorization: Basic <name and password>`."""

    headers = ("Authorization",)

    def __init__(self, auth: BasicAuth, ask: AskForToken) -> None:
        self._value = basic(auth.username.get_secret_value(), auth.password.get_secret_value())

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


class ApiKey(Credentials):
    """A key in a header or in the query."""

    def __init__(self, auth: ApiKeyAuth, ask: AskForToken) -> None:
        self._name, self._key = auth.name, auth.api_key.get_secret_value()
        if auth.location == "header":
            self.headers = (auth.name,)
        else:
            self.param = auth.name

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.param:
            request.url = with_param(str(request.url), self._name, self._key)
        else:
            request.headers[self._name] = self._key
        return request


class OAuth2(Credentials):
    """A bearer token, fetched once, and again when it ends or is refused."""

    headers = ("Authorization",)

    def __init__(self, auth: OAuth2ClientCredentials, ask: AskForToken) -> None:
        self._auth = auth
        self._ask = ask
        self._token: str | None = None
        self._until = 0.0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._token is None or time.monotonic() > self._until:
            self._fetch()
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def renew(self) -> bool:
        """Forget the token: the next request fetches another one."""
        self._token = None
        return True

    def _fetch(self) -> None:
        auth, secret = self._auth, self._auth.client_secret.get_secret_value()
        form = {"grant_type": "client_credentials"}
        form |= {k: v.get_secret_value() for k, v in auth.access_token_request_data.items()}
        header = None
        if auth.token_endpoint_auth_method == "client_secret_basic":  # noqa: S105 - a word
            header = basic(quote(auth.client_id, safe=""), quote(secret, safe=""))
        else:
            form |= {"client_id": auth.client_id, "client_secret": secret}
        answer = self._ask(auth.access_token_url, form, header)
        self._token, lifetime = _token(answer, bare(auth.access_token_url))
        self._until = time.monotonic() + max(lifetime - EARLY, lifetime / 2)


AUTH: dict[str, Callable[[Any, AskForToken], Credentials]] = {
    "none": Credentials,
    "bearer": Bearer,
    "basic": Basic,
    "api_key": ApiKey,
    "oauth2_client_credentials": OAuth2,
}


def basic(name: str, password: str) -> str:
    """The value of the header Authorization (RFC 7617, in UTF-8)."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def with_param(url: str, name: str, value: str | None) -> str:
    """The URL with one value of this parameter, or with none; the rest stays as it was written."""
    parts = urlsplit(url)
    pairs = [p for p in parts.query.split("&") if unquote_plus(p.partition("=")[0]) != name]
    pairs += [urlencode({name: value})] if value is not None else []
    return urlunsplit(parts._replace(query="&".join(filter(None, pairs))))


def secrets_of(config: ApiSource) -> Iterator[str]:
    """Every secret that the source sends, in each form in which an answer may repeat it."""
    auth = dict(config.auth)
    values = [*config.headers.values(), *auth.values()]
    values += auth.get("access_token_request_data", {}).values()
    texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    in_query = [*parse_qsl(urlsplit(config.url).query), *config.params.items()]
    texts += [str(value) for name, value in in_query if is_secret_param(name)]
    for text in texts:
        yield from forms_of(text)
    if isinstance(config.auth, BasicAuth):
        name, password = config.auth.username, config.auth.password
        yield basic(name.get_secret_value(), password.get_secret_value()).partition(" ")[2]


def forms_of(secret: str) -> Iterator[str]:
    """The secret as it is, and as it stands in a URL, a form or JSON."""
    yield from {secret, quote(secret, safe=""), urlencode({"": secret})[1:]}
    yield from {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}


def _token(answer: Any, where: str) -> tuple[str, float]:
    """The token and the seconds it lives; one without a lifetime is used until it is refused."""
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise SourceError(
            "the answer holds no access_token",
            where=where,
            fix="Correct auth.access_token_url, or auth.access_token_request_data.",
        )
    try:
        return token, float(answer.get("expires_in", "inf"))
    except (TypeError, ValueError):
        return token, float("inf")
