"""A call to place, and a certificate the tests made themselves."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.ports import CallRequest
from app.voicenter.click2call import Click2Call

CODE = "S3cret-Account-Code/42"


@pytest.fixture
def call() -> CallRequest:
    return CallRequest(
        lead_id="0192aaaa-lead",
        attempt_id="0192bbbb-attempt",
        extension="KGpK4iWq",
        lead_phone="+972501234567",
        ring_agent=20,
        ring_lead=30,
        max_duration=7200,
    )


@pytest.fixture
def client() -> Callable[..., Click2Call]:
    """Makes a client; the test closes it."""

    def make(url: str, **settings: object) -> Click2Call:
        return Click2Call(**{"url": url, "code": CODE, "version": "0.0.0", "timeout": 5.0, **settings})  # type: ignore[arg-type] # the tests' own keywords

    return make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, and its key."""
    place = tmp_path_factory.mktemp("certificate")
    cert, key = place / "cert.pem", place / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", str(cert), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    return cert, key


@pytest.fixture
def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def trusting(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """A client's context that trusts the tests' certificate only."""
    return ssl.create_default_context(cafile=str(certificate[0]))
