"""Logging: events with fields, JSON for machines and colours for people; phones masked, secrets never.

One processor chain serves our own lines and everybody else's. Libraries that print whole URLs are silenced
(httpx logs them at INFO, and a provider GET holds the account code), and a last processor redacts what
slipped through: values of secret settings, and runs of digits that could be a phone number.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterable, MutableMapping
from functools import partial
from typing import Any, Literal, TextIO
from urllib.parse import urlsplit

import structlog

EventDict = MutableMapping[str, Any]
_NUMBER = re.compile(r"(?<![\w-])\+?\d[\d\-\u2010-\u2015\s().]{6,18}\d(?![\w-])")
APART = 10.0  # seconds in which a library's line is written once
_DIGITS = 9  # fewer are no phone number
_NEVER_MASKED = frozenset({"timestamp", "lead_id", "attempt_id", "request_id", "call_id", "event", "level", "logger"})
_TOKEN_IN_PATH = re.compile(r"(/v1/(?:hooks/[^/\s]+|voicenter/cdr)/)[^/?\s]+")
_TOKEN_IN_QUERY = re.compile(r"([?&](?:token|code)=)[^&\s]+", re.IGNORECASE)


class Redactor:
    """Takes secrets and phone numbers out of every value of a log line, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)

    def __call__(self, _logger: Any, _method: str, line: EventDict) -> EventDict:
        for key, value in line.items():
            if isinstance(value, str):
                line[key] = self.clean(value, numbers=key not in _NEVER_MASKED)
            elif value is not None and not isinstance(value, bool | int | float) and key != "lead_ids":
                line[key] = self.clean(repr(value), numbers=True)
        return line

    def clean(self, text: str, *, numbers: bool = True) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        # Every value of every line comes here: what a word must have to match is looked for first.
        if "/v1/" in text:
            text = _TOKEN_IN_PATH.sub(r"\1***", text)
        if "=" in text:
            text = _TOKEN_IN_QUERY.sub(r"\1***", text)
        return _NUMBER.sub(_mask, text) if numbers and len(text) >= _DIGITS else text


def _mask(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    return match.group() if len(digits) < _DIGITS else f"•••{digits[-3:]}"


class _Line:
    """Where our own lines end: standard error, under the name that get_logger was given."""

    def __init__(self, stream: TextIO, name: str = "leadring") -> None:
        self.name = name
        self._stream = stream

    def msg(self, line: str) -> None:
        self._stream.write(line + "\n")

    debug = info = warning = warn = error = critical = exception = log = msg


class Brief(logging.Filter):
    """A library's exceptions in one line each, without traceback, and each wording at most once in ten seconds.

    slowapi writes a traceback for every request for as long as its Redis is away; the first line says it all.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or record.exc_info[0] is None:
            return True
        line = f"{record.getMessage()}: {record.exc_info[0].__name__}"
        now = time.monotonic()
        if now - self._told.get(line, -APART) < APART:
            return False
        self._told[line] = now
        record.msg, record.args, record.exc_info = line, (), None
        return True


def _add_name(logger: Any, _method: str, line: EventDict) -> EventDict:
    record = line.get("_record")
    line["logger"] = record.name if record is not None else logger.name
    return line


_JSON = json.JSONEncoder(ensure_ascii=False, default=repr)  # json.dumps would make one for each line


def _as_json(line: EventDict, **_options: Any) -> str:
    return _JSON.encode(line)


def _without_colours(_logger: Any, _method: str, line: EventDict) -> EventDict:
    line.pop("color_message", None)  # uvicorn's, the same once more with escape codes
    return line


def configure_logging(
    *, form: Literal["json", "console"] | None = None, level: str = "info", secrets: Iterable[str] = ()
) -> None:
    """Set up logging for the process. `form` None means console on a terminal and JSON otherwise."""
    as_json = form == "json" or (form is None and not sys.stderr.isatty())
    renderer: Any = (
        structlog.processors.JSONRenderer(_as_json)
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _add_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [structlog.processors.format_exc_info, Redactor(secrets), renderer]
    # Our own lines go straight to the stream: the way through the standard library costs several times as much.
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=partial(_Line, sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _without_colours],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "alembic", "slowapi"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("slowapi").filters[:] = [Brief()]
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def secrets_of(settings: Any) -> list[str]:
    """Every secret value of the settings, for the redactor: also the passwords inside addresses."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    passwords = [urlsplit(value).password for value in values if isinstance(value, str) and "://" in value]
    secrets = [value.get_secret_value() for value in values if hasattr(value, "get_secret_value")]
    return secrets + [password for password in passwords if password]
