"""Settings from the environment, `.env` and `/run/secrets`: typed, bounded, and refused all at once when wrong.

`load_settings` is the one place that reads them; `Settings(...)` itself reads nothing, so a test says what it
means. No message ever repeats a value: a secret pasted into the wrong setting must not reach a log.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.errors import ConfigurationError

PREFIX = "LEADRING_"
MIN_TOKEN = 16  # characters
MAX_SECRET_FILE = 64 * 1024  # bytes
NOT_SETTINGS = frozenset(PREFIX + name for name in ("FAULT", "FAULTS_ALLOWED", "CHROMIUM", "PORT", "CONTAINER_CACHE"))
# A Kubernetes service called "leadring…" puts these into every container of its namespace; nobody typed them.
_SERVICE_LINK = re.compile(rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_SERVICE_LINK_PORT = re.compile(rf"{PREFIX}(\w+_)?PORT")
_PLACEHOLDER = re.compile(
    r"(change[-_ ]?(me|it)|your[-_ ]|(insert|put|replace|enter)[-_ ]).*"
    r"|<.*>|\$\{.*|[x*.]{3,}",
    re.IGNORECASE,
)
_SECRETS = ("voicenter_code", "voicenter_cdr_token", "admin_token", "metrics_token", "secret_key")
_VOICENTER_URLS = (
    "voicenter_url",
    "voicenter_monitor_url",
    "voicenter_extensions_url",
    "voicenter_call_log_url",
)
_MAY_BE_EMPTY = ("voicenter_monitor_url", "voicenter_call_log_url")


class Settings(BaseSettings):
    """What the process is told from outside. Times are seconds; frozen; its repr shows no secret."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False
    )

    config: Path = Path("leadring.toml")
    database_url: str = Field(default="sqlite:///leadring.db", repr=False)  # may hold a password, as may the next
    rate_limit_url: str = Field(default="memory://", repr=False)
    public_url: str | None = None
    voicenter_code: SecretStr | None = None
    voicenter_url: str = "https://api.voicenter.com/ForwardDialer/click2call.aspx"
    voicenter_monitor_url: str = "https://monapisec.voicenter.co.il/comet/API"
    voicenter_extensions_url: str = "https://monitor.voicenter.co.il/Comet/api/GetExtensions"
    voicenter_call_log_url: str = "https://api.voicenter.com/hub/cdr/"
    voicenter_cdr_token: SecretStr | None = None
    voicenter_method: Literal["post", "get"] = "post"
    voicenter_format: Literal["json", "xml"] = "json"
    voicenter_timeout: float = 12.0
    admin_token: SecretStr | None = None
    metrics_token: SecretStr | None = None
    secret_key: SecretStr | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1",)
    log_format: Literal["json", "console"] | None = None
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @property
    def voicenter_connect_timeout(self) -> float:
        """Seconds of `voicenter_timeout` that connecting may take."""
        return min(3.0, self.voicenter_timeout)

    @field_validator("config", mode="before")
    @classmethod
    def _config(cls, value: object) -> object:
        if not str(value).strip():
            raise ValueError("is empty; give the path of leadring.toml, or remove it for ./leadring.toml")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        url = _split(value)
        if url.scheme == "sqlite":
            path = value.removeprefix("sqlite:///")
            if value == path or not path or ":memory:" in value or "mode=memory" in value:
                raise ValueError(
                    "must name a file, as in sqlite:///leadring.db (four slashes for an absolute path); "
                    "a database in memory would lose leads"
                )
        elif url.scheme != "postgresql":
            raise ValueError("must begin with sqlite:/// or postgresql:// (write just that, without a driver)")
        elif len(url.path) < 2:
            raise ValueError("names no database; write postgresql://user:password@host/database")
        return value

    @field_validator("rate_limit_url")
    @classmethod
    def _rate_limit_url(cls, value: str) -> str:
        url = _split(value)
        if value != "memory://" and not (url.scheme in ("redis", "rediss") and url.hostname):
            raise ValueError("must be memory:// or redis://host:6379/0")
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str | None) -> str | None:
        return _web_address(value).geturl().rstrip("/") if value else None

    @field_validator(*_VOICENTER_URLS)
    @classmethod
    def _voicenter_url(cls, value: str) -> str:
        if not value:
            return value  # whether it may be empty depends on the name; the next validator knows it
        url = _web_address(value)
        if url.scheme == "http" and not _is_loopback(url.hostname or ""):
            raise ValueError("must begin with https://; plain http would carry the account code in the clear")
        return value

    @field_validator(*(name for name in _VOICENTER_URLS if name not in _MAY_BE_EMPTY))
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("is empty; give an address, or remove it for the default")
        return value

    @field_validator("voicenter_timeout", mode="before")
    @classmethod
    def _timeout(cls, value: object) -> float:
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = math.nan
        if not 1 <= seconds <= 60:  # false for NaN as well
            raise ValueError("must be a number of seconds from 1 to 60")
        return seconds

    @field_validator("voicenter_method", "voicenter_format", "log_format", "log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("log_format", mode="before")
    @classmethod
    def _log_format(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _trusted_proxies(cls, value: object) -> tuple[str, ...]:
        entries = re.split(r"[,\s]+", value) if isinstance(value, str) else value
        if not isinstance(entries, (list, tuple)):
            raise ValueError("must be addresses or networks, as in 127.0.0.1, 10.0.0.0/8")
        return tuple(_proxy(str(entry), place) for place, entry in enumerate(filter(None, entries), 1))

    @field_validator(*_SECRETS, mode="before")
    @classmethod
    def _secret(cls, value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            return value
        text = text.strip()
        if _PLACEHOLDER.fullmatch(text):
            raise ValueError("still holds a placeholder; put the real value there")
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("holds a space or an unusual character; check how it was pasted")
        return SecretStr(text)

    @field_validator("voicenter_cdr_token")
    @classmethod
    def _fits_a_path(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"[A-Za-z0-9._~-]+", value.get_secret_value()):
            raise ValueError("is part of a web address: use only letters, digits, dot, dash, underscore and tilde")
        return value


def weak_secrets(settings: Settings) -> list[str]:
    """Warnings about secrets of our own choosing that could be guessed; they work, but should not stay."""
    return [
        f"{PREFIX}{name.upper()} is easy to guess; better are {MIN_TOKEN} random characters (openssl rand -hex 24)"
        for name in _SECRETS
        if name != "voicenter_code" and _is_weak(getattr(settings, name))
    ]


def _is_weak(value: SecretStr | None) -> bool:
    text = value.get_secret_value() if value else None
    return text is not None and (len(text) < MIN_TOKEN or len(set(text)) < 4)


def load_settings(
    env: Mapping[str, str] | None = None,
    *,
    env_file: Path | None = Path(".env"),
    secrets_dir: Path | None = Path("/run/secrets"),
    need_code: bool = True,
) -> Settings:
    """Read the settings: the environment first, then `env_file`, then one file per name in `secrets_dir`.

    `env` replaces the process's environment. A missing file or directory is no mistake. With `need_code` the
    account code must be there. Raises ConfigurationError with every mistake; no message repeats a value.
    """
    mistakes: list[str] = []
    given: dict[str, str] = {}
    sources = (
        ("the environment", dict(os.environ if env is None else env)),
        (str(env_file), _read_env_file(env_file, mistakes)),
        (str(secrets_dir), _read_secrets(secrets_dir, mistakes)),
    )
    for origin, values in sources:
        for name, value in _own(values, origin, mistakes).items():
            given.setdefault(name, value)
    known: dict[str, Any] = {name: value for name, value in given.items() if name in Settings.model_fields}
    try:
        settings = Settings(**known)
    except ValidationError as error:
        mistakes.extend(_in_words(problem) for problem in error.errors(include_input=False, include_url=False))
    if need_code and "voicenter_code" not in given:
        mistakes.append(f"{PREFIX}VOICENTER_CODE is missing: the account code that Voicenter's back office gives out")
    if mistakes:
        raise ConfigurationError(mistakes)
    return settings


def _own(values: Mapping[str, str], origin: str, mistakes: list[str]) -> dict[str, str]:
    """The settings among `values` by field name; foreign names pass, misspelt or harmful ones do not."""
    own: dict[str, str] = {}
    for given_name, value in values.items():
        name = given_name.upper()
        if name.startswith("RATELIMIT_"):
            mistakes.append(
                f"{given_name} (in {origin}) would silently override the limits in leadring.toml; remove it"
            )
        if not name.startswith(PREFIX) or _is_foreign(name, value):
            continue
        field = name.removeprefix(PREFIX).lower()
        if field not in Settings.model_fields:
            near = difflib.get_close_matches(field, Settings.model_fields, n=1, cutoff=0.5)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
            mistakes.append(f"{given_name} (in {origin}) is not a setting{hint}")
        elif field in own and own[field] != value.strip():
            mistakes.append(f"{name} stands twice in {origin}, with different values")
        if value.strip() or field not in _SECRETS:  # an empty secret is one that is not set
            own[field] = value.strip()
    return own


def _is_foreign(name: str, value: str) -> bool:
    """True for names that carry our prefix and are not meant for us."""
    if name in NOT_SETTINGS or _SERVICE_LINK.fullmatch(name):
        return True
    return bool(_SERVICE_LINK_PORT.fullmatch(name)) and value.startswith(("tcp://", "udp://", "sctp://"))


def _read_env_file(path: Path | None, mistakes: list[str]) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    try:
        source = DotEnvSettingsSource(Settings, env_file=path, env_file_encoding="utf-8-sig", case_sensitive=True)
    except (OSError, UnicodeDecodeError):
        mistakes.append(f"{path} cannot be read as UTF-8 text")
        return {}
    return {name: value or "" for name, value in source.env_vars.items()}


def _read_secrets(directory: Path | None, mistakes: list[str]) -> dict[str, str]:
    if directory is None or not directory.is_dir():
        return {}
    found: dict[str, str] = {}
    try:
        files = sorted(path for path in directory.iterdir() if path.name.upper().startswith(PREFIX))
    except OSError:
        mistakes.append(f"{directory} cannot be read")
        return {}
    for path in files:
        try:
            with path.open("rb") as file:
                content = file.read(MAX_SECRET_FILE + 1)
            if len(content) > MAX_SECRET_FILE:
                raise ValueError("too long")
            found[path.name] = content.decode("utf-8-sig")
        except (OSError, ValueError):
            mistakes.append(f"{path} cannot be read as a short UTF-8 text file")
    return found


def _in_words(problem: Mapping[str, Any]) -> str:
    """One pydantic error as a sentence that names the setting and never its value."""
    name = PREFIX + "_".join(str(part) for part in problem["loc"][:1]).upper()
    context = problem.get("ctx", {})
    if problem["type"] == "value_error":
        return f"{name} {context['error']}"
    if problem["type"] == "literal_error":
        return f"{name} must be {context['expected'].replace(chr(39), '')}"
    return f"{name} is not usable: {problem['msg']}"


def _split(value: str) -> SplitResult:
    try:
        url = urlsplit(value)
        _ = url.port  # asking raises ValueError when it is not a port
    except ValueError:
        raise ValueError("is not a web address") from None
    return url


def _web_address(value: str) -> SplitResult:
    """An http(s) address with a host, and without a user, query or fragment."""
    url = _split(value)
    if url.scheme not in ("http", "https") or not url.hostname or re.search(r"\s", value):
        raise ValueError("must be a whole web address that begins with https:// (or http://) and names a host")
    if "@" in url.netloc or url.query or url.fragment:
        raise ValueError("must not hold a user name, a question mark or a #; secrets have settings of their own")
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _proxy(entry: str, place: int) -> str:
    """One trusted address or network in its canonical spelling (uvicorn takes a malformed one literally)."""
    everyone = f'entry {place} would trust everybody, so that anyone could forge their address; "*" is refused'
    if entry == "*":
        raise ValueError(everyone)
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        raise ValueError(f"entry {place} is neither an address nor a network, as in 127.0.0.1 or 10.0.0.0/8") from None
    if network.prefixlen < (8 if network.version == 4 else 16):
        raise ValueError(everyone)
    return str(network) if "/" in entry else str(network.network_address)
