"""docs/voicenter.md answers every citation in the code, and says what the code really sends, reads and decides."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.directory import Directory, parse_directory
from app.directory_policy import PROVIDER_OPTIONS
from app.domain import moves
from app.domain.lead import Attempt
from app.domain.states import OUTCOMES
from app.ports import CallRequest
from app.service.progress import APART
from app.settings import PREFIX, Settings
from app.voicenter.answer import MAX_BYTES
from app.voicenter.cdr import read_call_records
from app.voicenter.codes import CODES
from app.voicenter.parameters import call_parameters

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "voicenter.md").read_text(encoding="utf-8")
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
    "status": "status",
    "the agent's status": "agent_leg_status",
    "talk time": "talk_seconds",
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


def directory(policy: str = "") -> Directory:
    site = '[[sites]]\nkey = "main"\norigins = ["https://x.example"]\nvariables = { campaign = "a" }\n'
    return parse_directory(f'[policy]\n{policy}\n{site}[[agents]]\nid = "a"\nextension = "SIPa"\n')


def sent(policy: str = "", login_code: str | None = None) -> dict[str, str]:
    """What goes out for a call under such a policy, as the dispatcher asks for it."""
    given = directory(policy)
    rules = given.policy
    call = CallRequest(
        lead_id="lead-id",
        attempt_id="attempt-id",
        extension="SIPa",
        lead_phone=PHONE,
        login_code=login_code,
        ring_agent=rules.ring_agent,
        ring_lead=rules.ring_lead,
        max_duration=rules.max_duration,
        record=rules.record,
        options=rules.provider_options,
        variables=given.sites["main"].variables,
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


def test_the_scanned_spelling_is_explained_and_never_sent() -> None:
    assert "ignorednostatus" in PAGE
    assert "ignorednostatus" not in sent(ALL_OPTIONS)


def test_every_code_has_one_row_with_the_rule_the_code_follows() -> None:
    documented = {row[0]: None if row[1] == "–" else row[1].strip("`") for row in rows("3.", "code")}
    assert documented == {str(code): rule for code, (_, rule) in CODES.items()}


def test_the_waits_on_the_page_are_the_waits_of_the_code() -> None:
    by_code = {row[0]: row[3] for row in rows("3.", "code")}
    assert f"after {moves.ERROR_RETRY} seconds" in by_code["2"]
    assert f"for {moves.OFFLINE_FOR} seconds" in by_code["3"]
    assert f"for {moves.BLOCKED_FOR // 60} minutes" in by_code["4"]
    assert f"after {', '.join(map(str, moves.SEND_RETRY))}," in PAGE
    assert f"after {moves.UNRESOLVED_AFTER // 60} minutes without one" in PAGE
    assert f"more than {MAX_BYTES // 1024} KiB" in PAGE
    assert f"at\nmost every {APART:g} seconds" in PAGE or f"at most every {APART:g} seconds" in PAGE


@pytest.mark.parametrize("row", rows("4.", "status"), ids=lambda row: row[0])
def test_a_status_means_on_each_leg_what_the_table_says(row: list[str]) -> None:
    status = row[0].strip("`") if row[0].startswith("`") else "SOMETHING_NEW"
    on_lead, on_agent = (None if cell == "–" else cell.strip("`") for cell in row[1:3])
    assert moves.outcome_of(attempt(leg2_status=status, leg2_talk=9)) == on_lead
    assert moves.outcome_of(attempt(leg1_status=status, leg1_talk=9)) == on_agent
    assert {on_lead, on_agent} - {None} <= set(OUTCOMES)


def test_every_status_that_the_code_tells_apart_is_in_the_table() -> None:
    documented = column("4.", "status")
    assert len(documented) == len(set(documented))
    told_apart = {*moves.LEAD_LEG, *moves.NEVER_DIALLED, "ANSWER"}
    assert told_apart <= set(documented)


def test_an_answered_leg_without_talk_is_no_conversation_as_the_page_says() -> None:
    assert "talk time of 0 is `lead_no_answer`" in PAGE
    assert moves.outcome_of(attempt(leg2_status="ANSWER", leg2_talk=0)) == "lead_no_answer"


@pytest.mark.parametrize("row", rows("4.", "what"), ids=lambda row: row[0])
def test_every_field_of_a_record_on_the_page_is_read_into_what_it_says(row: list[str]) -> None:
    values = {"leg": "Click2Call leg2", "phone": "0501234567", "recording": "https://x.example/a.mp3"}
    value = values.get(row[0], "17")
    for field in re.findall(r"`([^`]+)`", row[1]):
        body = {"IVRUNIQUEID": "known", field.upper(): value}
        body = body if row[0] != "call id" else {field.upper(): value}
        (record,) = read_call_records(json.dumps(body))
        assert getattr(record, READ[row[0]]) not in (None, "", "known"), field


def test_the_table_of_record_fields_is_complete() -> None:
    assert column("4.", "what") == list(READ)


def test_the_file_for_the_first_call_is_right_and_rings_one_person_only() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    given = parse_directory(block)
    assert given.warnings == ()
    assert len(given.agents) == 1
    assert given.policy.retry_lead == ()
    assert given.guards.calls.mode == "hold"
    assert (given.guards.calls.per_hour or 99) <= 3


def test_the_page_names_no_setting_that_does_not_exist_and_all_that_are_the_providers() -> None:
    named_here = set(re.findall(r"\bLEADRING_[A-Z_]*[A-Z]\b", PAGE))
    real = {PREFIX + name.upper() for name in Settings.model_fields}
    assert named_here <= real
    assert {name for name in real if name.startswith(f"{PREFIX}VOICENTER_")} <= named_here
