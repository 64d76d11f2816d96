"""APIs over TLS: the guard and the deadline hold there, too, and nothing falls back to http."""

from __future__ import annotations

import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chalicelib.errors import SourceError
from tests.extract.server import BEARER, TOKEN, failure, numbers, ok, reader, rows, running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and a certificate for localhost, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def serve_tls(certificate, monkeypatch):
    """Start a server with that certificate, which is trusted."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def start(answer):
        return running(answer, context)

    return start


def test_the_certificate_is_that_of_the_name_and_not_of_the_address(serve_tls):
    with serve_tls(lambda _: ok(numbers(1))) as (url, _):
        assert rows(reader(url)) == [{"id": "1"}]
        assert "its TLS certificate is not accepted" in failure(
            url.replace("localhost", "127.0.0.1"), auth=BEARER
        )


def test_the_guard_stands_before_tls(serve_tls, monkeypatch):
    monkeypatch.setenv("ELT_ALLOW_HOSTS", "")
    with serve_tls(lambda _: ok([])) as (url, seen):
        with pytest.raises(SourceError, match="localhost is in a private network"):
            rows(reader(url, auth=BEARER))
        assert seen == []


def test_a_next_url_without_tls_is_asked_with_it(serve_tls):
    def answer(request):
        plain = url.replace("https:", "http:")
        return ok({"data": [{"id": len(seen)}], "next": None if request.query else plain + "?p=2"})

    with serve_tls(answer) as (url, seen):
        assert len(rows(reader(url, auth=BEARER))) == 2
        assert {request.headers["Authorization"] for request in seen} == {f"Bearer {TOKEN}"}


def test_a_server_that_drips_is_cut_off(serve_tls):
    stop = threading.Event()

    def drip():
        while not stop.is_set():
            yield b" "
            time.sleep(0.05)

    with serve_tls(lambda _: (200, {}, drip())) as (url, _):
        message = failure(url, deadline=1, timeout=10, auth=BEARER)
        stop.set()
    assert "not all could be read within 1 seconds" in message
