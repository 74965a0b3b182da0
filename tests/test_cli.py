"""The commands: every mistake at once and in words, exit 2 for a mistake, JSON where a script would want it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import time_machine

from app import cli
from tests.web.service import FakeTelephony, started

ROOT = Path(__file__).resolve().parent.parent
DIRECTORY = """
[hours.office]
sun-thu = ["09:00-18:00"]
[hours.mornings]
sun-thu = ["09:00-12:00"]
[[sites]]
key = "main"
name = "Example Ltd"
origins = ["https://www.example.com"]
hours = "office"
[[agents]]
id = "dana"
name = "Dana Levi"
extension = "SIPdana1"
hours = "mornings"
"""
NO_HOLES = DIRECTORY.replace('hours = "mornings"', 'hours = "office"')
BROKEN = """
[policy]
timezone = "Mars/Olympus"
ring_agent = "forever"
[[sites]]
key = "main"
hours = "nowhere"
[[agents]]
id = "dana"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a valid configuration, and no setting from outside."""
    for name in list(os.environ):
        if name.startswith("LEADRING_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leadring.toml").write_text(NO_HOLES, encoding="utf-8")
    return tmp_path


class Ran:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("check", "FILE")`: the command in this process, with the environment of the test."""

    def command(*arguments: str) -> Ran:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["leadring", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        written = capsys.readouterr()
        return Ran(code, written.out, written.err)

    return command


def test_help_names_every_command() -> None:
    """As a script would call it; and without arguments it says the same."""
    done = subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    for verb in ("serve", "sandbox", "demo", "check", "migrate", "agents", "leads", "hours"):
        assert re.search(rf"\b{verb}\b", done.stdout), verb


def test_check_of_a_good_file_is_quiet_and_good(run: Run) -> None:
    done = run("check")
    assert done.code == 0
    assert done.err == ""
    assert "1 site(s), 1 agent(s)" in done.out
    assert "no holes" in done.out
    assert "LEADRING_VOICENTER_CODE is not set" in done.out


def test_check_tells_the_holes(run: Run, folder: Path) -> None:
    """A site that is open while nobody is on shift: not a mistake, but said."""
    (folder / "leadring.toml").write_text(DIRECTORY, encoding="utf-8")
    done = run("check")
    assert done.code == 0
    holes = [line for line in done.out.splitlines() if line.startswith("hole: ")]
    assert holes
    assert all("12:00" in hole and "18:00" in hole for hole in holes), holes
    assert "main" in holes[0]


def test_check_names_the_eve_ahead_that_nothing_is_said_of(run: Run, folder: Path) -> None:
    """Only when one is ahead, and not once `holiday_eves` is there: a note that is always there is read by nobody."""
    plain = NO_HOLES.replace("[hours.mornings]", 'holidays = "IL"\n[hours.mornings]')
    (folder / "leadring.toml").write_text(plain, encoding="utf-8")
    eve = "note: hours.office: Wednesday 2027-04-21, the eve of Pesach, is open as usual until 18:00; holiday_eves"
    with time_machine.travel("2027-04-12T08:00+03:00", tick=False):
        assert eve in run("check").out
        said = plain.replace('holidays = "IL"', 'holidays = "IL"\nholiday_eves = ["09:00-12:30"]')
        (folder / "leadring.toml").write_text(said, encoding="utf-8")
        assert "eve of" not in run("check").out
        assert "main: eve of Pesach: closed after 12:30, opens" in run("hours", "2027-04-21T13:00+03:00").out
    (folder / "leadring.toml").write_text(plain, encoding="utf-8")
    with time_machine.travel("2027-02-01T08:00+02:00", tick=False):
        assert "eve of" not in run("check").out


def test_check_tells_every_mistake_of_both_at_once(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and directory together, numbered, exit 2, no value of a secret among them."""
    (folder / "broken.toml").write_text(BROKEN, encoding="utf-8")
    monkeypatch.setenv("LEADRING_VOICENTER_TIMOUT", "5")
    monkeypatch.setenv("LEADRING_VOICENTER_METHOD", "put")
    monkeypatch.setenv("LEADRING_TRUSTED_PROXIES", "*")
    monkeypatch.setenv("LEADRING_ADMIN_TOKEN", "canary tok")
    done = run("check", "broken.toml")
    assert done.code == 2
    for word in (
        "LEADRING_VOICENTER_TIMEOUT",  # the nearest known name
        "LEADRING_VOICENTER_METHOD",
        "LEADRING_TRUSTED_PROXIES",
        "LEADRING_ADMIN_TOKEN",
        "timezone",
        "ring_agent",
        "nowhere",
        "extension",
    ):
        assert word in done.err, word
    assert "canary" not in done.err + done.out
    count = int(re.search(r"leadring: (\d+) mistakes", done.err).group(1))  # type: ignore[union-attr]
    assert count == len([line for line in done.err.splitlines() if line.startswith("  - ")]) >= 8


@pytest.mark.parametrize("name", ["missing.toml", ".", "nul\\x00byte"])
def test_check_of_a_file_that_cannot_be_read(run: Run, name: str) -> None:
    done = run("check", name)
    assert done.code == 2
    assert name in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[", b'a = "', b"[[sites]]\n[sites]\n", b""])
def test_check_of_what_is_no_directory(run: Run, folder: Path, content: bytes) -> None:
    (folder / "leadring.toml").write_bytes(content)
    done = run("check")
    assert done.code == 2
    assert "mistake" in done.err


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("LEADRING_DATABSE_URL", "LEADRING_DATABASE_URL"),
        ("LEADRING_PUBLICURL", "LEADRING_PUBLIC_URL"),
        ("LEADRING_VOICENTER_CDR_TOKN", "LEADRING_VOICENTER_CDR_TOKEN"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_name(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    given: str,
    meant: str,
) -> None:
    monkeypatch.setenv(given, "x")
    for command in ("check", "migrate", "leads", "serve"):
        done = run(command)
        assert done.code == 2, command
        assert f"did you mean {meant}?" in done.err


def test_serve_needs_the_account_code(run: Run) -> None:
    done = run("serve")
    assert done.code == 2
    assert "LEADRING_VOICENTER_CODE is missing" in done.err


def test_commands_before_there_is_a_database_say_what_makes_it(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where no database is named, that another one may have been named in another shell."""
    for command in (("leads",), ("agents",), ("explain", "0123456789")):
        done = run(*command)
        assert done.code == 2
        assert "no database yet" in done.err
        assert "`leadring serve` makes it" in done.err
        assert "LEADRING_DATABASE_URL is not set here" in done.err
        assert "Traceback" not in done.err
    monkeypatch.setenv("LEADRING_DATABASE_URL", f"sqlite:///{folder}/try.db")
    assert "LEADRING_DATABASE_URL" not in run("leads").err


def test_migrate_twice_and_then_nothing_to_show(run: Run) -> None:
    first, second = run("migrate"), run("migrate")
    assert (first.code, second.code) == (0, 0)
    assert first.out == second.out
    assert first.out.startswith("schema ")
    assert json.loads(run("leads", "--json").out) == []
    (agent,) = json.loads(run("agents", "--json").out)
    assert set(agent) == {"id", "name", "state", "until", "reason"}
    assert (agent["id"], agent["name"], agent["state"]) == ("dana", "Dana Levi", "available")
    assert "Dana Levi" in run("agents").out


@pytest.mark.parametrize("until", ["23:59", "2h", "2099-01-05T18:00+02:00"])
def test_an_agent_is_paused_until_a_time_of_day_a_duration_or_a_date(run: Run, until: str) -> None:
    assert run("migrate").code == 0
    done = run("agents", "--pause", "dana", "--until", until, "--reason", "dentist")
    assert done.code == 0
    header, row = done.out.splitlines()
    assert "Asia/Jerusalem" in header
    assert re.match(r"dana +paused +Dana Levi +until (\d{4}-\d\d-\d\d )?\d\d:\d\d(:\d\d)? \(dentist\)$", row), row
    assert run("agents", "--resume", "dana").out.splitlines()[1].split() == ["dana", "available", "Dana", "Levi"]


@pytest.mark.parametrize("until", ["soon", "25:00", "2020-01-05T18:00+02:00", "2099-01-05T18:00"])
def test_an_end_that_is_none_or_over_pauses_nobody(run: Run, until: str) -> None:
    assert run("migrate").code == 0
    done = run("agents", "--pause", "dana", "--until", until)
    assert done.code == 2
    assert until in done.err
    assert json.loads(run("agents", "--json").out)[0]["state"] == "available"


def test_the_lines_to_an_ivr_are_one_row_for_a_person_and_all_of_them_for_a_script(run: Run, folder: Path) -> None:
    ivr = '[[sites]]\nkey = "service"\norigins = ["https://x.example"]\nivr = "0722776772"\nlines = 4\n'
    (folder / "leadring.toml").write_text(NO_HOLES + ivr, encoding="utf-8")
    assert run("migrate").code == 0
    assert run("agents").out.splitlines()[2].split() == ["service", "IVR", "0", "of", "4", "busy"]
    assert len(json.loads(run("agents", "--json").out)) == 5


def test_to_hang_up_an_agent_or_another_letter_case_is_a_mistake_that_names_the_extension(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADRING_VOICENTER_CODE", "k3yFromTheBackOffice")
    done = run("terminate", "dana")
    assert (done.code, "dana is an agent; the extension is SIPdana1" in done.err) == (2, True)
    done = run("terminate", "sipDANA1")
    assert (done.code, "SIPdana1 is: capital and small letters count" in done.err) == (2, True)


async def store_leads(url: str) -> list[str]:
    toml = NO_HOLES + '\n[guards]\ncooldown = { mode = "off" }\n'
    async with started(url, toml=toml, telephony=FakeTelephony()) as service, service.client() as client:
        answers = [
            await client.post("/v1/leads", json={"phone": phone, "name": "נועה"})
            for phone in ("0542345678", "+44 20 7946 0958", "0542345679")
        ]
        return [answer.json()["lead_id"] for answer in answers]


def test_leads_are_listed_masked_and_a_held_one_is_released(run: Run, folder: Path) -> None:
    """Newest first; no whole phone number in either form; states can be asked for; a release is told by its exit."""
    assert run("migrate").code == 0
    ids = asyncio.run(store_leads(f"sqlite:///{folder}/leadring.db"))
    listed = run("leads", "--json")
    rows = json.loads(listed.out)
    assert {row["id"] for row in rows} == set(ids)
    held = json.loads(run("leads", "--state", "held", "--json").out)
    assert [row["id"] for row in held] == [ids[1]]
    plain = run("leads").out
    header, first, *_ = plain.splitlines()
    assert "(times in Asia/Jerusalem)" in header
    assert re.match(r"\S{36}  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  main ", first), first
    assert "held (country)" in plain
    for text in (listed.out, plain):
        assert "542345678" not in text
        assert "2079460958" not in text
    assert len(json.loads(run("leads", "--most", "1", "--json").out)) == 1
    assert "several leads begin" in run("leads", "--release", ids[0][:6]).err
    beginning = ids[1][:-4]
    first, second, *_ = run("explain", beginning).out.splitlines()
    assert re.fullmatch(
        rf"lead {ids[1]} \(\+44\S+, main, through api\): held \(country\); times in Asia/Jerusalem", first
    )
    assert second.startswith("next: nothing, until a person releases it; expires at ")
    told = json.loads(run("explain", beginning, "--json").out)
    assert (told["lead_id"], told["state"], told["guards"][0]["guard"]) == (ids[1], "held", "country")
    assert "2079460958" not in json.dumps(told)
    assert run("explain", "%%%%%%").code == 1, "what a beginning says is not a pattern"
    released = run("leads", "--release", beginning)
    assert (released.code, released.out) == (0, f"{ids[1]}: waiting\n")
    assert json.loads(run("leads", "--state", "held", "--json").out) == []
    assert run("leads", "--release", "no-such-lead").code == 1
    wrong = run("leads", "--state", "sleeping")
    assert wrong.code == 2
    assert "waiting" in wrong.err


def test_hours_at_a_moment(run: Run) -> None:
    until = run("hours", "2026-01-05T12:00+02:00").out.split("main: open until ")[1].split()[0]
    assert datetime.fromisoformat(until) == datetime.fromisoformat("2026-01-05T18:00+02:00")
    opens = run("hours", "2026-01-05T20:00+02:00").out.split("opens ")[1].split()[0]
    assert datetime.fromisoformat(opens) == datetime.fromisoformat("2026-01-06T09:00+02:00")
    assert run("hours").code == 0
    for wrong in ("yesterday", "2026-01-05T12:00", ""):
        if wrong:
            done = run("hours", wrong)
            assert done.code == 2
            assert "offset" in done.err


WINDOW = """
[policy]
countries = ["IL", "US", "CA"]
dialing_window = "decent"
dialing_zones = { US = "America/New_York" }
[hours.decent]
mon-sun = ["09:00-21:00"]
"""


def test_hours_tell_when_a_number_may_be_rung(run: Run, folder: Path) -> None:
    """By its own clock and the sites' hours together; a mistake in it is told like any other."""
    (folder / "leadring.toml").write_text(WINDOW + NO_HOLES, encoding="utf-8")
    noon = "2026-01-05T12:00+02:00"
    told = run("hours", "--phone", "+1 212 555 0123", noon).out.splitlines()
    assert told[0].startswith("main: open until ")
    assert told[1:] == [
        "+1•••••123: a number of US, by the clock of America/New_York",
        "main: may ring it from 2026-01-05T16:00:00+02:00",
    ]
    assert run("hours", "--phone", "054-234-5678", noon).out.splitlines()[1:] == [
        "+972•••••678: a number of IL, by the clock of Asia/Jerusalem",
        "main: may ring it",
    ]
    canada = run("hours", "--phone", "+1 416 555 0123", noon).out.splitlines()
    assert re.fullmatch(r"\+1•••••123: a number of CA, by the clock of all \d\d time zones of CA", canada[1])
    assert canada[2] == "main: may never ring it: the site is not open while its dialing window is"
    assert "no country, by the clock of Asia/Jerusalem" in run("hours", "--phone", "+800 1234 5678", noon).out
    wrong = run("hours", "--phone", "call me")
    assert (wrong.code, "call me: " in wrong.err) == (2, True)


def test_hours_of_a_number_without_a_window_are_those_of_the_sites(run: Run) -> None:
    assert "there is no dialing window" in run("hours", "--phone", "054-234-5678").out


def test_check_names_the_numbers_that_can_never_be_rung(run: Run, folder: Path) -> None:
    (folder / "leadring.toml").write_text(WINDOW + NO_HOLES, encoding="utf-8")
    never = [line for line in run("check").out.splitlines() if "dialing window" in line]
    assert len(never) == 1
    assert never[0].startswith("warning: main: the dialing window of CA, in all of its ")


def test_wrong_usage_is_exit_2_and_no_traceback(run: Run) -> None:
    for arguments in (("nonsense",), ("serve", "--port", "99999"), ("leads", "--most", "0"), ("check", "a", "b")):
        done = run(*arguments)
        assert done.code == 2, arguments
        assert "Traceback" not in done.err


def test_widget_prints_the_tags_of_a_site_that_there_is(run: Run) -> None:
    """The only site goes without saying; one that is not there is a mistake that says which are."""
    for done in (run("widget"), run("widget", "--site", "main", "--url", "https://leads.example.com/")):
        assert (done.code, done.err) == (0, "")
        assert '<script async src="https://leads.example.com/widget/v1.js" data-site="main"></script>' in done.out
        assert 'integrity="sha384-' in done.out
    done = run("widget", "--site", "mian")
    assert (done.code, done.out) == (2, "")
    assert 'mian: there is no such site; did you mean "main"?; there are main' in done.err


def test_widget_asks_which_of_several_sites(run: Run, folder: Path) -> None:
    another = '\n[[sites]]\nkey = "roofs"\nname = "Roofs"\norigins = ["https://roofs.example.com"]\nhours = "office"\n'
    several = NO_HOLES.replace('key = "main"', 'key = "solar"') + another
    (folder / "leadring.toml").write_text(several, encoding="utf-8")
    done = run("widget")
    assert (done.code, done.out) == (2, "")
    assert "main: there is no such site; there are solar, roofs" in done.err
    assert 'data-site="roofs"' in run("widget", "--site", "roofs").out


def test_widget_without_a_file_prints_what_was_said_and_that_it_was_not_checked(run: Run, folder: Path) -> None:
    """On a machine that has the program and not the configuration."""
    (folder / "leadring.toml").unlink()
    done = run("widget", "--site", "roofs")
    assert done.code == 0
    assert 'data-site="roofs"' in done.out
    assert done.err.startswith("leadring: not checked whether there is such a site: leadring.toml: ")
