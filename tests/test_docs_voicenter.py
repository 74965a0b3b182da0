"""docs/voicenter.md answers every citation in the code, and says what the code really sends, reads and decides."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.directory import Directory, options_for, parse_directory, record_for
from app.directory_options import PROVIDER_OPTIONS, SITE_OPTIONS
from app.domain import breaker, moves, outcomes, presence
from app.domain.lead import Attempt
from app.domain.line import ExtensionNow, LineCall
from app.domain.states import OUTCOMES
from app.metrics import Metrics
from app.ports import CallRequest
from app.service.looks import APART
from app.settings import PREFIX, Settings
from app.voicenter import call_log
from app.voicenter.active_calls import LOGINS, STATUSES
from app.voicenter.answer import MAX_BYTES
from app.voicenter.cdr import read_call_records
from app.voicenter.codes import CODES
from app.voicenter.parameters import call_parameters

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "voicenter.md").read_text(encoding="utf-8")
SAID = " ".join(PAGE.split())  # however its lines are broken
VENDOR_PAGE = "https://www.voicenter.com/API/click-to-call"
PHONE = "+972501234567"
CITED = re.compile(r"\bfacts\s+(?:#\s*)?(\d(?:\.\d)?(?:\s*(?:,|and|to)\s*(?:facts\s+)?\d(?:\.\d)?)*)")
ALL_OPTIONS = """
phonecallerid = "03-5123456"
phonecallername = "Website"
targetcallerid = "03-5123456"
targetcallername = "Example Ltd"
phoneautoanswer = true
targetautoanswer = true
checktargetdevicestate = true
language = "he"
ignoredncstatus = 2
"""
# The page's word for what is read from a record → the field of CallRecord.
READ = {
    "call id": "call_id",
    "original call id": "original_call_id",
    "leg": "leg",
    "an IVR's side": "ivr",
    "an incoming call": "incoming",
    "status": "status",
    "the agent's status": "agent_leg_status",
    "talk time": "talk_seconds",
    "ringing": "ring_seconds",
    "beginning": "raw_time",
    "sure beginning": "started_at",
    "extension": "extension",
    "phone": "phone",
    "attempt": "attempt_id",
    "recording": "recording",
    "price": "price",
}


def rows(heading: str, first: str) -> list[list[str]]:
    """The cells of the table below `heading` whose first column is called `first`."""
    below = PAGE.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    table = re.search(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", below, re.MULTILINE)
    assert table is not None, f"{heading}: no table of {first}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def column(heading: str, first: str) -> list[str]:
    return [row[0].strip("`") for row in rows(heading, first)]


def numbers_cited(text: str) -> set[str]:
    """The notes that a text cites; `2.2 to 2.6` stands for all five."""
    found: set[str] = set()
    for match in CITED.finditer(text):
        found |= set(re.findall(r"\d(?:\.\d)?", match[1]))
        for part, start, end in re.findall(r"(\d)\.(\d)\s*to\s*\1\.(\d)", match[1]):
            found |= {f"{part}.{number}" for number in range(int(start), int(end) + 1)}
    return found


def directory(policy: str = "", site: str = "") -> Directory:
    main = f'[[sites]]\nkey = "main"\norigins = ["https://x.example"]\nvariables = {{ campaign = "a" }}\n{site}\n'
    return parse_directory(f'[policy]\n{policy}\n{main}[[agents]]\nid = "a"\nextension = "SIPa"\n')


def sent(
    policy: str = "",
    login_code: str | None = None,
    *,
    site: str = "",
    extension: str = "SIPa",
    language: str | None = None,
) -> dict[str, str]:
    """What goes out for a call under such a policy to such a site, as the dispatcher asks for it."""
    given = directory(policy, site)
    rules, main = given.policy, given.sites["main"]
    call = CallRequest(
        lead_id="lead-id",
        attempt_id="attempt-id",
        extension=extension,
        lead_phone=PHONE,
        login_code=login_code,
        ring_agent=rules.ring_agent,
        ring_lead=rules.ring_lead,
        max_duration=rules.max_duration,
        record=record_for(rules, main),
        options=options_for(rules, main),
        variables=main.variables,
        first=main.first,
        language=language,
    )
    return call_parameters(call, "the-code", "json")


def named(parameters: dict[str, str]) -> set[str]:
    return {"var_*" if name.startswith("var_") else name for name in parameters}


def attempt(**legs: str | int) -> Attempt:
    blank = Attempt(
        id="attempt-id",
        lead_id="lead-id",
        agent_id="a",
        extension="SIPa",
        number=1,
        state="placed",
        outcome=None,
        reserved_at=0,
        sending_at=0,
        call_id="call-id",
        leg1_status=None,
        leg1_talk=None,
        leg2_status=None,
        leg2_talk=None,
    )
    return replace(blank, **legs)  # type: ignore[arg-type]


def test_every_citation_in_the_code_leads_to_a_note() -> None:
    cited: dict[str, str] = {}
    for folder in ("app", "tests", "bench"):
        for file in (ROOT / folder).rglob("*.py"):
            for number in numbers_cited(file.read_text(encoding="utf-8")):
                cited.setdefault(number, str(file.relative_to(ROOT)))
    notes = re.findall(r"^- \*\*(\d(?:\.\d)?) [^*]+\.\*\* ", PAGE, re.MULTILINE)
    assert len(notes) == len(set(notes))
    assert {"1.2", "2.5", "3.2", "7"} <= set(cited), "the citations are not found any more"
    assert {number: file for number, file in cited.items() if number not in notes} == {}


def test_a_range_of_citations_stands_for_all_its_notes() -> None:
    word = "facts"
    assert numbers_cited(f"{word} 2.2 to 2.4, and ({word} 1.7 and 7)") == {"2.2", "2.3", "2.4", "1.7", "7"}
    assert numbers_cited(f"({word} 3.1, 3.2); {word} 5, row 22 ({word} 3.2: five") == {"3.1", "3.2", "5"}


def test_every_note_names_the_kind_of_its_source() -> None:
    kinds = ("vendor page", "vendor's other pages", "vendor's repositories", "field", "inference", "absence")
    notes = re.findall(r"^- \*\*\d(?:\.\d)? .*(?:\n(?!-|\n).*)*", PAGE, re.MULTILINE)
    assert notes
    without = [
        note
        for note in notes
        if not any(kind in source for source in re.findall(r"\*\(([^)]+)\)\*", note) for kind in kinds)
    ]
    assert [note.split("**")[1] for note in without] == ["7 Not found."]


def test_the_vendor_page_is_linked() -> None:
    assert VENDOR_PAGE in PAGE
    assert VENDOR_PAGE in (ROOT / "app" / "voicenter" / "codes.py").read_text(encoding="utf-8")


def test_every_parameter_that_can_be_sent_has_exactly_one_row_and_no_row_is_stale() -> None:
    everything = named(sent(ALL_OPTIONS, login_code="1234"))
    assert sorted(column("2.", "parameter")) == sorted(everything)
    assert set(PROVIDER_OPTIONS) <= everything


def test_the_column_of_defaults_is_what_goes_out_when_the_file_says_nothing() -> None:
    default = sent()
    for name, _, shown, *_ in rows("2.", "parameter"):
        name = name.strip("`")
        if shown == "not sent":
            assert name not in named(default)
        elif name == "var_*":
            assert all(part.strip("`") in default for part in shown.split(", "))
        elif shown == "required":
            assert default[name]
        else:
            assert shown == f"`{default[name]}`"


def test_the_policy_keys_behind_the_parameters_have_the_effect_the_table_says() -> None:
    for key, value in (("ring_agent", "7"), ("ring_lead", "8"), ("max_duration", "99"), ("record", "true")):
        (parameter,) = (row[0].strip("`") for row in rows("2.", "parameter") if row[1] == f"`{key}`")
        assert sent(f"{key} = {value}")[parameter] == value != sent()[parameter]


LEAD_FIRST = 'first = "lead"'
TWO_VALUES = {  # the end of a key → two values it may have in the file
    "ring_agent": ("7", "8"),
    "ring_lead": ("7", "8"),
    "callerid": ('"035123456"', '"036123456"'),
    "callername": ('"Website"', '"Shop"'),
    "autoanswer": ("false", "true"),
    "devicestate": ("false", "true"),
    "ignoredncstatus": ("1", "3"),
}


def test_the_table_of_lead_first_has_every_option_that_speaks_of_one_side() -> None:
    one_sided = {name for name in PROVIDER_OPTIONS if name != "language"} | {"ring_agent", "ring_lead"}
    assert set(column("2.", "in `leadring.toml`")) == one_sided


@pytest.mark.parametrize("row", rows("2.", "in `leadring.toml`"), ids=lambda row: row[0])
def test_an_option_goes_out_under_the_name_the_page_says_whoever_is_first(row: list[str]) -> None:
    key, *names = (cell.strip("`") for cell in row)
    one, other = next(values for end, values in TWO_VALUES.items() if key.endswith(end))
    for site, name in zip(("", LEAD_FIRST), names, strict=True):
        before, after = sent(f"{key} = {one}", site=site), sent(f"{key} = {other}", site=site)
        differing = {each for each in {*before, *after} if before.get(each) != after.get(each)}
        assert differing == ({name} if name != "not sent" else set())


def test_lead_first_the_legs_change_places_and_no_device_of_the_leads_is_asked_about() -> None:
    swapped = sent(ALL_OPTIONS, site=LEAD_FIRST)
    assert (swapped["phone"], swapped["target"]) == ("0501234567", "SIPa")
    assert "checkphonedevicestate" not in swapped
    assert swapped["ignoredncstatus"] == "1", "1 and 2 change places"
    assert "checktargetdevicestate" not in sent(site=LEAD_FIRST, extension="0521234567")
    assert "change places with them" in SAID


def test_the_page_says_which_options_a_site_may_say_otherwise() -> None:
    assert set(PROVIDER_OPTIONS) - set(SITE_OPTIONS) == {"language"}
    assert "all but `language`, may be said otherwise in a site" in SAID
    assert sent('targetcallerid = "035123456"', site='targetcallerid = ""') == sent()
    assert sent("record = true", site="record = false") == sent()
    assert sent("ignoredncstatus = 2", site="ignoredncstatus = 0") == sent() == sent("ignoredncstatus = 0")


def test_the_language_is_the_leads_unless_it_is_configured() -> None:
    assert "`language`, else what the form sent as `language`" in SAID
    assert sent(language="he-IL")["language"] == sent(language="iw")["language"] == "he"
    assert sent('language = "ru"', language="he")["language"] == "ru"


def test_the_scanned_spelling_is_explained_and_never_sent() -> None:
    assert "ignorednostatus" in SAID
    assert "ignorednostatus" not in sent(ALL_OPTIONS)


def test_every_code_has_one_row_with_the_rule_the_code_follows() -> None:
    documented = {row[0]: None if row[1] == "–" else row[1].strip("`") for row in rows("3.", "code")}
    assert documented == {str(code): rule for code, (_, rule) in CODES.items()}


def test_the_waits_on_the_page_are_the_waits_of_the_code() -> None:
    by_code = {row[0]: row[3] for row in rows("3.", "code")}
    assert f"after {moves.ERROR_RETRY} seconds" in by_code["2"]
    assert f"for {moves.OFFLINE_FOR} seconds" in by_code["3"]
    assert f"for {moves.BLOCKED_FOR // 60} minutes" in by_code["4"]
    assert f"after {', '.join(map(str, moves.SEND_RETRY))}," in SAID
    assert f"| after {moves.UNRESOLVED_AFTER // 60} minutes without one |" in SAID
    assert f"more than {MAX_BYTES // 1024} KiB" in SAID
    assert f"| every {APART:g} seconds while a call is open; about every {2 * APART:g} while" in SAID
    assert f"questions at least {call_log.APART:g} seconds apart" in SAID


def in_words(numbers: tuple[int, ...]) -> str:
    *first, last = map(str, numbers)
    return ", ".join(first) + " and " + last


def test_when_the_providers_accounts_are_asked_is_as_the_page_says() -> None:
    line, log = (row[:2] for row in rows("5.", "when, from the moment it became unknown")[:2])
    assert line == [f"{in_words(moves.LINE_LOOKS)} seconds", "active calls"]
    minutes = tuple(seconds // 60 for seconds in moves.LOG_LOOKS)
    assert log == [f"{in_words(minutes)} minutes", "call log"]
    assert f": {moves.ASK_PLACED // 60} minutes after a call was last on the line" in SAID
    assert f"then {in_words(minutes)} minutes after it" in SAID
    assert call_log.CDR_TYPES == (9, 10, 17, 18, 19)
    assert "the types 9, 10 and 17 to 19" in SAID


def test_the_breaker_opens_and_waits_as_the_page_says() -> None:
    for sentence in (
        f"after {breaker.IN_A_ROW} failures in a row",
        f"at least half of the last {breaker.WINDOW_LEAST} or more answers within {breaker.WINDOW:g} seconds",
        f"or after {breaker.SHUT_IN_A_ROW} shut doors in a row",
        f"After {breaker.FIRST_WAIT:g} seconds, the next time twice as long",
        f"at most {breaker.LONGEST_WAIT / 60:g} minutes",
    ):
        assert sentence in SAID, sentence
    assert (breaker.SHARE, breaker.JITTER) == (0.5, 0.25)


def test_presence_says_of_an_agent_what_the_table_says() -> None:
    told = [row[1] for row in rows("5.", "Voicenter says")]
    assert told == ["`busy`", "`away`", '`away` with `logged_out = "away"`, else free', "free"]
    (agent,) = directory().agents.values()
    for login, calls, strict, lax in (
        ("in", True, "busy", "busy"),
        ("break", False, "away", "away"),
        ("out", False, "away", "free"),
        (None, False, "free", "free"),
    ):
        line = read_line(calls)
        now = [ExtensionNow("SIPa", login, line)]  # type: ignore[arg-type]
        assert presence.verdicts([agent], now, "away") == {"a": strict}
        assert presence.verdicts([agent], now, "free") == {"a": lax}
    assert set(LOGINS) == {1, 2, 3, 5, 7, 9, 11, 12, 13}
    assert f"counts for {presence.KNOWN_FOR // 1000} seconds" in SAID
    assert presence.BELIEVED_AFTER == 3
    assert "believed when it was said three times in a row" in SAID


def read_line(calls: bool) -> tuple[LineCall, ...]:
    return (LineCall(call_id=None, attempt_id=None, phone=None, status=None),) if calls else ()


def test_every_word_of_active_calls_that_is_read_is_on_the_page() -> None:
    (cell,) = (row[1] for row in rows("5.", "read") if "callstatus" in row[0])
    assert {word.lower() for word in re.findall(r"`(\w+)`", cell)} == set(STATUSES)


def test_every_reason_for_doubt_has_a_row() -> None:
    source = "".join((ROOT / "app" / "service" / f"{name}.py").read_text("utf-8") for name in ("belief", "line_watch"))
    doubts = set(re.findall(r'\.doubt\("(\w+)"\)', source))
    assert doubts
    assert set(column("5.", "`reason` of `leadring_presence_doubts_total`")) == doubts
    assert Metrics().presence_doubts._name + "_total" == "leadring_presence_doubts_total"


@pytest.mark.parametrize("row", rows("4.", "status"), ids=lambda row: row[0])
def test_a_status_means_on_each_leg_what_the_table_says(row: list[str]) -> None:
    status = row[0].strip("`") if row[0].startswith("`") else "SOMETHING_NEW"
    on_lead, on_agent = (None if cell == "–" else cell.strip("`") for cell in row[1:3])
    # A word nobody knows tells nothing beside talk time.
    talk = 9 if row[0].startswith("`") else 0
    assert outcomes.outcome_of(attempt(leg2_status=status, leg2_talk=talk)) == on_lead
    assert outcomes.outcome_of(attempt(leg1_status=status, leg1_talk=9)) == on_agent
    assert {on_lead, on_agent} - {None} <= set(OUTCOMES)


def test_every_status_that_the_code_tells_apart_is_in_the_table() -> None:
    documented = column("4.", "status")
    assert len(documented) == len(set(documented))
    told_apart = {*outcomes.LEAD_SIDE, *outcomes.AGENT_SIDE, *outcomes.NEVER_DIALLED, "ANSWER"}
    assert told_apart <= set(documented)


def test_an_answered_leg_without_talk_is_no_conversation_as_the_page_says() -> None:
    assert "talk time of 0 is `lead_no_answer`" in SAID
    assert outcomes.outcome_of(attempt(leg2_status="ANSWER", leg2_talk=0)) == "lead_no_answer"


@pytest.mark.parametrize("row", rows("4.", "what"), ids=lambda row: row[0])
def test_every_field_of_a_record_on_the_page_is_read_into_what_it_says(row: list[str]) -> None:
    values = {
        "leg": "Click2Call leg2",
        "an IVR's side": "Click 2 IVR",
        "an incoming call": "Incoming Call",
        "sure beginning": "2026-11-23T09:00:00Z",
        "phone": "0501234567",
        "recording": "https://x.example/a.mp3",
    }
    value = values.get(row[0], "17")
    for field in re.findall(r"`([^`]+)`", row[1]):
        body = {"IVRUNIQUEID": "known", field.upper(): value}
        body = body if row[0] != "call id" else {field.upper(): value}
        (record,) = read_call_records(json.dumps(body))
        assert getattr(record, READ[row[0]]) not in (None, "", "known", False), field


@pytest.mark.parametrize("row", rows("4.", "status"), ids=lambda row: row[0])
def test_where_the_lead_was_rung_first_a_status_means_what_the_page_says(row: list[str]) -> None:
    """Leg 1 reads as leg 2 does in the table; leg 2 is the agent's: ANSWER with talk and VOEND connect."""
    status = row[0].strip("`") if row[0].startswith("`") else "SOMETHING_NEW"
    on_lead = None if row[1] == "–" else row[1].strip("`")
    first_leg = {"ANSWER": None, "NOTCALLED": "lead_unreachable", "NOTDIALED": "lead_unreachable"}.get(status, on_lead)
    assert outcomes.outcome_of(attempt(first_leg="lead", leg1_status=status, leg1_talk=9)) == first_leg
    second = "connected" if status in ("ANSWER", "VOEND") else "agent_no_answer"
    if status not in outcomes.NEVER_DIALLED:
        talk = 9 if row[0].startswith("`") else 0
        assert outcomes.outcome_of(attempt(first_leg="lead", leg2_status=status, leg2_talk=talk)) == second


def test_the_table_of_record_fields_is_complete() -> None:
    assert column("4.", "what") == list(READ)


def test_the_file_for_the_first_call_is_right_and_rings_one_person_only() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    given = parse_directory(block)
    assert given.warnings == ()
    assert len(given.agents) == 1
    assert given.policy.retry_lead == ()
    assert given.guards.calls.mode == "hold"
    assert (given.guards.calls.per_hour or 99) <= 12


def test_the_page_names_no_setting_that_does_not_exist_and_all_that_are_the_providers() -> None:
    named_here = set(re.findall(r"\bLEADRING_[A-Z_]*[A-Z]\b", PAGE))
    real = {PREFIX + name.upper() for name in Settings.model_fields}
    assert named_here <= real
    assert {name for name in real if name.startswith(f"{PREFIX}VOICENTER_")} <= named_here
