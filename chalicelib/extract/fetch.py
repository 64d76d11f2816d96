"""One GET: signed, retried while that may help, bounded, and its failures in our words."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests
from requests import exceptions as http

from chalicelib.config.model.api import ApiSource
from chalicelib.errors import SourceError
from chalicelib.extract.answers import parse
from chalicelib.extract.auth import AUTH, forms_of, secrets_of
from chalicelib.extract.deadline import Deadline, TimeIsUpError
from chalicelib.extract.guard import ForbiddenHostError, Guard
from chalicelib.extract.pages import Request, bare
from chalicelib.extract.session import Session
from chalicelib.retry import (
    ATTEMPTS,
    MAX_RETRY_AFTER,
    TRANSIENT_STATUSES,
    Sleep,
    http_retry,
    retry_after,
)

MAX_PAGE_BYTES = 100 << 20
"""A longer answer is refused while it comes in."""

EXCERPT = 200
"""Characters of a refusal's text that are repeated."""

NO_CONTENT, REDIRECTION, UNAUTHORIZED, NOT_FOUND = 204, 300, 401, 404

CHECK_AUTH = "Check auth: the API does not accept these credentials, or wants some."
REFUSALS = {
    401: CHECK_AUTH,
    403: "Check auth: these credentials may lack the right to read this.",
    404: "Correct the source's url.",
    429: "Set requests_per_second, or ask the API's owner for a higher limit.",
}
SERVER_FAILED = "Run again later; if it stays so, report it to those who run the API."
UNFIT_HEADER = "Look for line breaks and characters beyond ASCII in auth and headers."
CLIENT_FAILED = "Correct the source's url, params, pagination or incremental."
TOKEN_REFUSED = "Check auth.client_id, client_secret and access_token_request_data."  # noqa: S105

FAILURES: tuple[tuple[type[BaseException], str, str], ...] = (
    (http.SSLError, "its TLS certificate is not accepted", "Check the host's name in url."),
    (socket.gaierror, "its host is unknown", "Correct the host in url, or check the network."),
    (ConnectionRefusedError, "it refuses the connection", "Check the host and port in url."),
    (TimeoutError, "it does not answer in time", "Raise the source's timeout if it is slow."),
    (http.Timeout, "it does not answer in time", "Raise the source's timeout if it is slow."),
    (http.TooManyRedirects, "it redirects again and again", "Set url to where it leads."),
    (http.InvalidHeader, "a header cannot be sent", UNFIT_HEADER),
    (http.ContentDecodingError, "its compressed answer is broken", SERVER_FAILED),
    (http.ConnectionError, "the connection broke", SERVER_FAILED),
    (http.ChunkedEncodingError, "the connection broke in mid-answer", SERVER_FAILED),
    (http.RequestException, "it is, or redirects to, no address that can be asked",
     "Correct the source's url."),
    (ValueError, "a header cannot be sent", UNFIT_HEADER),
)  # fmt: skip
"""The first that the failure is, or came from, is said."""

T = TypeVar("T")


class NotFoundError(SourceError):
    """The answer was 404."""


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
        self._session = Session(Guard(trusted), self._deadline)
        self._headers = {k: v.get_secret_value() for k, v in config.headers.items()}
        self._params = {name: _plain(value) for name, value in config.params.items()}
        self._credentials = AUTH[config.auth.type](config.auth, self._ask_for_token)
        self._session.private = (*self._headers, *self._credentials.headers)
        self._session.param = self._credentials.param
        self._secrets = set(filter(None, secrets_of(config)))
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

    def _checked(self, request: Request) -> str:
        """The URL, by TLS if the source's is: APIs behind a proxy often do not know of it."""
        url, home = request.url, self._config.url
        secure = re.sub("^http:", "https:", url)
        if home.startswith("https:") and not self._session.leads_away(secure, home):
            url = secure
        has_credentials = self._session.private or self._session.param
        if has_credentials and self._session.leads_away(url, home):
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
            _refuse_html(response, content, request.origin)
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
            self._secrets.add(authorization.partition(" ")[2])
        content = self._in_our_words(ask, bare(url), dict.fromkeys((400, 401, 403), TOKEN_REFUSED))
        answer: Any = parse(content, bare(url))
        if isinstance(answer, dict) and isinstance(token := answer.get("access_token"), str):
            self._secrets.update(filter(None, forms_of(token)))
        return answer

    # failures

    def _in_our_words(self, attempt: Callable[[], T], where: str, refusals: Mapping[int, str]) -> T:
        try:
            return http_retry(self._may_pass, sleep=self._deadline.pause)(attempt)
        except ForbiddenHostError as error:
            raise _forbidden(error.host, where) from None
        except TimeIsUpError:
            raise self._late(where) from None
        except http.HTTPError as error:
            raise self._refused(error, where, refusals) from None
        except (http.RequestException, ValueError) as error:  # ValueError: of http.client
            raise (self._late(where) if self._deadline.passed else _failed(error, where)) from None

    def _may_pass(self, error: BaseException) -> bool:
        response = getattr(error, "response", None)
        asked = retry_after(response.headers.get("Retry-After")) if response is not None else None
        is_soon = (asked or 0) <= MAX_RETRY_AFTER
        return is_soon and not self._deadline.passed and is_transient(error)

    def _refused(
        self, error: http.HTTPError, where: str, refusals: Mapping[int, str]
    ) -> SourceError:
        status = error.response.status_code
        excerpt = self._without_secrets(str(error))
        reason = f" ({excerpt})" if excerpt else ""
        kind = NotFoundError if status == NOT_FOUND else SourceError
        otherwise = SERVER_FAILED if is_transient(error) else CLIENT_FAILED
        return kind(
            f"the API answers {status}{self._tried(error)}{reason}",
            where=where,
            fix=refusals.get(status, otherwise),
        )

    def _tried(self, error: http.HTTPError) -> str:
        if self._may_pass(error):
            return f" in {ATTEMPTS} attempts"
        asked = retry_after(error.response.headers.get("Retry-After"))
        return f", try again in {asked:,.0f} s" if is_transient(error) and asked else ""

    def _late(self, where: str) -> SourceError:
        return SourceError(
            f"not all could be read within {self._deadline.seconds:g} seconds",
            where=where,
            fix="Raise the source's deadline, or ask for less.",
        )

    def _without_secrets(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        line = " ".join(text.split())
        return line[:EXCERPT].rstrip(".") + ("…" if len(line) > EXCERPT else "")


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(error, http.HTTPError):
        return error.response is not None and error.response.status_code in TRANSIENT_STATUSES
    passing = (http.ConnectionError, http.Timeout, http.ChunkedEncodingError)
    return isinstance(error, passing) and not isinstance(error, http.SSLError)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _server(url: str) -> str:
    return bare("//".join(url.split("/")[0:3:2]))


def _head(response: requests.Response) -> str:
    return next(response.iter_content(4 * EXCERPT), b"").decode("utf-8", "replace")


def _refuse_html(response: requests.Response, content: bytes, where: str) -> None:
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html") or content.lstrip()[:1] == b"<":
        title = re.search(rb"<title[^>]*>([^<]{1,80})", content)
        named = f" titled {title[1].decode('utf-8', 'replace').strip()!r}" if title else ""
        raise SourceError(
            f"the answer is a web page{named}, not JSON",
            where=where,
            fix="Set url to the API itself; a login page means that auth is wrong.",
        )


def _forbidden(host: str, where: str) -> SourceError:
    return SourceError(
        f"{host} is in a private network, where requests must not go",
        where=where,
        fix="If it may be asked, whoever runs this sets ELT_ALLOW_HOSTS to it.",
    )


def _failed(error: Exception, where: str) -> SourceError:
    causes = list(_chain(error))
    what, fix = next(
        (what, fix)
        for kind, what, fix in FAILURES
        if any(isinstance(cause, kind) for cause in causes)
    )
    tried = f" in {ATTEMPTS} attempts" if is_transient(error) else ""
    return SourceError(f"{what}{tried}", where=where, fix=fix)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
