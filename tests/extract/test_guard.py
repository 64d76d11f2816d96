"""Requests go to public addresses, and elsewhere only where somebody allowed it."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from chalicelib.config import load_config, parse_config
from chalicelib.errors import SourceError
from chalicelib.extract import guard, to_dataframe
from chalicelib.extract.guard import ForbiddenHostError, Guard, is_public
from tests.extract.server import TOKEN, always, numbers, ok, reader, rows


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
    ],
)
def test_addresses_inside_are_not_public_however_they_are_written(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_other_addresses_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.fixture
def nothing_allowed(monkeypatch):
    monkeypatch.setenv("ELT_ALLOW_HOSTS", "")


def resolving(monkeypatch, *addresses):
    """Let every name lead to these addresses; how often it was asked."""
    asked = []

    def resolve(host, port, **_):
        asked.append(host)
        return [(None, None, None, "", (address, port)) for address in addresses]

    monkeypatch.setattr(guard.socket, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.0/8, other.example", "127.0.0.1"),
        ("LocalHost", "localhost"),
    ],
)
def test_the_allow_list_takes_names_addresses_and_networks(monkeypatch, allowed, host):
    monkeypatch.setenv("ELT_ALLOW_HOSTS", allowed)
    assert "127.0.0.1" in Guard().addresses(host, 80)


@pytest.mark.parametrize("allowed", ["", "10.0.0.0/8", "localhost.example", "no network/8"])
def test_what_is_not_on_it_is_refused(monkeypatch, allowed):
    monkeypatch.setenv("ELT_ALLOW_HOSTS", allowed)
    with pytest.raises(ForbiddenHostError):
        Guard().addresses("127.0.0.1", 80)


def test_a_name_is_connected_to_at_its_public_addresses_only(nothing_allowed, monkeypatch):
    resolving(monkeypatch, "10.0.0.1", "8.8.8.8", "::1")
    assert Guard().addresses("both.example", 443) == ["8.8.8.8"]


@pytest.mark.parametrize("host", ["x" * 300, "no-such-host.invalid"])
def test_a_name_that_cannot_be_resolved_is_unknown(host):
    with pytest.raises(socket.gaierror):
        Guard().addresses(host, 80)


@pytest.mark.parametrize(
    "written", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0", "[::ffff:7f00:1]"]
)
def test_this_machine_is_not_asked_whatever_it_is_called(serve, nothing_allowed, written):
    url, seen = serve(always())
    with pytest.raises(SourceError, match="is in a private network, where requests must not go"):
        rows(reader(url.replace("127.0.0.1", written), auth={"type": "bearer", "token": TOKEN}))
    assert seen == []


def test_a_redirect_inside_is_not_followed(serve, monkeypatch):
    inside, seen = serve(always())
    url, _ = serve(always(302, b"", Location=inside.replace("127.0.0.1", "127.0.0.2")))
    with pytest.raises(SourceError, match=r"/v1/orders: 127\.0\.0\.2 is in a private network"):
        rows(reader(url))
    assert seen == []


def test_a_next_page_inside_is_not_read(serve):
    url, _ = serve(lambda _: ok({"data": numbers(1), "next": "http://169.254.169.254/latest"}))
    with pytest.raises(SourceError, match=r"169\.254\.169\.254 is in a private network"):
        rows(reader(url))


def test_a_token_endpoint_inside_is_not_asked(serve):
    url, _ = serve(always())
    auth = {
        "type": "oauth2_client_credentials",
        "access_token_url": "http://127.0.0.2/token",
        "client_id": "me",
        "client_secret": TOKEN,
    }
    with pytest.raises(SourceError, match=r"^http://127\.0\.0\.2/token: 127\.0\.0\.2 is in"):
        rows(reader(url, auth=auth))


def test_the_address_that_was_checked_is_the_one_connected_to(serve, monkeypatch):
    """A name that leads elsewhere when it is asked again would get past a check of its own."""
    url, seen = serve(always())
    asked = []
    real = socket.getaddrinfo

    def rebinding(host, port, *args, **options):
        if host != "api.example":
            return real(host, port, *args, **options)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    rows(reader(url.replace("127.0.0.1", "api.example")))
    assert asked == ["api.example"]
    assert seen[0].headers["Host"].startswith("api.example:")


def test_a_second_address_is_tried_when_the_first_does_not_answer(serve, monkeypatch):
    monkeypatch.setenv("ELT_ALLOW_HOSTS", "127.0.0.0/8")
    url, seen = serve(always())
    real = socket.getaddrinfo

    def two(host, port, *args, **options):
        if host != "api.example":
            return real(host, port, *args, **options)
        return [*real("127.0.0.9", port, **options), *real("127.0.0.1", port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    rows(reader(url.replace("127.0.0.1", "api.example")))
    assert len(seen) == 1


def test_hosts_of_a_persons_own_file_may_be_inside_and_what_they_lead_to_may_not(
    serve, nothing_allowed
):
    inside, at_inside = serve(always())
    answers = [ok(numbers(1)), (302, {"Location": inside.replace("127.0.0.1", "127.0.0.2")}, b"")]
    url, _ = serve(lambda _: answers.pop(0))
    assert len(rows(reader(url, is_own=True))) == 1
    with pytest.raises(SourceError, match=r"127\.0\.0\.2 is in a private network"):
        rows(reader(url, is_own=True))
    assert at_inside == []


def test_a_file_is_a_persons_own_and_an_uploaded_text_is_not(serve, nothing_allowed, tmp_path):
    url, _ = serve(always(body=b'[{"id": 1}]'))
    path = tmp_path / "config.yaml"
    path.write_text(f"sources: [{{type: api, url: '{url}'}}]\ntarget: {{table: t}}")
    assert len(to_dataframe(load_config(path))) == 1
    with pytest.raises(SourceError, match="is in a private network"):
        to_dataframe(parse_config(path.read_text(), {}))


def test_a_proxy_is_no_way_inside(serve, nothing_allowed, monkeypatch):
    proxy, at_proxy = serve(always(body=b'[{"id": 1}]'))
    monkeypatch.setenv("http_proxy", proxy.removesuffix("/v1/orders"))
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(SourceError, match=r"169\.254\.169\.254 is in a private network"):
        rows(reader("http://169.254.169.254/latest"))
    assert at_proxy == []
    assert rows(reader("http://api.invalid/v1")) == [{"id": "1"}]
    assert at_proxy[0].path == "http://api.invalid/v1"
