"""Which addresses a request may go to: no URL, next page or redirect leads to what is inside."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Iterator

from chalicelib import settings

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

V4_WITHIN_V6 = tuple(map(ipaddress.IPv6Network, ("::/96", "64:ff9b::/96")))
"""Networks whose addresses end in an IPv4 address that they lead to, besides the mapped ones."""


class ForbiddenHostError(Exception):
    """The host is at no address that may be asked."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


class Guard:
    """Lets through what is public, what ELT_ALLOW_HOSTS lists, and the `trusted` hosts."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        allowed = {*settings.allowed_hosts(), *(host.lower() for host in trusted)}
        self._names = allowed
        self._networks = [network for name in allowed if (network := _network(name))]

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to, in the resolver's order.

        Raises ForbiddenHostError when there is none, socket.gaierror for an unknown host.
        """
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except UnicodeError:  # a label that is too long for DNS
            raise socket.gaierror(socket.EAI_NONAME, "no such name") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if host.strip("[]").rstrip(".").lower() in self._names:
            return addresses
        if passed := [address for address in addresses if self._lets_through(address)]:
            return passed
        raise ForbiddenHostError(host)

    def check(self, host: str, port: int) -> None:
        """ForbiddenHostError for a host that must not be asked for by name, through a proxy.

        A name that only the proxy can resolve is left to it.
        """
        try:
            self.addresses(host, port)
        except socket.gaierror:
            return

    def _lets_through(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        return is_public(address) or any(address in network for network in self._networks)


def is_public(address: IpAddress) -> bool:
    """Whether it, and each address it may lead to, is one of the public Internet."""
    return all(one.is_global and not one.is_multicast for one in (address, *_within(address)))


def _within(address: IpAddress) -> Iterator[IpAddress]:
    if isinstance(address, ipaddress.IPv6Address):
        yield from filter(None, (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())))
        if any(address in network for network in V4_WITHIN_V6):
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _network(text: str) -> IpNetwork | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
