"""Settings: read from three places, refused all at once, and no value ever repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app.errors import ConfigurationError
from app.settings import PREFIX, Settings, load_settings, weak_secrets

CODE = {"LEADRING_VOICENTER_CODE": "k3yFromTheBackOffice"}
LONG = "p9Qz-4mVt_77Lw.xKd2"


def load(env: dict[str, str] | None = None, **more: Path | bool | None) -> Settings:
    env_file, secrets_dir = more.get("env_file"), more.get("secrets_dir")
    assert not isinstance(env_file, bool)
    assert not isinstance(secrets_dir, bool)
    return load_settings(
        CODE | (env or {}),
        env_file=env_file,
        secrets_dir=secrets_dir,
        need_code=more.get("need_code") is not False,
    )


def mistakes(env: dict[str, str], **more: Path | bool | None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(env, **more)
    return caught.value.mistakes


def test_the_account_code_alone_is_enough() -> None:
    settings = load()
    assert settings.voicenter_code is not None
    assert settings.voicenter_code.get_secret_value() == "k3yFromTheBackOffice"
    assert settings.database_url == "sqlite:///leadring.db"
    assert settings.trusted_proxies == ("127.0.0.1",)
    assert settings.log_format is None


def test_without_the_code_only_those_who_need_no_provider_start() -> None:
    assert load_settings({}, env_file=None, secrets_dir=None, need_code=False).voicenter_code is None
    with pytest.raises(ConfigurationError, match="LEADRING_VOICENTER_CODE is missing"):
        load_settings({}, env_file=None, secrets_dir=None)


def test_the_environment_goes_before_env_file_before_secrets(tmp_path: Path) -> None:
    env_file, secrets = tmp_path / ".env", tmp_path / "secrets"
    secrets.mkdir()
    env_file.write_text("LEADRING_CONFIG=from-env-file.toml\nLEADRING_LOG_LEVEL='debug'\nOTHER=1\n")
    (secrets / "leadring_admin_token").write_text(LONG + "\n")
    (secrets / "LEADRING_LOG_LEVEL").write_text("error\n")
    (secrets / "..data").mkdir()
    (secrets / "somebody_else").write_bytes(b"\xff")
    settings = load({"LEADRING_CONFIG": "from-environment.toml"}, env_file=env_file, secrets_dir=secrets)
    assert settings.config == Path("from-environment.toml")
    assert settings.log_level == "debug"
    assert settings.admin_token == SecretStr(LONG)


def test_missing_places_are_no_mistake_and_no_warning(tmp_path: Path) -> None:
    load(env_file=tmp_path / "no.env", secrets_dir=tmp_path / "none")


def test_nothing_outside_is_read_by_the_class_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADRING_LOG_LEVEL", "error")
    assert Settings().log_level == "info"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADRING_LOG_LEVEL", "error")
    assert load_settings(env_file=None, secrets_dir=None, need_code=False).log_level == "error"


def test_a_misspelt_name_is_refused_with_the_nearest_one_wherever_it_stands(tmp_path: Path) -> None:
    env_file, secrets = tmp_path / ".env", tmp_path / "secrets"
    secrets.mkdir()
    env_file.write_text("LEADRING_DATABASE=x\n")
    (secrets / "leadring_admin_tokn").write_text("x")
    found = "\n".join(mistakes({"LEADRING_VOICENTR_URL": "x"}, env_file=env_file, secrets_dir=secrets))
    assert "LEADRING_VOICENTR_URL (in the environment) is not a setting; did you mean LEADRING_VOICENTER_URL?" in found
    assert "did you mean LEADRING_DATABASE_URL?" in found
    assert "did you mean LEADRING_ADMIN_TOKEN?" in found


def test_names_of_the_test_bench_and_of_kubernetes_are_tolerated() -> None:
    load(
        {
            "LEADRING_FAULT": "intake.after_accept",
            "LEADRING_FAULTS_ALLOWED": "yes",
            "LEADRING_CHROMIUM": "/usr/bin/chromium",
            "LEADRING_PORT": "8000",
            "LEADRING_CONTAINER_CACHE": "x",
            "LEADRING_SERVICE_HOST": "10.0.0.1",
            "LEADRING_SERVICE_PORT_HTTP": "80",
            "LEADRING_PORT_8000_TCP_ADDR": "10.0.0.1",
            "LEADRING_REDIS_PORT": "tcp://10.0.0.2:6379",
            "PATH": "/bin",
        }
    )


def test_a_port_that_somebody_typed_is_not_a_kubernetes_link() -> None:
    assert "LEADRING_REDIS_PORT" in mistakes({"LEADRING_REDIS_PORT": "6379"})[0]


def test_every_mistake_is_told_at_once() -> None:
    found = mistakes({"LEADRING_LOG_LEVEL": "loud", "LEADRING_VOICENTER_TIMEOUT": "99", "LEADRING_NOPE": "1"})
    assert len(found) == 3


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("VOICENTER_METHOD", "put", "must be post or get"),
        ("VOICENTER_FORMAT", "yaml", "must be json or xml"),
        ("LOG_FORMAT", "pretty", "must be json or console"),
        ("VOICENTER_TIMEOUT", "0.5", "from 1 to 60"),
        ("VOICENTER_TIMEOUT", "nan", "from 1 to 60"),
        ("VOICENTER_TIMEOUT", "soon", "from 1 to 60"),
        ("VOICENTER_URL", "http://api.voicenter.com/x", "https"),
        ("VOICENTER_URL", "", "is empty"),
        ("VOICENTER_URL", "https://", "names a host"),
        ("VOICENTER_URL", "https://api.voicenter.com/x?code=1", "question mark"),
        ("VOICENTER_CALL_LOG_URL", "ftp://x", "https://"),
        ("VOICENTER_MONITOR_URL", "https://user:pw@x/", "user name"),
        ("PUBLIC_URL", "www.example.com", "https://"),
        ("PUBLIC_URL", "https://example.com:99999", "not a web address"),
        ("DATABASE_URL", "", "sqlite:///"),
        ("DATABASE_URL", "postgres://u:p@h/d", "postgresql://"),
        ("DATABASE_URL", "postgresql+asyncpg://u:p@h/d", "without a driver"),
        ("DATABASE_URL", "postgresql://u:p@h", "names no database"),
        ("DATABASE_URL", "sqlite:///", "must name a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "lose leads"),
        ("RATE_LIMIT_URL", "redis://", "memory:// or redis://"),
        ("RATE_LIMIT_URL", "memcached://h", "memory:// or redis://"),
        ("TRUSTED_PROXIES", "*", "trust everybody"),
        ("TRUSTED_PROXIES", "127.0.0.1 0.0.0.0/0", "entry 2 would trust everybody"),
        ("TRUSTED_PROXIES", "127.0.0.1, proxy.local", "entry 2 is neither"),
        ("CONFIG", " ", "is empty"),
        ("VOICENTER_CODE", "changeme", "placeholder"),
        ("VOICENTER_CODE", "xxxx", "placeholder"),
        ("VOICENTER_CODE", "your-code-here", "placeholder"),
        ("VOICENTER_CODE", "two words", "unusual character"),
        ("VOICENTER_CDR_TOKEN", LONG + "/more", "letters, digits"),
    ],
)
def test_a_wrong_value_is_refused_in_words(name: str, value: str, words: str) -> None:
    (mistake,) = mistakes({PREFIX + name: value})
    assert mistake.startswith(f"{PREFIX}{name} ")
    assert words in mistake


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("VOICENTER_URL", "http://127.0.0.1:8001/c2c", "http://127.0.0.1:8001/c2c"),
        ("VOICENTER_URL", "http://localhost:8001/c2c", "http://localhost:8001/c2c"),
        ("VOICENTER_URL", "http://[::1]:8001/c2c", "http://[::1]:8001/c2c"),
        ("VOICENTER_MONITOR_URL", "", ""),
        ("VOICENTER_CALL_LOG_URL", "", ""),
        ("PUBLIC_URL", "https://leads.example.com/", "https://leads.example.com"),
        ("PUBLIC_URL", "", None),
        ("LOG_FORMAT", "", None),
        ("LOG_LEVEL", "WARNING", "warning"),
        ("VOICENTER_METHOD", "GET", "get"),
        ("VOICENTER_TIMEOUT", "2.5", 2.5),
        ("DATABASE_URL", "sqlite:////var/lib/leadring/leads.db", "sqlite:////var/lib/leadring/leads.db"),
        ("DATABASE_URL", "postgresql://u:p@h/d", "postgresql://u:p@h/d"),
        ("RATE_LIMIT_URL", "rediss://h:6380/1", "rediss://h:6380/1"),
        ("TRUSTED_PROXIES", "10.1.2.3/16 ::1,192.168.1.5", ("10.1.0.0/16", "::1", "192.168.1.5")),
        ("TRUSTED_PROXIES", "", ()),
    ],
)
def test_a_right_value_is_kept_in_one_spelling(name: str, value: str, expected: object) -> None:
    assert getattr(load({PREFIX + name: value}), name.lower()) == expected


def test_connecting_takes_three_seconds_of_the_timeout_at_most() -> None:
    assert load().voicenter_connect_timeout == 3
    assert load({"LEADRING_VOICENTER_TIMEOUT": "2"}).voicenter_connect_timeout == 2


def test_slowapi_variables_are_refused_because_they_would_win_in_silence() -> None:
    (mistake,) = mistakes({"RATELIMIT_ENABLED": "false"})
    assert mistake.startswith("RATELIMIT_ENABLED (in the environment)")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_no_message_and_no_repr_repeats_what_was_given(name: str) -> None:
    """Whatever setting a secret is pasted into, valid there or not, it comes back nowhere."""
    canary = "cAnaRy-%s-7f3e"
    shapes = ("%s", "https://%s/?%s", "redis://:%s@h/0", "postgresql://u:%s@h/d", "x %s", "%s/33")
    for shape in shapes:
        value = shape.replace("%s", canary.replace("%s", "q"))
        try:
            settings = load({PREFIX + name.upper(): value})
        except ConfigurationError as error:
            assert "cAnaRy" not in str(error) + repr(error)  # noqa: PT017
            assert error.__cause__ is None or "cAnaRy" not in str(error.__cause__)  # noqa: PT017
        else:
            if name not in ("config", "public_url") and not name.endswith("_url"):
                assert "cAnaRy" not in f"{settings} {settings!r}"
            if name in ("database_url", "rate_limit_url"):
                assert "cAnaRy" not in f"{settings} {settings!r}"


def test_values_of_other_types_are_taken_as_they_are_meant() -> None:
    settings = Settings(admin_token=SecretStr(LONG), trusted_proxies=("10.0.0.1",), voicenter_timeout=5)
    assert settings.admin_token == SecretStr(LONG)
    assert (settings.trusted_proxies, settings.voicenter_timeout) == (("10.0.0.1",), 5.0)
    assert Settings(admin_token=None).admin_token is None
    with pytest.raises(ValidationError, match="must be addresses or networks"):
        Settings.model_validate({"trusted_proxies": 5})


def test_settings_cannot_be_changed() -> None:
    settings = load()
    with pytest.raises(ValidationError):
        settings.log_level = "debug"


def test_unreadable_places_are_mistakes(tmp_path: Path) -> None:
    env_file, secrets = tmp_path / ".env", tmp_path / "secrets"
    secrets.mkdir()
    env_file.write_bytes(b"LEADRING_CONFIG=\xff\xfe\n")
    (secrets / "leadring_admin_token").write_bytes(b"\xff\xfe")
    (secrets / "leadring_metrics_token").mkdir()
    (secrets / "leadring_secret_key").write_bytes(b"k" * 70_000)
    assert len(mistakes({}, env_file=env_file, secrets_dir=secrets)) == 4


def test_one_name_in_two_spellings_with_two_values_is_a_mistake() -> None:
    assert "twice" in mistakes({"LEADRING_LOG_LEVEL": "info", "leadring_log_level": "debug"})[0]


def test_an_empty_secret_is_one_that_is_not_set() -> None:
    assert load({PREFIX + "ADMIN_TOKEN": " "}).admin_token is None
    assert any("VOICENTER_CODE is missing" in mistake for mistake in mistakes({PREFIX + "VOICENTER_CODE": ""}))


@pytest.mark.parametrize(
    ("value", "warned"), [("fifteen-letters", True), ("a" * 40, True), ("Xk2-a8Qm_57pLw9z", False)]
)
def test_a_secret_that_could_be_guessed_is_warned_about(value: str, warned: bool) -> None:
    found = weak_secrets(load({PREFIX + "METRICS_TOKEN": value}))
    assert [text.split()[0] for text in found] == ["LEADRING_METRICS_TOKEN"] * warned
    assert not any(value in text for text in found)
