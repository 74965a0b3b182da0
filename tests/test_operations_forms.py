"""`leadring map` and `leadring sources learn`: what they say of a captured payload, and what they write."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app.directory import load_directory
from app.errors import ConfigurationError
from app.forms.mapping import map_payload
from app.forms.payload import decode
from app.sources_file import NewTable, add_source
from tests.test_cli import NO_HOLES, Run, folder, run

__all__ = ["folder", "run"]

FORM = (("form_id", "3f2a9c1"), ("form_name", "LP"))
META = (("Page URL", "https://www.example.com/lp/"), ("Remote IP", "203.0.113.9"), ("Powered by", "Elementor"))
ELEMENTOR = urlencode((("שם מלא", "דנה לוי"), ("טלפון", "054-2345678"), *META, *FORM))
FIELDS = (("field_9a1", "054-2345678"), ("field_2", "דנה לוי"), ("field_3", "123456782"))
UNLABELLED = urlencode((*((f"No Label {name}", value) for name, value in FIELDS), *FORM))
SOURCE = '\n[sources.shop]\npreset = "elementor"\ntoken = "0123456789abcdef"\nmap = { phone = "No Label field_9a1" }\n'
REQUEST = (
    "POST /v1/hooks/shop/0123456789abcdef HTTP/1.1\r\nHost: leads.example.com\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
)


@pytest.fixture
def payload(folder: Path) -> Path:
    """A captured body, as Elementor sends it."""
    file = folder / "captured.txt"
    file.write_text(ELEMENTOR, encoding="utf-8")
    return file


def test_map_tells_each_field_where_it_was_found_and_whether_it_would_be_rung(run: Run, payload: Path) -> None:
    done = run("map", "captured.txt", "--preset", "elementor")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[:7] == [
        "read as elementor",
        "  phone: 054-2345678",
        '      from טלפון (alias "טלפון"), sure',
        "      reads as +972542345678, mobile, IL",
        "  name: דנה לוי",
        '      from שם מלא (alias "שם מלא"), sure',
        "  page_url: https://www.example.com/lp/",
    ]
    assert "  form_name: LP" in done.out
    assert "nothing in it keeps it from being rung" in done.out


def test_map_needs_no_leadring_toml_when_a_preset_is_given(run: Run, payload: Path, folder: Path) -> None:
    (folder / "leadring.toml").unlink()
    assert run("map", "captured.txt", "--preset", "elementor").code == 0
    assert run("map", "captured.txt").out.startswith("read as elementor"), "it is recognised, too"
    (folder / "leadring.toml").write_text("not toml", encoding="utf-8")
    assert run("map", "captured.txt", "--preset", "elementor").code == 0
    done = run("map", "captured.txt", "--source", "shop")
    assert (done.code, "is not TOML" in done.err) == (2, True)


def test_map_reads_as_a_source_of_the_file_named_or_by_the_path_of_the_request(run: Run, folder: Path) -> None:
    (folder / "leadring.toml").write_text(NO_HOLES + SOURCE, encoding="utf-8")
    (folder / "body").write_text(UNLABELLED, encoding="utf-8")
    (folder / "request").write_text(REQUEST + UNLABELLED, encoding="utf-8")
    named = run("map", "body", "--source", "shop")
    assert named.code == 0
    assert named.out.startswith("read as elementor for [sources.shop]")
    assert 'from No Label field_9a1 (override "No Label field_9a1"), certain' in named.out
    assert run("map", "request").out == named.out
    assert "0123456789abcdef" not in named.out


def test_map_prints_json_for_a_script(run: Run, payload: Path) -> None:
    found = json.loads(run("map", "captured.txt", "--json").out)
    assert found["fields"]["phone"] == "054-2345678"
    assert found["phone"]["e164"] == "+972542345678"
    assert found["not_rung"] == []
    assert set(found) == {
        *("preset", "fields", "extra", "found_as", "low_confidence", "delivery_id", "submitted_at", "is_test"),
        *("phone", "phone_refused", "not_rung", "looks_like", "evidence", "verdict", "to_write"),
    }
    assert found["evidence"]["phone"] == {"paths": ["טלפון"], "by": 'alias "טלפון"', "surely": "sure"}
    assert (found["looks_like"], found["verdict"], found["to_write"]) == ("elementor", "lead", None)


def test_without_a_phone_map_ends_with_2_and_says_what_to_write(run: Run, folder: Path) -> None:
    (folder / "body").write_text('{"field_7": "call me", "name": "Dana"}', encoding="utf-8")
    done = run("map", "body")
    assert done.code == 2
    assert 'write map = { phone = "…" } with the name of the right field: among its fields are "field_7"' in done.err
    (folder / "body").write_text('{"phone": "12"}', encoding="utf-8")
    done = run("map", "body")
    assert (done.code, "cannot be rung" in done.err) == (2, True)


def test_of_metas_webhook_map_says_that_the_answers_are_asked_for(run: Run, folder: Path) -> None:
    change = {"field": "leadgen", "value": {"leadgen_id": "444", "created_time": 1795418100}}
    (folder / "body").write_text(json.dumps({"object": "page", "entry": [{"changes": [change]}]}), encoding="utf-8")
    done = run("map", "body")
    assert done.code == 2
    assert done.out.startswith("read as meta")
    assert "Meta's webhook only names its leads" in done.err


@pytest.mark.parametrize(
    ("told", "hindrance"),
    [
        ({"a": "054-2345678"}, "the phone is only guessed"),
        ({"phone": "+14155552671"}, "the guard country would hold it"),
        ({"phone": "1-900-123-456"}, "the guard premium would refuse it"),
        ({"phone": "054-2345678", "is_test": True}, "it is a test"),
        ({"phone": "054-2345678", "_gotcha": "x"}, "the trap for robots is filled"),
        (
            {
                "eventType": "FORM_RESPONSE",
                "data": {"createdAt": "2020-01-01T00:00:00Z", "fields": [{"key": "phone", "value": "054-2345678"}]},
            },
            "it was sent more than 15m ago",
        ),
    ],
    ids=["guessed", "country", "premium", "test", "robot", "stale"],
)
def test_map_says_what_would_keep_it_from_being_rung(run: Run, folder: Path, told: object, hindrance: str) -> None:
    (folder / "body").write_text(json.dumps(told), encoding="utf-8")
    done = run("map", "body")
    assert re.search(rf"^not rung: .*{re.escape(hindrance)}", done.out, re.MULTILINE)
    assert "nothing in it keeps" not in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.txt",), "nowhere.txt: cannot be read: No such file"),
        (("captured.txt", "--preset", "elementar"), 'there is no elementar; did you mean "elementor"?'),
        (("captured.txt", "--source", "shop"), "there is no [sources.shop]"),
        (("captured.txt", "--source", "shop", "--preset", "wix"), "not both"),
        (("captured.txt", "--content-type", "application/json"), "not JSON in UTF-8"),
        (("captured.txt", "--content-type", "image/png"), "unsupported_media_type"),
    ],
    ids=range(6),
)
def test_a_mistake_is_a_sentence_and_ends_with_2(
    run: Run, payload: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run("map", *arguments)
    assert done.code == 2
    assert words in done.err


def test_learn_prints_the_table_and_the_address_and_writes_nothing(run: Run, folder: Path) -> None:
    (folder / "body").write_text(UNLABELLED, encoding="utf-8")
    before = (folder / "leadring.toml").read_bytes()
    done = run("sources", "learn", "body", "--name", "elementor-main")
    assert (done.code, done.err) == (0, "")
    assert (folder / "leadring.toml").read_bytes() == before
    (table,) = re.findall(r"^\[sources\.elementor-main\]\n(?:.+\n)+", done.out, re.MULTILINE)
    found = tomllib.loads(table)["sources"]["elementor-main"]
    assert (found["preset"], found["site"]) == ("elementor", "main")
    assert found["map"] == {"phone": "No Label field_9a1", "name": "No Label field_2"}
    assert len(found["token"]) == 32
    assert f"https://YOUR-HOST/v1/hooks/elementor-main/{found['token']}\n" in done.out
    assert "reads as +972542345678" in done.out


def test_two_tokens_are_never_the_same(run: Run, payload: Path) -> None:
    tokens = {re.search(r"hooks/a/(\S+)", run("sources", "learn", "captured.txt", "--name", "a").out) for _ in "12"}
    assert len({token[1] for token in tokens if token}) == 2


def test_learn_write_appends_it_and_what_is_written_reads_the_payload(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADRING_PUBLIC_URL", "https://leads.example.com/")
    (folder / "body").write_text(UNLABELLED, encoding="utf-8")
    file = folder / "leadring.toml"
    file.chmod(0o640)
    done = run("sources", "learn", "body", "--name", "elementor-main", "--site", "main", "--write")
    assert done.code == 0
    assert file.read_text(encoding="utf-8").startswith(NO_HOLES.rstrip())
    assert file.stat().st_mode & 0o777 == 0o640
    source = load_directory(file).sources["elementor-main"]
    assert done.out.count(source.tokens[0]) == 1
    assert f"https://leads.example.com/v1/hooks/elementor-main/{source.tokens[0]}" in done.out
    found = map_payload(decode("text/plain", UNLABELLED.encode()), source, "IL")
    assert (found.fields["phone"], found.fields["name"]) == ("054-2345678", "דנה לוי")
    assert not found.low_confidence
    assert [path.name for path in folder.glob(".leadring*")] == []


def test_learn_write_writes_nothing_where_no_number_was_found(run: Run, folder: Path) -> None:
    (folder / "body").write_text("name=Noa&form_id=1", encoding="utf-8")
    before = (folder / "leadring.toml").read_bytes()
    done = run("sources", "learn", "body", "--name", "shop", "--write")
    assert done.code == 2
    assert "nothing is written: no telephone number was found in body" in done.err
    assert (folder / "leadring.toml").read_bytes() == before


def test_learn_says_what_is_to_be_done_before_the_address_is_given_away(run: Run, payload: Path) -> None:
    told = run("sources", "learn", "captured.txt", "--name", "a", "--preset", "google_ads").out
    assert "look: google_ads can prove that a request is its own: put what it signs with under signing_secret" in told
    assert "look: LEADRING_PUBLIC_URL is not set" in told


def test_a_name_that_is_taken_or_no_name_is_refused_and_the_file_stays(run: Run, payload: Path, folder: Path) -> None:
    file = folder / "leadring.toml"
    file.write_text(NO_HOLES + SOURCE, encoding="utf-8")
    for arguments, words in (
        (("--name", "shop"), "there is a [sources.shop] already"),
        (("--name", "with space"), "--name: must be"),
        (("--name", "x", "--site", "mian"), 'there is no site "mian"; did you mean "main"?'),
        (("--name", "x", "--preset", "wixx"), 'did you mean "wix"?'),
    ):
        done = run("sources", "learn", "captured.txt", *arguments, "--write")
        assert (done.code, words in done.err) == (2, True), done.err
    assert file.read_text(encoding="utf-8") == NO_HOLES + SOURCE


def test_a_file_that_would_not_parse_any_more_stays_as_it_was(folder: Path) -> None:
    file = folder / "leadring.toml"
    before = file.read_bytes()
    for text in ("[sources.x]\ntoken = 5\n", "[sources.x\n", '[sources.x]\ntoken = "short"\n'):
        with pytest.raises(ConfigurationError):
            add_source(file, "x", NewTable(text, "t"))
    assert file.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["leadring.toml"]


def test_a_link_to_the_file_stays_a_link(folder: Path) -> None:
    file, link = folder / "leadring.toml", folder / "link.toml"
    link.symlink_to(file)
    add_source(link, "x", NewTable('[sources.x]\ntoken = "0123456789abcdef"\n', "0123456789abcdef"))
    assert link.is_symlink()
    assert "x" in load_directory(file).sources


def test_learn_says_what_it_is_not_sure_of(run: Run, folder: Path) -> None:
    (folder / "body").write_text('{"f1": "054-2345678", "f2": "03-5123456", "f3": "10"}', encoding="utf-8")
    done = run("sources", "learn", "body", "--name", "x")
    assert 'map = { phone = "f1" }' in done.out
    assert 'look: phone could as well be "f2"' in done.out
    assert "look: there is no name" in done.out
    (folder / "body").write_text('{"f3": "10"}', encoding="utf-8")
    assert "look: no value reads as a number" in run("sources", "learn", "body", "--name", "x").out


def test_learn_names_a_field_by_its_path_where_its_label_is_there_twice(run: Run, folder: Path) -> None:
    told = {"a": {"x": "054-2345678"}, "b": {"x": "d@example.com"}}
    (folder / "body").write_text(json.dumps(told), encoding="utf-8")
    done = run("sources", "learn", "body", "--name", "x")
    assert 'map = { phone = "a.x", email = "b.x" }' in done.out


def test_the_headers_of_a_captured_request_tell_the_builder(run: Run, folder: Path) -> None:
    head = "POST /x HTTP/1.1\nContent-Type: application/json\nX-WPForms-Webhook-Id: 7\n\n"
    (folder / "request").write_text(head + '{"phone": "054-2345678", "name": "Dana"}', encoding="utf-8")
    assert 'preset = "wpforms"' in run("sources", "learn", "request", "--name", "x").out


def test_a_chunked_request_and_a_multipart_body_are_read(run: Run, folder: Path) -> None:
    head = "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
    (folder / "chunked").write_bytes(f'{head}9\r\n{{"phone":\r\n10\r\n "054-2345678" }} \r\n0\r\n\r\n'.encode())
    assert run("map", "chunked").code == 0
    multipart = '--xyz\r\nContent-Disposition: form-data; name="phone"\r\n\r\n054-2345678\r\n--xyz--\r\n'
    (folder / "multipart").write_bytes(multipart.encode())
    assert run("map", "multipart").code == 0
