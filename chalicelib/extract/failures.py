"""Why an API could not be read, in our words and without a secret in them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping

import requests
from requests import exceptions as http

from chalicelib.causes import chain
from chalicelib.errors import SourceError
from chalicelib.retry import ATTEMPTS, MAX_RETRY_AFTER, TRANSIENT_STATUSES, retry_after

EXCERPT = 200
"""Characters of a refusal's text that are repeated."""

NOT_FOUND = 404

REFUSALS = {
    401: "Check auth: the API does not accept these credentials, or wants some.",
    403: "Check auth: these credentials may lack the right to read this.",
    404: "Correct the source's url.",
    429: "Set requests_per_second, or ask the API's owner for a higher limit.",
}
SERVER_FAILED = "Run again later; if it stays so, report it to those who run the API."
UNFIT_HEADER = "Look for line breaks and characters beyond ASCII in auth and headers."
CLIENT_FAILED = "Correct the source's url, params, pagination or incremental."
TOKEN_REFUSALS = dict.fromkeys(
    (400, 401, 403), "Check auth.client_id, client_secret and access_token_request_data."
)

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


class Discretion:
    """Knows what must not be shown, and says what an answer said without it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = set[str]()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these, too."""
        self._secrets.update(filter(None, secrets))

    def excerpt(self, text: str) -> str:
        """The beginning of the text in one line, secrets replaced."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        line = " ".join(text.split())
        return line[:EXCERPT].rstrip(".") + ("…" if len(line) > EXCERPT else "")

    def refused(
        self, error: http.HTTPError, where: str, refusals: Mapping[int, str]
    ) -> SourceError:
        """For a status; NotFoundError for 404. `refusals` say what to do about which."""
        status = error.response.status_code
        excerpt = self.excerpt(str(error))
        reason = f" ({excerpt})" if excerpt else ""
        kind = NotFoundError if status == NOT_FOUND else SourceError
        otherwise = SERVER_FAILED if status in TRANSIENT_STATUSES else CLIENT_FAILED
        return kind(
            f"the API answers {status}{_tried(error)}{reason}",
            where=where,
            fix=refusals.get(status, otherwise),
        )

    def refuse_html(self, response: requests.Response, content: bytes, where: str) -> None:
        """SourceError for a page that is meant for people."""
        kind = response.headers.get("Content-Type", "")
        if kind.startswith("text/html") or content.lstrip()[:1] == b"<":
            title = re.search(rb"<title[^>]*>([^<]{1,80})", content)
            words = self.excerpt(title[1].decode("utf-8", "replace")) if title else ""
            raise SourceError(
                f"the answer is a web page{f' titled {words!r}' if words else ''}, not JSON",
                where=where,
                fix="Set url to the API itself; a login page means that auth is wrong.",
            )


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment, or when the server says."""
    if isinstance(error, http.HTTPError):
        return error.response.status_code in TRANSIENT_STATUSES and (
            _asked_to_wait(error) <= MAX_RETRY_AFTER
        )
    passing = (http.ConnectionError, http.Timeout, http.ChunkedEncodingError)
    return isinstance(error, passing) and not isinstance(error, http.SSLError)


def late(seconds: float, where: str) -> SourceError:
    """The time of the source is over."""
    return SourceError(
        f"not all could be read within {seconds:g} seconds",
        where=where,
        fix="Raise the source's deadline, or ask for less.",
    )


def forbidden(host: str, where: str) -> SourceError:
    """The guard let no request through to this host."""
    return SourceError(
        f"{host} is in a private network, where requests must not go",
        where=where,
        fix="If it may be asked, whoever runs this sets ELT_ALLOW_HOSTS to it.",
    )


def failed(error: Exception, where: str) -> SourceError:
    """For what requests and http.client raise, whose own words may hold a secret."""
    causes = list(chain(error))
    what, fix = next(
        (what, fix)
        for kind, what, fix in FAILURES
        if any(isinstance(cause, kind) for cause in causes)
    )
    tried = f" in {ATTEMPTS} attempts" if is_transient(error) else ""
    return SourceError(f"{what}{tried}", where=where, fix=fix)


def _tried(error: http.HTTPError) -> str:
    if is_transient(error):
        return f" in {ATTEMPTS} attempts"
    wait = _asked_to_wait(error)
    return f", try again in {wait:,.0f} s" if wait else ""


def _asked_to_wait(error: http.HTTPError) -> float:
    return retry_after(error.response.headers.get("Retry-After")) or 0.0
