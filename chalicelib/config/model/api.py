"""Sources of records: JSON APIs, how they are asked and how they answer."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from chalicelib.config.model.common import Frozen, RecordsPath, Scalar, ValuePath
from chalicelib.config.model.files import JsonOptions


def _address(url: str) -> str:
    """Not repeated in the message: it may hold a secret."""
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.port != 0:
            return url
    except ValueError:
        pass
    raise ValueError("the host or the port in it is none")


HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+"), AfterValidator(_address)]


class NoAuth(Frozen):
    """No credentials."""

    type: Literal["none"] = "none"


class BearerAuth(Frozen):
    """`Authorization: Bearer <token>`."""

    type: Literal["bearer"]
    token: SecretStr


class BasicAuth(Frozen):
    """`Authorization: Basic …`. The name is hidden, too: with some APIs it is the key."""

    type: Literal["basic"]
    username: SecretStr
    password: SecretStr = SecretStr("")


class ApiKeyAuth(Frozen):
    """A key in a header or in the query."""

    type: Literal["api_key"]
    api_key: SecretStr
    name: str = Field("X-API-Key", description="The header, or the parameter of the query")
    location: Literal["header", "query"] = "header"


class OAuth2ClientCredentials(Frozen):
    """A bearer token that is fetched with an id and a secret, and fetched again in time."""

    type: Literal["oauth2_client_credentials"]
    access_token_url: HttpUrl = Field(description="http:// or https:// address that gives tokens")
    client_id: str
    client_secret: SecretStr
    access_token_request_data: dict[str, SecretStr] = Field(
        {}, description="What else is sent for a token: scope, audience"
    )
    token_endpoint_auth_method: Literal["client_secret_post", "client_secret_basic"] = Field(
        "client_secret_post", description="Send id and secret in the body, or as basic credentials"
    )


class NoPagination(Frozen):
    """The first answer holds all records."""

    type: Literal["none"] = "none"


class Paged(Frozen):
    """A list that goes on over several answers."""

    max_pages: int = Field(10_000, ge=1, description="More pages than this are a mistake")


class AutoPagination(Paged):
    """What the first answer shows: a Link header or the URL of the next page."""

    type: Literal["auto"] = "auto"


class PagePagination(Paged):
    """Pages counted by a parameter, until one comes back empty."""

    type: Literal["page"]
    page_param: str = "page"
    size_param: str | None = None
    size: int = Field(100, ge=1)
    first_page: int = 1
    total_path: ValuePath | None = Field(None, description="JSONPath of the number of pages")


class OffsetPagination(Paged):
    """Records counted by a parameter, until none comes back."""

    type: Literal["offset"]
    offset_param: str = "offset"
    limit_param: str | None = "limit"
    limit: int = Field(100, ge=1)
    total_path: ValuePath | None = Field(None, description="JSONPath of the number of records")


class CursorPagination(Paged):
    """Each answer holds what to send for the next one, and none when it is the last."""

    type: Literal["cursor"]
    cursor_path: ValuePath = Field(description="JSONPath of it, as $.next_cursor or $.data[-1].id")
    cursor_param: str = "cursor"


class LinkHeaderPagination(Paged):
    """The header Link holds the URL of the next page (RFC 8288)."""

    type: Literal["link_header"]
    links_next_key: str = Field("next", description="The relation that leads on")


class NextUrlPagination(Paged):
    """The answer holds the URL of the next page."""

    type: Literal["next_url"]
    next_url_path: ValuePath = Field("$.next", description="JSONPath of the URL")


class ApiIncremental(Frozen):
    """Ask only for records whose cursor field is at or past the greatest one loaded."""

    cursor: str = Field(description="Field of the record that only grows: an id or a time")
    param: str = Field(description="Query parameter that carries it")
    start: str | None = Field(None, description="Value for the first run")


Auth = Annotated[
    NoAuth | BearerAuth | BasicAuth | ApiKeyAuth | OAuth2ClientCredentials,
    Field(discriminator="type"),
]
Pagination = Annotated[
    NoPagination
    | AutoPagination
    | PagePagination
    | OffsetPagination
    | CursorPagination
    | LinkHeaderPagination
    | NextUrlPagination,
    Field(discriminator="type"),
]


class ApiSource(Frozen):
    """Records of a JSON API."""

    type: Literal["api"]
    name: str = Field("", description="Unique; the type when it is the only source of its type")
    url: HttpUrl = Field(description="http:// or https:// address")
    auth: Auth = NoAuth()
    headers: dict[str, SecretStr] = {}
    params: dict[str, Scalar] = {}
    records: RecordsPath = None
    json_: JsonOptions = Field(JsonOptions(), alias="json")
    pagination: Pagination = AutoPagination()
    incremental: ApiIncremental | None = None
    requests_per_second: float | None = Field(
        None, gt=0, le=1000, description="Ask no more often than this"
    )
    timeout: float = Field(
        30, gt=0, le=600, description="Seconds to connect, and between two bytes"
    )
    deadline: float = Field(3600, gt=0, le=604_800, description="Seconds for all pages together")
    max_bytes: int = Field(10_000_000_000, ge=1, description="Bytes of all pages together")

    @property
    def is_readable_on_the_way(self) -> bool:
        """Whether credentials would leave this machine without TLS."""
        has_credentials = self.auth.type != "none" or bool(self.headers)
        urls = (self.url, getattr(self.auth, "access_token_url", self.url))
        hosts = {urlsplit(url).hostname for url in urls if url.startswith("http:")}
        return has_credentials and bool(hosts - {"localhost", "127.0.0.1", "::1"})

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that are named here, in small letters."""
        urls = (self.url, getattr(self.auth, "access_token_url", self.url))
        return frozenset(urlsplit(url).hostname or "" for url in urls)
