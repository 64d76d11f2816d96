"""HTTP with its doors watched: where requests connect to, and what a redirect takes along."""

from __future__ import annotations

import logging
import socket
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from chalicelib.extract.auth import with_param
from chalicelib.extract.deadline import Deadline
from chalicelib.extract.guard import Guard

# At DEBUG it would write down whole URLs, with the key that may be in their query.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

PORTS = {"http": 80, "https": 443}


class Session(requests.Session):
    """Connects only where the guard lets it. Credentials stay with the origin they are for.

    They are in the headers `private` and in the parameter `param` of the query.
    """

    def __init__(
        self, guard: Guard, deadline: Deadline, private: tuple[str, ...], param: str | None
    ) -> None:
        super().__init__()
        self._private = private
        self._param = param
        self.headers["Accept"] = "application/json"
        for scheme in PORTS:
            self.mount(f"{scheme}://", _Adapter(guard, deadline))

    def leads_away(self, url: str, home: str) -> bool:
        """Whether a URL is of another origin; from http to https of a host is no way out."""
        return bool(self.should_strip_auth(home, url))  # type: ignore[no-untyped-call]

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Called by requests before it follows a redirect."""
        asked, leads_to = str(response.request.url), str(prepared_request.url)
        away = self.leads_away(leads_to, asked)
        if away:
            for name in self._private:
                prepared_request.headers.pop(name, None)
        if self._param:
            # The server may repeat the query, or leave the key out, as it likes.
            key = None if away else _value(asked, self._param)
            prepared_request.url = with_param(leads_to, self._param, key)


def _value(url: str, param: str) -> str | None:
    return dict(parse_qsl(urlsplit(url).query)).get(param)


class _Adapter(HTTPAdapter):
    def __init__(self, guard: Guard, deadline: Deadline) -> None:
        self._guard = guard
        self._pools = _pools(guard, deadline)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """A proxy is the choice of those who run this; it must not be a way inside, either."""
        url = str(request.url)
        if select_proxy(url, options.get("proxies")):
            there = urlsplit(url)
            self._guard.check(there.hostname or "", there.port or PORTS[there.scheme])
        response = super().send(request, *args, **options)
        if response.is_redirect:
            response.close()
            response._content = b""  # requests would read all of it, and it may not end
        return response


def _pools(guard: Guard, deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools by scheme, for which urllib3 wants classes."""

    class Plain(_Guarded, HTTPConnection):
        _guard, _deadline = guard, deadline

    class Tls(_Guarded, HTTPSConnection):
        _guard, _deadline = guard, deadline

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}


class _Guarded(HTTPConnection):
    """Connects to an address that was checked, so that no second answer of DNS comes between."""

    _guard: Guard
    _deadline: Deadline

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        addresses = [name] if self.proxy else self._guard.addresses(name, self.port)
        try:
            connection = self._connected(addresses)
        finally:
            self._dns_host = name
        self._deadline.watch(connection, name, self.port)
        return connection

    def _connected(self, addresses: list[str]) -> socket.socket:
        for address in addresses[:-1]:
            self._dns_host = address
            try:
                return super()._new_conn()
            except HTTPError:
                continue
        self._dns_host = addresses[-1]
        return super()._new_conn()
