"""leadring.toml: what it may say, and that every mistake is told at once with its place."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import (
    Agent,
    CallCap,
    Cooldown,
    Directory,
    Guards,
    Limits,
    Period,
    Policy,
    Rate,
    load_directory,
    may_take,
    options_for,
    parse_directory,
    record_for,
)
from app.directory_hours import countries, time_zones
from app.directory_options import FLAGS, SITE_OPTIONS
from app.directory_reading import in_words, parse_duration, parse_rate
from app.directory_sites import SITE_KEYS, normal_origin
from app.directory_zones import zones_of
from app.errors import ConfigurationError

ROOT = Path(__file__).parent.parent
MINIMAL = '[[sites]]\nkey = "main"\norigins = ["https://x.example"]\n[[agents]]\nid = "dana"\nextension = "SIPdana1"\n'


def parse(more: str = "", *, site: str = "", agent: str = "") -> Directory:
    """The smallest directory, with `more` before it and lines added to its site and its agent."""
    body = MINIMAL.replace("[[agents]]", f"{site}\n[[agents]]") + agent + "\n"
    if "origins" in site:
        body = body.replace('origins = ["https://x.example"]\n', "")
    return parse_directory(more + "\n" + body)


def mistakes(more: str = "", *, site: str = "", agent: str = "") -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(more, site=site, agent=agent)
    return [mistake.removeprefix("leadring.toml: ") for mistake in caught.value.mistakes]


def test_the_smallest_file_has_the_documented_defaults() -> None:
    directory = parse()
    assert directory.policy == Policy()
    assert directory.limits == Limits("10/minute")
    assert directory.guards == Guards(
        "hold", "refuse", Cooldown("hold", (Rate(1, 600), Rate(3, 86400))), CallCap("hold", 120, 600)
    )
    assert directory.hours == {}
    assert directory.agents == {"dana": Agent("dana", "dana", "SIPdana1")}
    assert directory.sites["main"].name == "main"
    assert directory.warnings == ()


def test_the_defaults_of_the_types_are_those_of_the_file() -> None:
    """Whoever builds Policy() or Guards() by hand gets what an empty file gives."""
    policy = parse("[policy]").policy
    assert policy == Policy()
    assert (policy.deadline, policy.max_duration, policy.retry_lead) == (40, 7200, (600, 3600, 14400))
    assert policy.provider_options == {"checkphonedevicestate": "true"}
    assert parse("[guards]").guards == Guards()


def test_the_example_file_works_and_has_no_holes_and_no_warnings() -> None:
    directory = load_directory(ROOT / "leadring.example.toml")
    assert directory.warnings == ()
    assert directory.sites["main"].origins == ("http://localhost:8000", "http://127.0.0.1:8000")
    assert [agent.extension for agent in directory.agents.values()] == ["SIPdana1", "SIPyossi2"]
    assert directory.sites["main"].hours == "always"
    assert directory.hours["always"].week == ((Period(0, 1440),),) * 7


def test_the_directory_cannot_be_changed() -> None:
    directory = parse()
    with pytest.raises(FrozenInstanceError):
        directory.policy = Policy()  # type: ignore[misc]
    with pytest.raises(TypeError):
        directory.agents["x"] = directory.agents["dana"]  # type: ignore[index]


def test_every_mistake_is_told_at_once_with_its_place() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_directory(
            """
[policy]
dedline = "40s"
ring_agent = "soon"
routing = "random"
[guards]
too_fast = "hold"
country = "maybe"
[hours.office]
sun-thu = ["9-18"]
[[sites]]
key = "main"
origins = ["*"]
hours = "ofice"
[[agents]]
id = "dana"
[[agents]]
id = "yossi"
extention = "SIPyossi2"
extension = "SIPyossi2"
[[agents]]
id = "yossi"
extension = "SIPyossi2"
""",
            source="my.toml",
        )
    assert caught.value.mistakes == [
        'my.toml: policy: dedline is not known here; did you mean "deadline"?',
        'my.toml: policy: ring_agent must be a duration such as "40s", "10m", "1h30m" or "1d"',
        "my.toml: policy: routing must be one of longest_idle, round_robin, priority, weighted",
        'my.toml: hours.office: sun-thu must be hours such as "09:00-18:00", or "00:00-24:00" for the whole day',
        "my.toml: guards: too_fast is not available in this version; remove it",
        "my.toml: guards: country must be one of off, observe, hold, refuse",
        'my.toml: sites[1] "main": origins "*": a star is refused; list every address',
        'my.toml: sites[1] "main": hours names "ofice", but there is no [hours.ofice]; did you mean "office"?',
        'my.toml: agents[1] "dana": extension is missing',
        'my.toml: agents[2] "yossi": extention is not known here; did you mean "extension"?',
        'my.toml: agents[3] "yossi": id is the id of an earlier agent already',
        'my.toml: agents[3] "yossi": extension is also that of agent "yossi"',
    ]


# ---------------------------------------------------------------------------------------------- the file itself


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"[policy]\nroute = '\xff'\n")
    big = tmp_path / "big.toml"
    big.write_bytes(b"#" * (1024 * 1024 + 1))
    for path, words in (
        (tmp_path / "none.toml", "no such file"),
        (tmp_path, "cannot be read"),
        (bad, "line 2 is not UTF-8"),
        (big, "longer"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            load_directory(path)


def test_a_file_saved_by_notepad_is_read(tmp_path: Path) -> None:
    path = tmp_path / "leadring.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert list(load_directory(path).sites) == ["main"]


def test_a_slip_in_the_syntax_is_told_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"leadring\.toml: is not TOML: .*line 2"):
        parse_directory("[policy]\ndeadline = 40s\n")


def test_nesting_without_end_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        parse_directory("a = " + "[" * 100_000)


def test_there_must_be_a_site_and_an_agent() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_directory("")
    assert [mistake.split(": ", 1)[1] for mistake in caught.value.mistakes] == [
        "sites: there must be at least one [[sites]]",
        "agents: there must be at least one [[agents]]",
    ]
    with pytest.raises(ConfigurationError, match=r"sites: must be written as \[\[sites\]\]"):
        parse_directory('[sites]\nkey = "main"\n')


_SCALARS = st.one_of(
    st.sampled_from(['""', '"x"', '"10m"', '"9:00-10:00"', '"2027-01-01"', "-1", "0", "1", "true", "1.5", "nan"]),
    st.sampled_from(["2027-01-01", "2027-01-01T00:00:00", "09:00:00", "[]", "[[]]", "{}", '["a", 1]', "{ a = 1 }"]),
)
_KEY_NAMES = """
policy limits guards hours sites agents sources policy.deadline policy.countries policy.retry_lead policy.record
policy.dialing_window policy.dialing_zones
policy.timezone policy.match_language policy.logged_out policy.redial_absent policy.default_country policy.routing
policy.phonecallerid policy.ignoredncstatus policy.language
guards.cooldown guards.cooldown.mode guards.cooldown.per_phone guards.calls guards.calls.per_hour guards.premium
limits.per_client limits.per_source guards.honeypot guards.low_confidence
hours.x hours.x.mon hours.x.sun-thu hours.x.holidays hours.x.extra_closed hours.x.extra_open
hours.x.holiday_categories hours.x.timezone hours.x.holiday_eves hours.x.hol_hamoed sources.x sources.x.map nonsense
"""
_KEYS = st.sampled_from(_KEY_NAMES.split())
_SITE_NAMES = st.sampled_from([*SITE_KEYS])
_AGENT_NAMES = st.sampled_from(["id", "name", "extension", "login_code", "skills", "weight", "enabled"])


@given(st.dictionaries(_KEYS, _SCALARS, max_size=4), st.dictionaries(st.sampled_from(["x", "y"]), _SCALARS))
def test_any_toml_is_a_directory_or_a_list_of_mistakes(values: dict[str, str], more: dict[str, str]) -> None:
    text = "\n".join(f"{key} = {value}" for key, value in values.items()) + "\n" + MINIMAL
    text += "".join(f"variables.{key} = {value}\n" for key, value in more.items())
    try:
        parse_directory(text)
    except ConfigurationError as error:
        assert all(mistake.startswith("leadring.toml: ") for mistake in error.mistakes)  # noqa: PT017


@given(st.dictionaries(_SITE_NAMES, _SCALARS), st.dictionaries(_AGENT_NAMES, _SCALARS))
def test_any_site_and_agent_is_read_or_told(site: dict[str, str], agent: dict[str, str]) -> None:
    text = "[[sites]]\n" + "".join(f"{key} = {value}\n" for key, value in site.items())
    text += "[[agents]]\n" + "".join(f"{key} = {value}\n" for key, value in agent.items())
    try:
        directory = parse_directory(text)
    except ConfigurationError as error:
        assert error.mistakes  # noqa: PT017
    else:
        assert directory.sites
        assert directory.agents


# ---------------------------------------------------------------------------------------------- durations, rates


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("40s", 40), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1d", 86400), ("1 h 30 m", 5400), (90, 90), (0, 0)],
)
def test_durations_are_read_in_seconds(value: object, seconds: int) -> None:
    assert parse_duration(value) == seconds
    assert parse_duration(in_words(seconds)) == seconds


@pytest.mark.parametrize("value", ["", " ", "40", "s", "-5s", "30m1h", "1.5h", -1, True, None, 1.5, [], "1y"])
def test_other_durations_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("1/10 minutes", Rate(1, 600)),
        ("3/day", Rate(3, 86400)),
        ("10/minute", Rate(10, 60)),
        ("5 per 30 days", Rate(5, 2592000)),
        ("2/1 Week", Rate(2, 604800)),
    ],
)
def test_rates_are_read_in_seconds(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("value", ["", "3", "0/day", "3/0 days", "3/month", "-1/day", 7, None, "3/daily"])
def test_other_rates_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="rate"):
        parse_rate(value)


# ------------------------------------------------------------------------------------------------------- policy


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('timezone = "Asia/Jeruslem"', 'did you mean "Asia/Jerusalem"'),
        ('default_country = "ISR"', "two capital letters"),
        ('countries = ["UK"]', '"UK" must be a country'),
        ("deadline = 0", "from 1s to 1h"),
        ('max_duration = "2d"', "from 10s to 1d"),
        ('record = "yes"', "true or false"),
        ('retry_lead = ["0s"]', "at most 10 durations"),
        ('retry_lead = "10m"', "must be a list"),
        ('retry_lead = ["later"]', "must be a duration"),
        ('slot = "4m"', "must be from 5m to 2h"),
        ('slot = "7m30s"', "must be whole minutes"),
        ('slots_for = "36h"', "must be whole days"),
        ('slots_for = "15d"', "must be from 1d to 14d"),
        ('call_takes = "0s"', "must be from 1m to 2h"),
        ("cancel_when_phoned_in = 1", "must be true or false"),
        ('phonecallerid = "Dana"', "a phone number"),
        ('targetcallername = "a\\nb"', "one line"),
        ('phoneautoanswer = "yes"', "true or false"),
        ('language = "hebrew"', "two small letters"),
        ("ignoredncstatus = 4", "must be 1"),
        ("ignoredncstatus = true", "must be 1"),
        ('logged_out = "busy"', "must be one of free, away"),
        ('redial_absent = "yes"', "true or false"),
        ('match_language = "yes"', "must be one of off, prefer, require"),
        ("ignorednostatus = 1", 'did you mean "ignoredncstatus"'),
    ],
)
def test_a_wrong_policy_is_told(line: str, words: str) -> None:
    (mistake,) = mistakes(f"[policy]\n{line}")
    assert mistake.startswith(f"policy: {line.split()[0]} ")
    assert words in mistake


def test_provider_options_are_kept_as_the_text_to_send() -> None:
    options = parse(
        "[policy]\n"
        'phonecallerid = "+972-3-512 3456"\ntargetcallerid = "03-5123456"\nphonecallername = "Website"\n'
        'phoneautoanswer = true\ntargetautoanswer = "1"\ncheckphonedevicestate = false\nlanguage = "he"\n'
        "ignoredncstatus = 2\nchecktargetdevicestate = 1\n"
    ).policy.provider_options
    assert options == {
        "checkphonedevicestate": "false",
        "phonecallerid": "97235123456",
        "targetcallerid": "035123456",
        "phonecallername": "Website",
        "phoneautoanswer": "true",
        "targetautoanswer": "true",
        "checktargetdevicestate": "true",
        "language": "he",
        "ignoredncstatus": "2",
    }


def test_what_logged_out_means_and_the_single_redial_are_off_unless_said() -> None:
    """Status 2 is also what an extension has that nobody ever logs in to (facts 3.2)."""
    policy = parse().policy
    assert (policy.logged_out, policy.redial_absent) == ("free", False)
    policy = parse('[policy]\nlogged_out = "Away"\nredial_absent = true\n').policy
    assert (policy.logged_out, policy.redial_absent) == ("away", True)


def test_options_that_are_empty_or_off_are_not_sent() -> None:
    options = parse(
        '[policy]\nphonecallerid = ""\ntargetcallername = ""\nlanguage = ""\nignoredncstatus = 0\nphoneautoanswer = 0\n'
    ).policy.provider_options
    assert options == {"checkphonedevicestate": "true"}


def test_the_default_country_is_the_only_one_allowed_unless_said() -> None:
    assert parse('[policy]\ndefault_country = "GB"').policy.countries == ("GB",)


# --------------------------------------------------------------------------------------------- limits and guards


def test_guards_are_read_in_both_spellings() -> None:
    guards = parse(
        '[guards]\ncountry = "off"\ncooldown = "observe"\n'
        'calls = { mode = "refuse", per_hour = "unlimited", per_day = 5 }\n'
    ).guards
    assert guards == Guards("off", "refuse", Cooldown("observe"), CallCap("refuse", None, 5))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[guards]\ncalls = { per_hour = 0 }", "guards.calls: per_hour must be a whole number"),
        ("[guards]\ncalls = { hourly = 1 }", "guards.calls: hourly is not known here"),
        ('[guards]\ncooldown = { per_phone = ["often"] }', "guards.cooldown: per_phone must be a rate"),
        ("[guards]\ncooldown = 5", "guards.cooldown: must be a table"),
        ('[guards]\nsuppression = "hold"', "not available in this version"),
        ('[guards]\ncontry = "hold"', 'did you mean "country"'),
        ('[limits]\nper_client = "10/minut"', "limits: per_client must be a limit"),
        ('[limits]\nper_client = "0/minute"', "limits: per_client must be a limit"),
        ('[limits]\nper_client = ""', "limits: per_client must be a limit"),
        ('[limits]\nper_source = "plenty"', "limits: per_source must be a limit"),
        ('[guards]\nlow_confidence = "refuse"', "guards: low_confidence must be one of off, observe, hold"),
        ('[sources.a]\npreset = "elementor"', "sources.a: token is missing"),
        ('[hours."my hours"]\nmon = "8:00-9:00"', "hours: my hours must be named with letters"),
        ("surces = 1", 'surces is not known here; did you mean "sources"?'),
    ],
)
def test_a_wrong_guard_limit_or_table_is_told(text: str, words: str) -> None:
    (mistake,) = mistakes(text)
    assert words in mistake


# -------------------------------------------------------------------------------------------------------- hours


def test_hours_are_read_by_days_ranges_and_lists() -> None:
    hours = parse(
        '[hours.office]\nSun-Thu = ["16:00-19:00", "9:00–13:00"]\n"fri, saturday" = "22:00-02:00"\n'
        'holidays = "IL"\nholiday_categories = ["public", "optional"]\n'
        'extra_closed = ["2027-05-11", 2027-05-12]\nextra_open = { "2027-05-13" = ["10:00-24:00"] }\n',
        site='hours = "office"',
    ).hours["office"]
    ordinary = (Period(540, 780), Period(960, 1140))
    night = (Period(1320, 1560),)
    assert hours.week == (ordinary,) * 4 + (night, night, ordinary)
    assert hours.timezone == "Asia/Jerusalem"
    assert (hours.holidays, hours.holiday_categories) == ("IL", ("public", "optional"))
    assert hours.extra_closed == {date(2027, 5, 11), date(2027, 5, 12)}
    assert hours.extra_open == {date(2027, 5, 13): (Period(600, 1440),)}


def test_eves_and_hol_hamoed_have_hours_or_none_or_nothing_is_said_of_them() -> None:
    text = '[hours.h]\nmon = "8:00-18:00"\nholidays = "IL"\n'
    said = parse(text + 'holiday_eves = "09:00-12:30"\nhol_hamoed = ["09:00-11:00", "12:00-13:00"]').hours["h"]
    assert said.holiday_eves == (Period(540, 750),)
    assert said.hol_hamoed == (Period(540, 660), Period(720, 780))
    closed = parse(text + "holiday_eves = []\nhol_hamoed = []").hours["h"]
    assert (closed.holiday_eves, closed.hol_hamoed) == ((), ())
    silent = parse(text).hours["h"]
    assert (silent.holiday_eves, silent.hol_hamoed) == (None, None)


def test_ranges_of_days_wrap_around_the_week() -> None:
    week = parse('[hours.h]\nsat-mon = ["08:00-09:00"]', site='hours = "h"').hours["h"].week
    assert [bool(day) for day in week] == [True, False, False, False, False, True, True]


def test_hours_have_their_own_time_zone_or_the_policys() -> None:
    text = '[policy]\ntimezone = "Europe/London"\n[hours.a]\nmon = "8:00-9:00"\n[hours.b]\ntimezone = "UTC"\n'
    hours = parse(text).hours
    assert (hours["a"].timezone, hours["b"].timezone) == ("Europe/London", "UTC")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('mon = ["09:00-13:00", "12:00-14:00"]', "overlap"),
        ('mon = ["22:00-03:00"]\ntue = ["02:00-04:00"]', "past midnight into the hours of tue"),
        ('sun = ["22:00-03:00"]\nmon = ["02:00-04:00"]', "past midnight into the hours of mon"),
        ('mon-wed = ["09:00-13:00"]\ntue = []', 'names "tue", which has its hours already'),
        ('mon = ["09:00-25:00"]', "must be hours"),
        ('mon = ["24:00-02:00"]', "must be hours"),
        ('mon = ["09:00-09:00"]', "must be hours"),
        ('mon = ["09:60-10:00"]', "must be hours"),
        ("mon = 9", "must be a list of hours"),
        ('munday = ["09:00-10:00"]', "is not known here"),
        ('mon-fryday = ["09:00-10:00"]', "is not known here"),
        ('holidays = "Israel"', "two capital letters"),
        ('holidays = "IL"\nholiday_categories = ["bank"]', "must be among"),
        ('extra_closed = ["11.5.2027"]', "must hold dates"),
        ('extra_closed = ["2027-02-30"]', "must hold dates"),
        ("extra_closed = [2027-05-11T10:00:00]", "must hold dates"),
        ("extra_closed = [[]]", "must hold dates"),
        ("extra_open = []", "must be a table"),
        ('extra_open = { tomorrow = "10:00-11:00" }', "must name dates"),
        ('extra_closed = ["2027-05-11"]\nextra_open = { "2027-05-11" = "10:00-11:00" }', "extra_closed names as well"),
        ('timezone = "Mars/Base"', "is no time zone"),
        ('holiday_eves = ["09:00-12:30"]', "needs holidays"),
        ('holidays = "IL"\nholiday_eves = 9', "must be a list of hours"),
        ('holidays = "IL"\nholiday_eves = ["09:00-12:30", "12:00-13:00"]', "overlap"),
        ('holidays = "IL"\nholiday_categories = ["school"]\nholiday_eves = []', 'has no "public"'),
        ("hol_hamoed = []", 'needs holidays = "IL"'),
        ('holidays = "GB"\nhol_hamoed = []', 'needs holidays = "IL"'),
        ('holidays = "Israel"\nholiday_eves = []\nhol_hamoed = []', "two capital letters"),
    ],
)
def test_wrong_hours_are_told(line: str, words: str) -> None:
    (mistake,) = mistakes(f"[hours.h]\n{line}", site='hours = "h"')
    assert mistake.startswith("hours.h: ")
    assert words in mistake


WINDOW = '[policy]\ndialing_window = "w"\n{more}\n[hours.w]\nmon-sun = ["09:00-21:00"]'


def test_a_dialing_window_is_one_of_the_timetables_and_its_zones_go_by_country() -> None:
    policy = parse(WINDOW.format(more='dialing_zones = { US = "America/New_York", RU = "Europe/Moscow" }')).policy
    assert policy.dialing_window == "w"
    assert policy.dialing_zones == {"US": "America/New_York", "RU": "Europe/Moscow"}
    assert parse(WINDOW.format(more="")).warnings == ()
    assert parse().policy.dialing_window is None
    assert parse().policy.dialing_zones == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[policy]\ndialing_window = "w"', 'dialing_window names "w", but there is no [hours.w]'),
        ('[policy]\ndialing_window = "w"\n[hours.w]', "hours.w, which is never open: nobody would be rung"),
        (WINDOW.format(more='dialing_zones = "US"'), "must be a table"),
        (WINDOW.format(more='dialing_zones = { us = "America/New_York" }'), "two capital letters"),
        (WINDOW.format(more='dialing_zones = { EU = "Europe/Paris" }'), "two capital letters"),
        (WINDOW.format(more='dialing_zones = { US = "America/NewYork" }'), 'did you mean "America/New_York"?'),
        (WINDOW.format(more='dialing_zones = { US = "Europe/Paris" }'), "one of the time zones of that country"),
        (WINDOW.format(more="dialing_zones = { US = 5 }"), "one of the time zones of that country"),
    ],
)
def test_a_wrong_dialing_window_is_told(text: str, words: str) -> None:
    (mistake,) = mistakes(text)
    assert mistake.startswith("policy: dialing_")
    assert words in mistake


def test_every_country_with_a_zone_has_zones_that_there_are() -> None:
    """The list of zones and the zones themselves come from two places."""
    listed = {code: zones_of(code) for code in countries()}
    assert {code for code, zones in listed.items() if not zones} <= {"BV", "HM", "XK"}
    assert {zone for zones in listed.values() for zone in zones} <= time_zones()


def test_periods_that_touch_do_not_overlap() -> None:
    assert parse('[hours.h]\nmon-sun = ["20:00-02:00", "02:00-20:00"]', site='hours = "h"').warnings == ()


# ------------------------------------------------------------------------------------------------------- sites


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("HTTPS://WWW.Example.com/", "https://www.example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://דוגמה.co.il", "https://xn--6dbbec0c.co.il"),
    ],
)
def test_origins_are_kept_as_browsers_send_them(text: str, origin: str) -> None:
    assert normal_origin(text) == origin
    assert normal_origin(origin) == origin


_NO_ORIGINS = """
* https://*.example.com null www.example.com https://example.com/page file:///x https://user@example.com
https://example.com?x https://example.com:99999 https:// https://[::1 https://a..b https://a$b
"""


@pytest.mark.parametrize("text", [*_NO_ORIGINS.split(), "https://a b.com", ""])
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='"'):
        normal_origin(text)


def test_a_site_is_read_whole() -> None:
    site = parse(
        site='name = "Example"\nskills = ["he", "sales"]\nlanguage = "en"\nthank_you_url = "https://x.example/thanks"\n'
        'telephone = "*6565"\nconsent_text = "Call me"\nvariables = { campaign = "spring", who = "{name}" }'
    ).sites["main"]
    assert site.skills == {"he", "sales"}
    assert (site.thank_you_url, site.telephone, site.consent_text) == ("https://x.example/thanks", "*6565", "Call me")
    assert site.variables == {"campaign": "spring", "who": "{name}"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('thank_you_url = "/thanks"', "a whole web address"),
        ('thank_you_url = "javascript:alert(1)"', "a whole web address"),
        ('language = "Hebrew"', "a language"),
        ('skills = "sales"', "must be a list"),
        ("skills = [1]", "must hold texts"),
        ('origins = ["https://a.example/x"]', "an origin has no path"),
        ("variables = []", "must be a table"),
        ('variables = { "my-var" = "x" }', "letters, digits and underscores"),
        ('variables = { lead = "x" }', "is taken"),
        ('variables = { Attempt = "x" }', "is taken"),
        ('variables = { a = "x", A = "x" }', "is taken"),
        ("variables = { a = 1 }", "in quotation marks"),
        ('variables = { a = "{Name" }', "brace"),
        ("variables = { " + ", ".join(f'v{n} = "x"' for n in range(9)) + " }", "at most 8"),
        ('first = "both"', "must be one of agent, lead"),
        ('ivr = ""', "ivr is empty"),
        ("ivr = 722776772", "must be text in quotation marks"),
        ('ivr = "SIPTRUNK"', 'ivr cannot be "SIPTRUNK"'),
        ('ivr = "LoginCode"', 'ivr cannot be "logincode"'),
        ('ivr = "072/2776772"', "letters and digits"),
        ('ivr = "0722776772722776"', "at most 15 digits"),
        ('ivr = "0722776772"\nlines = 0', "lines must be a whole number from 1 to 100"),
        ('ivr = "0722776772"\nlines = 101', "lines must be a whole number from 1 to 100"),
        ("lines = 2", "lines does nothing here: it belongs to ivr"),
        ('record = "yes"', "true or false"),
        ('targetcallerid = "Example"', "a phone number"),
        ('phonecallername = "a\\nb"', "one line"),
        ('targetautoanswer = "on"', "true or false"),
        ("ignoredncstatus = 9", "must be 1"),
        ("ignorednostatus = 1", 'did you mean "ignoredncstatus"'),
    ],
)
def test_a_wrong_site_is_told(line: str, words: str) -> None:
    (mistake,) = mistakes(site=line)
    assert mistake.startswith('sites[1] "main": ')
    assert words in mistake


def test_two_sites_cannot_share_a_key() -> None:
    (mistake,) = mistakes('[[sites]]\nkey = "main"\norigins = ["https://x.example"]\n')
    assert mistake == 'sites[2] "main": key is the key of an earlier site already'


def options(policy: str, site: str) -> dict[str, str]:
    directory = parse(f"[policy]\n{policy}", site=site)
    return dict(options_for(directory.policy, directory.sites["main"]))


def test_a_site_says_nothing_of_its_own_unless_it_does() -> None:
    site = parse().sites["main"]
    assert (site.first, site.ivr, site.lines, site.record, site.provider_options) == ("agent", None, 1, None, {})


def test_what_a_site_says_wins_over_the_policy() -> None:
    assert options('targetcallerid = "03-5123456"\nphonecallername = "Web"', 'targetcallerid = "+972 72 1234567"') == {
        "checkphonedevicestate": "true",
        "targetcallerid": "972721234567",
        "phonecallername": "Web",
    }


@pytest.mark.parametrize(
    ("on", "off"),
    [
        *[(f"{name} = true", f"{name} = false") for name in FLAGS if name != "checkphonedevicestate"],
        ('phonecallerid = "035123456"', 'phonecallerid = ""'),
        ('targetcallerid = "035123456"', 'targetcallerid = ""'),
        ('phonecallername = "Web"', 'phonecallername = ""'),
        ('targetcallername = "Web"', 'targetcallername = ""'),
        ("ignoredncstatus = 2", "ignoredncstatus = 0"),
    ],
)
def test_a_site_can_take_back_what_the_policy_says(on: str, off: str) -> None:
    """Off is not being sent: the mere presence of an option might read as on (facts 1.2)."""
    name = on.split()[0]
    assert name in SITE_OPTIONS
    assert name in options(on, "")
    assert name in options("", on)
    assert name in options(off, on)
    assert name not in options(on, off)


def test_the_device_check_is_sent_even_when_it_is_off() -> None:
    """Left out it would be switched on by what we send of ourselves."""
    assert options("", "checkphonedevicestate = false") == {"checkphonedevicestate": "false"}
    assert options("checkphonedevicestate = false", "") == {"checkphonedevicestate": "false"}
    assert options("checkphonedevicestate = false", "checkphonedevicestate = true") == {"checkphonedevicestate": "true"}


def test_a_name_that_reads_like_off_is_a_name() -> None:
    assert options("", 'phonecallername = "false"')["phonecallername"] == "false"


def test_the_language_of_a_site_is_that_of_its_visitors() -> None:
    """The provider's option of the same name stands in the policy only."""
    assert options('language = "en"', 'language = "he"')["language"] == "en"
    assert "language" not in options("", 'language = "he"')


@pytest.mark.parametrize(
    ("policy", "site", "recorded"),
    [("", "", False), ("true", "", True), ("true", "false", False), ("false", "true", True), ("", "true", True)],
)
def test_a_site_decides_about_recording_or_leaves_it_to_the_policy(policy: str, site: str, recorded: bool) -> None:
    directory = parse(f"[policy]\nrecord = {policy}" if policy else "", site=f"record = {site}" if site else "")
    assert record_for(directory.policy, directory.sites["main"]) is recorded


def test_a_site_that_is_gone_has_the_options_of_the_policy() -> None:
    directory = parse("[policy]\nrecord = true\nphoneautoanswer = true")
    assert options_for(directory.policy, None) == {"checkphonedevicestate": "true", "phoneautoanswer": "true"}
    assert record_for(directory.policy, None) is True


# --------------------------------------------------------------------------------------------------------- IVRs

IVR_SITE = '[[sites]]\nkey = "night"\nname = "Night desk"\norigins = ["https://x.example"]\nivr = "072-277 6772"\n'


def test_the_lines_to_an_ivr_are_agents_that_are_nobody_and_come_after_the_people() -> None:
    directory = parse(IVR_SITE + "lines = 2")
    assert list(directory.agents) == ["dana", "night/ivr/1", "night/ivr/2"]
    assert directory.agents["night/ivr/2"] == Agent(
        "night/ivr/2", "Night desk IVR", "0722776772", hours=None, line_of="night"
    )
    assert [agent.id for agent in directory.people] == ["dana"]
    assert directory.sites["night"].ivr == "0722776772"
    assert directory.warnings == ()


def test_a_file_of_ivrs_needs_no_agents() -> None:
    directory = parse_directory(IVR_SITE)
    assert (list(directory.agents), directory.people, directory.warnings) == (["night/ivr/1"], (), ())


def test_one_site_without_an_ivr_needs_agents() -> None:
    with pytest.raises(ConfigurationError, match=r"agents: there must be at least one \[\[agents\]\]"):
        parse_directory(IVR_SITE + '[[sites]]\nkey = "main"\norigins = ["https://x.example"]\n')


def test_an_ivr_that_is_wrong_is_the_only_mistake_of_its_file() -> None:
    """That agents are missing would lead astray: the file means to have none."""
    with pytest.raises(ConfigurationError) as caught:
        parse_directory(IVR_SITE.replace("072-277 6772", "siptrunk"))
    assert len(caught.value.mistakes) == 1


def test_the_letters_of_an_ivrs_extension_are_kept() -> None:
    assert parse_directory(IVR_SITE.replace("072-277 6772", "SIPqUeUe")).agents["night/ivr/1"].extension == "SIPqUeUe"


def test_two_sites_may_lead_to_one_ivr() -> None:
    directory = parse_directory(IVR_SITE + IVR_SITE.replace("night", "day"))
    assert list(directory.agents) == ["night/ivr/1", "day/ivr/1"]
    assert directory.warnings == ()


def test_a_line_takes_the_leads_of_its_own_site_only_and_a_person_none_of_an_ivrs() -> None:
    directory = parse(IVR_SITE + IVR_SITE.replace("night", "day"))
    taken = {
        site.key: [agent.id for agent in directory.agents.values() if may_take(site, agent)]
        for site in directory.sites.values()
    }
    assert taken == {"night": ["night/ivr/1"], "day": ["day/ivr/1"], "main": ["dana"]}


# ------------------------------------------------------------------------------------------------------- agents


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("SIPdAnA1", "SIPdAnA1"),
        ("KGpK4iWq", "KGpK4iWq"),
        ("054-1234567", "0541234567"),
        ("+972 54 1234567", "972541234567"),
        ("SIPTRUNK", "SIPTRUNK"),
    ],
)
def test_extensions_keep_their_letter_case_and_phones_only_their_digits(given: str, kept: str) -> None:
    text = MINIMAL.replace("SIPdana1", given)
    assert parse_directory(text).agents["dana"].extension == kept


@pytest.mark.parametrize("given", ["siptrunk", "LoginCode", "SIP dana", "SIP&x=1", "", "1" * 16])
def test_other_extensions_are_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="extension"):
        parse_directory(MINIMAL.replace("SIPdana1", given))


def test_only_the_keywords_may_repeat() -> None:
    def with_two(first: str, second: str) -> Directory:
        more = f'[[agents]]\nid = "yossi"\n{second}\n'
        return parse_directory(MINIMAL.replace('extension = "SIPdana1"', first) + more)

    assert len(with_two('extension = "SIPTRUNK"', 'extension = "SIPTRUNK"').agents) == 2
    floating = 'extension = "logincode"\nlogin_code = "{}"'
    assert len(with_two(floating.format(1), floating.format(2)).agents) == 2
    with pytest.raises(ConfigurationError, match='login_code is also that of agent "dana"'):
        with_two(floating.format(1), floating.format(1))
    with pytest.raises(ConfigurationError, match='extension is also that of agent "dana"'):
        with_two('extension = "0541234567"', 'extension = "054-1234567"')
    assert len(with_two('extension = "SIPab"', 'extension = "SIPAB"').agents) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('login_code = "12"', "login_code does nothing here"),
        ("priority = 0", "priority must be a whole number from 1 to 100"),
        ("weight = true", "weight must be a whole number"),
        ('enabled = "no"', "enabled must be true or false"),
        ('hours = "office"', "there is no [hours.office]"),
    ],
)
def test_a_wrong_agent_is_told(line: str, words: str) -> None:
    (mistake,) = mistakes(agent=line)
    assert mistake.startswith('agents[1] "dana": ')
    assert words in mistake


def test_logincode_needs_its_code() -> None:
    with pytest.raises(ConfigurationError, match="login_code is missing"):
        parse_directory(MINIMAL.replace("SIPdana1", "logincode"))


def test_agents_keep_the_order_of_the_file() -> None:
    more = "".join(f'[[agents]]\nid = "{name}"\nextension = "SIP{name}"\n' for name in "zay")
    assert list(parse_directory(MINIMAL + more).agents) == ["dana", "z", "a", "y"]


# ------------------------------------------------------------------------------------------------------ warnings

FEASTS = '[hours.h]\nmon = "8:00-9:00"\nholidays = "IL"\nholiday_categories = ["public", "optional"]\nhol_hamoed = []'


@pytest.mark.parametrize(
    ("more", "site", "agent", "words"),
    [
        ("", "origins = []", "", "any website may send leads"),
        ("", 'skills = ["ru"]', "", "no enabled agent has all of its skills (ru)"),
        ("", "", "enabled = false", "nobody can take a call"),
        ("[hours.h]", 'hours = "h"', "", "hours.h: is never open"),
        ('[hours.h]\nmon = "8:00-9:00"', "", "", "no site or agent uses it"),
        (FEASTS, 'hours = "h"', "", "hours.h: hol_hamoed does nothing"),
        ('[policy]\ncountries = ["US"]', "", "", "leads will be held"),
        ('[policy]\ndialing_zones = { US = "America/New_York" }', "", "", "does nothing without dialing_window"),
        (IVR_SITE + 'skills = ["he"]', "", "", 'sites[1] "night": skills does nothing here'),
        (IVR_SITE.replace("072-277 6772", "SIPdana1"), "", "", 'ivr is the extension of agent "dana" too'),
        ("", 'ivr = "SIPq"', "", "nobody is ever asked: every site has an ivr"),
        (IVR_SITE, "", "enabled = false", "agents: none is enabled"),
        (IVR_SITE, 'skills = ["ru"]', "", 'sites "main": no enabled agent has all of its skills (ru)'),
    ],
)
def test_what_works_but_surprises_is_a_warning(more: str, site: str, agent: str, words: str) -> None:
    (warning,) = parse(more, site=site, agent=agent).warnings
    assert words in warning


TRUNK = '[[agents]]\nid = "{id}"\nextension = "SIPTRUNK"\n{more}\n'
FLOATING = '[[agents]]\nid = "{id}"\nextension = "logincode"\nlogin_code = "7"\n{more}\n'


def test_agents_that_can_only_be_rung_first_are_named_where_the_lead_is_rung_first() -> None:
    """The vendor page knows SIPTRUNK and logincode for `phone` only, and the second phone is `target`."""
    more = TRUNK.format(id="tal", more='skills = ["he"]') + FLOATING.format(id="noa", more="")
    assert parse(more, site='first = "lead"').warnings == (
        'sites "main": first = "lead" leaves out tal, noa: SIPTRUNK and login codes can be rung first only',
    )
    assert parse(more, site='first = "lead"\nskills = ["he"]').warnings == (
        'sites "main": first = "lead" leaves out tal, and nobody is left: '
        "SIPTRUNK and login codes can be rung first only",
    )
    assert parse(more).warnings == ()
    assert parse(more, site='first = "lead"\nivr = "SIPq"').warnings == (
        "agents: nobody is ever asked: every site has an ivr",
    )
    assert parse(TRUNK.format(id="tal", more="enabled = false"), site='first = "lead"').warnings == ()


def test_a_site_may_only_name_agents_that_there_are() -> None:
    assert mistakes(site='agents = ["dna"]\nfallback = ["boss"]') == [
        'sites "main".agents: names "dna", but there is no such agent; did you mean "dana"?',
        'sites "main".fallback: names "boss", but there is no such agent',
    ]
    site = parse(site='agents = ["dana"]\nfallback = ["dana"]\nprefer = ["he"]').sites["main"]
    assert (site.agents, site.fallback, site.prefer) == (("dana",), ("dana",), frozenset({"he"}))
