"""What leaves in the log: no secret, no token, no whole phone number; ids, times and sentences as they were."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from app.log import Redactor, configure_logging, secrets_of
from app.settings import Settings

CODE = "canary-account-code-77"
TOKEN = "canary-cdr-token-abc"


@pytest.fixture
def redactor() -> Redactor:
    return Redactor([CODE, TOKEN, "xyz"])


def logged(redactor: Redactor, **fields: Any) -> dict[str, Any]:
    return dict(redactor(None, "info", {"event": "call.requested", **fields}))


@pytest.mark.parametrize(
    "spelling",
    [
        "0542345678",
        "054-234-5678",
        "054 234 5678",
        "+972542345678",
        "+972-54-234-5678",
        "+972 (54) 234-5678",
        "00972542345678",
        "972542345678",
        "(054) 2345678",
        "054.234.5678",
        "03-512-3456",
        "+1 415-555-2671",
        "+44 20 7946 0958",
        "tel:+972542345678",
        "phone=0542345678&action=call",
        '{"target": "0542345678"}',
        "target='972542345678',",
        "call 0542345678.",
        "٠٥٤٢٣٤٥٦٧٨",
        "054\u2011234\u20115678",
        "0542345678;ext=5",
        "054\u2013234\u20135678",
    ],
)
def test_a_phone_number_in_any_spelling_is_masked(redactor: Redactor, spelling: str) -> None:
    """At most the last three digits stay."""
    line = logged(redactor, why=f"refused {spelling} today")["why"]
    digits = "".join(str(int(letter)) for letter in line if letter.isdecimal())
    assert len(digits) <= 4, line
    assert line.startswith("refused ")
    assert line.endswith(" today")


def test_ids_times_and_sizes_are_left_alone(redactor: Redactor) -> None:
    kept = {
        "lead_id": "01a2090b-ed14-777e-bfe9-3a66e5e05ab9",
        "attempt_id": "01900000-0000-7000-8000-000000000000",
        "request_id": "12345678901234567890",
        "call_id": "202601051234567890",
        "timestamp": "2026-01-05T10:00:00.123456Z",
        "level": "info",
        "logger": "leadring",
        "version": "0.1.0",
        "ms": 1234567890,
        "status": 202,
        "seconds": 12.345,
        "moment": "2026-01-05T10:00:00Z",
        "lead_ids": ["01a2090b-ed14-777e-bfe9-3a66e5e05ab9"],
        "word": "01a2090b-ed14-777e-bfe9-3a66e5e05ab9",
        "nothing": None,
        "flag": True,
    }
    line = logged(redactor, **kept)
    assert {name: line[name] for name in kept} == kept


def test_secrets_are_nowhere(redactor: Redactor) -> None:
    """In any field, inside other text, in lists and objects, as part of an address; even in ids and the event."""
    line = logged(
        redactor,
        why=f"code={CODE}&x=1",
        request_id=f"x{TOKEN}x",
        body={"code": CODE, "deep": [TOKEN]},
        tuple=(CODE,),
        error=RuntimeError(f"GET https://api/?code={CODE}"),
        raw=f"{CODE}".encode(),
    )
    line |= redactor(None, "info", {"event": f"failed with {CODE}"})
    assert CODE not in str(line)
    assert TOKEN not in str(line)
    assert CODE not in repr(line)


def test_the_longer_secret_goes_first_and_short_words_are_no_secrets() -> None:
    redactor = Redactor(["abcd", "abcdefgh", "xyz", ""])
    assert redactor.clean("abcdefgh abcd xyz") == "*** *** xyz"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/v1/voicenter/cdr/s3cr3t-t0ken", "/v1/voicenter/cdr/***"),
        ("POST /v1/voicenter/cdr/s3cr3t-t0ken HTTP/1.1", "POST /v1/voicenter/cdr/*** HTTP/1.1"),
        ("/v1/hooks/elementor-main/s3cr3t-t0ken", "/v1/hooks/elementor-main/***"),
        ("/v1/hooks/elementor-main/s3cr3t-t0ken?x=1", "/v1/hooks/elementor-main/***?x=1"),
        ("/v1/leads/0192?token=s3cr3t-t0ken", "/v1/leads/0192?token=***"),
        ("/v1/leads/0192?a=1&token=s3cr3t-t0ken&b=2", "/v1/leads/0192?a=1&token=***&b=2"),
        ("https://x/click2call.aspx?CODE=s3cr3t-t0ken&phone=1", "https://x/click2call.aspx?CODE=***&phone=1"),
        ("/f/main/thanks?lead=1&token=s3cr3t-t0ken", "/f/main/thanks?lead=1&token=***"),
    ],
)
def test_tokens_in_addresses_are_masked(redactor: Redactor, path: str, kept: str) -> None:
    assert redactor.clean(path) == kept
    assert logged(redactor, path=path)["path"] == kept
    assert redactor(None, "info", {"event": path})["event"] == kept


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The real set-up, writing JSON into a buffer; put back as it was afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    others = {n: logging.getLogger(n) for n in ("httpx", "httpcore", "alembic", "slowapi", "uvicorn", "uvicorn.error")}
    levels = {n: (one.level, one.handlers[:], one.propagate) for n, one in others.items()}
    access = logging.getLogger("uvicorn.access")
    disabled = access.disabled
    buffer = io.StringIO()
    monkeypatch.setattr("sys.stderr", buffer)
    configure_logging(form="json", level="debug", secrets=[CODE, TOKEN])
    yield buffer
    structlog.reset_defaults()
    root.handlers[:], root.level = before, level
    for n, one in others.items():
        one.level, one.handlers[:], one.propagate = levels[n]
    access.disabled = disabled


def told(buffer: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in buffer.getvalue().split("\n") if line]


def test_every_line_is_one_json_object(written: io.StringIO) -> None:
    """Ours and everybody else's, with Hebrew, line breaks, surrogates, bytes and strange objects in it."""
    log = structlog.get_logger("leadring.test")
    log.info("lead.received", name="נועה", text="a\nb\r\n\u2028c", odd=object(), raw=b"\xff", n=float("inf"))
    log.warning("two", lead_id="x", nested={"a": [1, {"b": None}]})
    logging.getLogger("uvicorn.error").error("broken %s", "pipe")
    logging.getLogger("asyncio").warning("slow %d", 5, extra={"phone": "0542345678"})
    lines = told(written)
    assert [line["event"] for line in lines] == ["lead.received", "two", "broken pipe", "slow 5"]
    for line in lines:
        assert {"level", "logger", "timestamp"} <= set(line)
    assert lines[0]["name"] == "נועה"
    assert "0542345678" not in written.getvalue()


def test_a_servers_line_is_not_said_twice_with_escape_codes(written: io.StringIO) -> None:
    """uvicorn gives its coloured text along as an extra field."""
    logging.getLogger("uvicorn.error").error("running", extra={"color_message": "\x1b[1mrunning\x1b[0m", "port": 8000})
    (line,) = told(written)
    assert "color_message" not in line
    assert (line["event"], line["port"]) == ("running", 8000)


def test_a_traceback_shows_neither_secrets_nor_phones(written: io.StringIO) -> None:
    """Exceptions of ours and of libraries, with what they say and what stood in their locals."""
    phone = "0542345678"

    def dial(code: str, target: str) -> None:
        raise RuntimeError(f"https://api/?code={code}&target={target}")

    for log in (structlog.get_logger("leadring"), logging.getLogger("library")):
        try:
            dial(CODE, phone)
        except RuntimeError:
            log.exception("dial.failed")
    for line in told(written):
        assert "RuntimeError" in line["exception"]
        assert "dial(CODE, phone)" in line["exception"], "the lines of code are there, the values are not"
    assert CODE not in written.getvalue()
    assert phone not in written.getvalue()


def test_libraries_that_print_addresses_are_quiet(written: io.StringIO) -> None:
    """httpx tells whole addresses at INFO, and a provider GET holds the account code."""
    for name in ("httpx", "httpcore.connection", "alembic", "slowapi"):
        logging.getLogger(name).info("GET https://api/?code=whatever")
    logging.getLogger("uvicorn.access").info("GET /v1/leads?token=x")
    assert written.getvalue() == ""


def test_a_dead_redis_is_one_line_not_a_traceback_for_every_request(written: io.StringIO) -> None:
    def fail(error: Exception) -> None:
        try:
            raise error
        except type(error):
            logging.getLogger("slowapi").exception("Failed to rate limit. Swallowing error")

    for _ in range(50):
        fail(TimeoutError("redis"))
    fail(ConnectionError("redis"))
    logging.getLogger("slowapi").warning("Rate limit recovered")
    assert [(line["event"], "exception" in line) for line in told(written)] == [
        ("Failed to rate limit. Swallowing error: TimeoutError", False),
        ("Failed to rate limit. Swallowing error: ConnectionError", False),
        ("Rate limit recovered", False),
    ]


def test_the_secrets_of_the_settings_are_all_found(tmp_path: Any) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/x.db",
        voicenter_code=SecretStr("code-code-code-1"),
        voicenter_cdr_token=SecretStr("cdr-token-cdr-token"),
        admin_token=SecretStr("admin-token-admin-token"),
        metrics_token=SecretStr("metrics-token-metrics"),
        secret_key=SecretStr("key-key-secret-key-1"),
    )
    assert set(secrets_of(settings)) == {
        "code-code-code-1",
        "cdr-token-cdr-token",
        "admin-token-admin-token",
        "metrics-token-metrics",
        "key-key-secret-key-1",
    }
    assert "code-code" not in repr(settings)


def test_the_database_password_is_a_secret_too(tmp_path: Any) -> None:
    """It stands in an address, and drivers like to quote addresses."""
    settings = Settings(
        database_url="postgresql://leadring:canary-password@db/leadring",
        rate_limit_url="redis://:canary-redis@cache:6379/0",
        voicenter_code=SecretStr(CODE),
    )
    redactor = Redactor(secrets_of(settings))
    assert "canary-password" not in redactor.clean("cannot reach postgresql://leadring:canary-password@db/leadring")
    assert "canary-redis" not in redactor.clean("cannot reach redis://:canary-redis@cache:6379/0")
