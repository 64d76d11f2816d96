"""One GET: signed, retried while that may help, bounded, and its failures in our words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests
from requests import exceptions as http

from chalicelib.config.model.api import ApiSource
from chalicelib.errors import SourceError
from chalicelib.extract.answers import parse
from chalicelib.extract.auth import AUTH, forms_of, secrets_of
from chalicelib.extract.deadline import Deadline, TimeIsUpError
from chalicelib.extract.failures import (
    REFUSALS,
    TOKEN_REFUSALS,
    Discretion,
    failed,
    forbidden,
    is_transient,
    late,
)
from chalicelib.extract.guard import ForbiddenHostError, Guard
from chalicelib.extract.pages import Request, bare
from chalicelib.extract.session import Session
from chalicelib.retry import Sleep, http_retry

MAX_PAGE_BYTES = 100 << 20
"""A longer answer is refused while it comes in."""

NO_CONTENT, REDIRECTION, UNAUTHORIZED = 204, 300, 401

HEAD = 800
"""Bytes of a refusal that are looked at."""

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """The body, where it came from in the end, and the URLs of its header Link by relation."""

    content: bytes
    url: str
    links: Mapping[str, str] = field(default_factory=dict)


class Client:
    """GETs the pages of one source with its credentials, headers and params, in its time.

    `trusted` are hosts that may be asked although they are not public.
    """

    def __init__(
        self, config: ApiSource, *, trusted: frozenset[str] = frozenset(), sleep: Sleep = time.sleep
    ) -> None:
        self._config = config
        self._deadline = Deadline(config.deadline, sleep)
        self._headers = {k: v.get_secret_value() for k, v in config.headers.items()}
        self._params = {name: _plain(value) for name, value in config.params.items()}
        self._credentials = AUTH[config.auth.type](config.auth, self._ask_for_token)
        private = (*self._headers, *self._credentials.headers)
        self._has_credentials = bool(private or self._credentials.param)
        self._session = Session(Guard(trusted), self._deadline, private, self._credentials.param)
        self._discretion = Discretion(secrets_of(config))
        self._next_request = 0.0
        self._bytes = 0

    def close(self) -> None:
        """Give the connections back."""
        self._deadline.close()
        self._session.close()

    def get(self, request: Request) -> Answer:
        """The answer; its body is `null` when it has no content.

        Raises SourceError with the page's origin, NotFoundError for a 404. Neither the error nor
        anything it came from shows what requests says: that may hold a secret.
        """
        url = self._checked(request)
        return self._in_our_words(lambda: self._read(request, url), request.origin, REFUSALS)

    def excerpt(self, text: str) -> str:
        """The beginning of what an answer says, without a secret."""
        return self._discretion.excerpt(text)

    def _checked(self, request: Request) -> str:
        """The URL, by TLS if the source's is: APIs behind a proxy often do not know of it."""
        url, home = request.url, self._config.url
        secure = re.sub("^http:", "https:", url)
        if home.startswith("https:") and not self._session.leads_away(secure, home):
            url = secure
        if self._has_credentials and self._session.leads_away(url, home):
            raise SourceError(
                f"the next page would be at {_server(url)}, where the credentials for "
                f"{_server(home)} must not go",
                where=request.origin,
                fix="If both are the same API, set url to the address that it gives.",
            )
        return url

    def _read(self, request: Request, url: str) -> Answer:
        with self._sent(request, url) as response:
            if response.status_code >= REDIRECTION:
                raise requests.HTTPError(_head(response), response=response)
            links = {rel: link["url"] for rel, link in response.links.items() if "url" in link}
            if response.status_code == NO_CONTENT:
                return Answer(b"null", response.url, links)
            content = self._bounded(response, request.origin)
            self._discretion.refuse_html(response, content, request.origin)
            return Answer(content, response.url, links)

    def _sent(self, request: Request, url: str) -> requests.Response:
        response = self._send(request, url)
        if response.status_code == UNAUTHORIZED and self._credentials.renew():
            response.close()
            response = self._send(request, url)
        return response

    def _send(self, request: Request, url: str) -> requests.Response:
        self._keep_pace()
        return self._session.get(
            url,
            params={} if request.complete else {**self._params, **request.params},
            headers=self._headers,
            auth=self._credentials,
            timeout=self._timeout(),
            stream=True,
        )

    def _keep_pace(self) -> None:
        now = time.monotonic()
        wait = self._next_request - now
        if self._config.requests_per_second:
            self._next_request = max(now, self._next_request) + 1 / self._config.requests_per_second
        if wait > 0:
            self._deadline.pause(wait)

    def _timeout(self) -> float:
        return min(self._config.timeout, self._deadline.left())

    def _bounded(self, response: requests.Response, where: str) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(1 << 16):
            content += chunk
            if len(content) > MAX_PAGE_BYTES:
                raise SourceError(
                    f"the answer is longer than {MAX_PAGE_BYTES:,} bytes",
                    where=where,
                    fix="Ask for pages (pagination.type: page), or for smaller ones.",
                )
            if self._bytes + len(content) > self._config.max_bytes:
                raise SourceError(
                    f"all pages together are longer than {self._config.max_bytes:,} bytes",
                    where=where,
                    fix="If that is right, raise the source's max_bytes.",
                )
        self._deadline.left()  # an answer that was cut off by it is not whole
        self._bytes += len(content)
        return bytes(content)

    # tokens

    def _ask_for_token(self, url: str, form: Mapping[str, str], authorization: str | None) -> Any:
        def ask() -> bytes:
            with self._session.post(
                url,
                data=form,
                headers={"Authorization": authorization} if authorization else {},
                auth=lambda request: request,
                timeout=self._timeout(),
                stream=True,
                allow_redirects=False,
            ) as response:
                if response.status_code >= REDIRECTION:
                    raise requests.HTTPError(_head(response), response=response)
                return self._bounded(response, bare(url))

        if authorization:
            self._discretion.learn([authorization.partition(" ")[2]])
        content = self._in_our_words(ask, bare(url), TOKEN_REFUSALS)
        answer: Any = parse(content, bare(url))
        if isinstance(answer, dict) and isinstance(token := answer.get("access_token"), str):
            self._discretion.learn(forms_of(token))
        return answer

    # failures

    def _in_our_words(self, attempt: Callable[[], T], where: str, refusals: Mapping[int, str]) -> T:
        try:
            return http_retry(self._may_pass, sleep=self._deadline.pause)(attempt)
        except ForbiddenHostError as error:
            raise forbidden(error.host, where) from None
        except TimeIsUpError:
            raise late(self._deadline.seconds, where) from None
        except http.HTTPError as error:
            raise self._discretion.refused(error, where, refusals) from None
        except (http.RequestException, ValueError) as error:  # ValueError: of http.client
            if self._deadline.passed:
                raise late(self._deadline.seconds, where) from None
            raise failed(error, where) from None

    def _may_pass(self, error: BaseException) -> bool:
        return is_transient(error) and not self._deadline.passed


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _server(url: str) -> str:
    return bare("//".join(url.split("/")[0:3:2]))


def _head(response: requests.Response) -> str:
    return next(response.iter_content(HEAD), b"").decode("utf-8", "replace")
