"""One GET: signed, retried while that may help, bounded, and its failures in our words."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

import requests
from pydantic import SecretStr
from requests import exceptions as http

from chalicelib.config.model.api import ApiSource
from chalicelib.errors import SourceError
from chalicelib.extract.auth import AUTH
from chalicelib.extract.pagination import Request
from chalicelib.retry import ATTEMPTS, TRANSIENT_STATUSES, Sleep, http_retry

MAX_PAGE_BYTES = 100 << 20
"""A longer answer is refused while it comes in."""

EXCERPT = 200
"""Characters of a refusal's text that are repeated."""

NO_CONTENT, REDIRECTION, NOT_FOUND = 204, 300, 404

REFUSALS = {
    401: "Check auth.token: the API does not accept it, or wants one.",
    403: "Check auth.token: it may lack the right to read this.",
    404: "Correct the source's url.",
    429: "Ask less often, or ask the API's owner for a higher limit.",
}
SERVER_FAILED = "Run again later; if it stays so, report it to those who run the API."
UNFIT_HEADER = "Look for line breaks and characters beyond ASCII in auth and headers."
CLIENT_FAILED = "Correct the source's url, params, pagination or incremental."

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


class NotFoundError(SourceError):
    """The answer was 404."""


class Client:
    """GETs the pages of one source with its credentials, headers and params."""

    def __init__(self, config: ApiSource, *, sleep: Sleep = time.sleep) -> None:
        self._timeout = config.timeout
        self._sleep = sleep
        self._session = _Session(config)
        self._secrets = [
            value.get_secret_value()
            for value in (*config.headers.values(), *dict(config.auth).values())
            if isinstance(value, SecretStr)
        ]

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def get(self, request: Request) -> bytes:
        """The body of the answer; `null` for one without content.

        Raises SourceError with the page's origin, NotFoundError for a 404. Neither the error nor
        anything it came from shows what requests says: that may hold a secret.
        """
        try:
            return http_retry(is_transient, sleep=self._sleep)(self._read, request)
        except http.HTTPError as error:
            raise self._refused(error, request) from None
        except (http.RequestException, ValueError) as error:  # ValueError: of http.client
            raise _failed(error, request) from None

    def _read(self, request: Request) -> bytes:
        with self._session.get(
            request.url, params=dict(request.params), timeout=self._timeout, stream=True
        ) as response:
            if response.status_code >= REDIRECTION:
                raise requests.HTTPError(_head(response), response=response)
            if response.status_code == NO_CONTENT:
                return b"null"
            content = _bounded(response, request)
            _refuse_html(response, content, request)
            return content

    def _refused(self, error: http.HTTPError, request: Request) -> SourceError:
        status = error.response.status_code
        excerpt = self._without_secrets(str(error))
        reason = f" ({excerpt})" if excerpt else ""
        kind = NotFoundError if status == NOT_FOUND else SourceError
        otherwise = SERVER_FAILED if is_transient(error) else CLIENT_FAILED
        return kind(
            f"the API answers {status}{_tried(error)}{reason}",
            where=request.origin,
            fix=REFUSALS.get(status, otherwise),
        )

    def _without_secrets(self, text: str) -> str:
        for secret in filter(None, self._secrets):
            text = text.replace(secret, "***")
        line = " ".join(text.split())
        return line[:EXCERPT].rstrip(".") + ("…" if len(line) > EXCERPT else "")


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(error, http.HTTPError):
        return error.response is not None and error.response.status_code in TRANSIENT_STATUSES
    passing = (http.ConnectionError, http.Timeout, http.ChunkedEncodingError)
    return isinstance(error, passing) and not isinstance(error, http.SSLError)


class _Session(requests.Session):
    """Also the configured headers stay behind when a redirect leads to another host."""

    def __init__(self, config: ApiSource) -> None:
        super().__init__()
        self.headers["Accept"] = "application/json"
        self.headers.update({k: v.get_secret_value() for k, v in config.headers.items()})
        self.params = {name: _plain(value) for name, value in config.params.items()}
        self.auth = AUTH[config.auth.type](config.auth)
        self._private = tuple(config.headers)

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Called by requests before it follows a redirect; drops Authorization itself."""
        asked, leads_to = response.request.url, prepared_request.url
        if self.should_strip_auth(asked, leads_to):  # type: ignore[no-untyped-call]
            for name in self._private:
                prepared_request.headers.pop(name, None)
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bounded(response: requests.Response, request: Request) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(1 << 16):
        content += chunk
        if len(content) > MAX_PAGE_BYTES:
            raise SourceError(
                f"the answer is longer than {MAX_PAGE_BYTES:,} bytes",
                where=request.origin,
                fix="Ask for pages (pagination.type: page), or for smaller ones.",
            )
    return bytes(content)


def _head(response: requests.Response) -> str:
    return next(response.iter_content(4 * EXCERPT), b"").decode("utf-8", "replace")


def _refuse_html(response: requests.Response, content: bytes, request: Request) -> None:
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html") or content.lstrip()[:1] == b"<":
        title = re.search(rb"<title[^>]*>([^<]{1,80})", content)
        named = f" titled {title[1].decode('utf-8', 'replace').strip()!r}" if title else ""
        raise SourceError(
            f"the answer is a web page{named}, not JSON",
            where=request.origin,
            fix="Set url to the API itself; a login page means that auth is wrong.",
        )


def _failed(error: Exception, request: Request) -> SourceError:
    causes = list(_chain(error))
    what, fix = next(
        (what, fix)
        for kind, what, fix in FAILURES
        if any(isinstance(cause, kind) for cause in causes)
    )
    return SourceError(f"{what}{_tried(error)}", where=request.origin, fix=fix)


def _tried(error: Exception) -> str:
    return f" in {ATTEMPTS} attempts" if is_transient(error) else ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
