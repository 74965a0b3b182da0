"""`leadring sources example`: the payload to the byte, and a line that a shell and the service understand."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
import time_machine

from app.clock import to_datetime
from app.directory_types import PRESETS
from app.forms.examples import examples
from app.forms.multipart import read_parts
from app.forms.signatures import SCHEMES, Delivery, can_sign, signed
from tests.test_cli import Run, folder, run

__all__ = ["folder", "run"]

ROOT = Path(__file__).resolve().parent.parent
EMBED = (ROOT / "docs" / "embed.md").read_text(encoding="utf-8")
URL = "https://calls.example.com/v1/hooks/shop/0123456789abcdef"
SECRET = "whsec of 'the' builder"
NOW = 1795418100000
POSTED = tuple(preset for preset in PRESETS if preset != "meta")  # of Meta it is what Graph answers


class Posted:
    """What curl would make of the line."""

    def __init__(self, line: str) -> None:
        words = shlex.split(line)
        assert (words[0], words[-1]) == ("curl", URL)
        pairs = list(zip(words[1:-1:2], words[2:-1:2], strict=True))
        self.headers = dict(value.split(": ", 1) for option, value in pairs if option == "-H")
        self.parts = [tuple(value.split("=", 1)) for option, value in pairs if option == "--form-string"]
        self.body = "".join(value for option, value in pairs if option == "--data-binary").encode()
        assert {option for option, _ in pairs} <= {"-H", "--form-string", "--data-binary"}


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_printed_is_the_payload_and_a_pipe_reads_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    done = run("sources", "example", preset)
    assert (done.code, done.out.encode(), done.err) == (0, examples()[preset].body, "")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(done.out.encode())))
    read = run("map", "-", "--preset", preset, "--json")
    assert read.code == 0
    found = json.loads(read.out)
    assert found["preset"] == (preset if preset not in ("zapier", "make") else "generic"), (
        "they are read as what they pass on"
    )
    assert found["phone"]["e164"] == "+972542345678"
    assert found["verdict"] == "lead"


@pytest.mark.parametrize("preset", POSTED)
def test_the_line_posts_the_very_payload(run: Run, preset: str) -> None:
    done = run("sources", "example", preset, "--curl", URL)
    assert done.out.count("\n") == 1
    posted, example = Posted(done.out), examples()[preset]
    if posted.parts:
        boundary = example.content_type.split("boundary=")[1].strip('"').encode()
        assert posted.parts == read_parts(example.body, boundary, 300)
        assert posted.headers == {}, "curl names its own boundary"
    else:
        assert posted.body == example.body
        assert posted.headers == {"Content-Type": example.content_type}


@pytest.mark.parametrize("preset", [preset for preset in POSTED if can_sign(preset)])
def test_with_the_secret_it_is_signed_as_the_builder_signs(run: Run, preset: str) -> None:
    with time_machine.travel(to_datetime(NOW), tick=False):
        posted = Posted(run("sources", "example", preset, "--curl", URL, "--secret", SECRET).out)
    headers = {name.lower(): value for name, value in posted.headers.items()}
    delivery = Delivery("POST", URL, headers, posted.body)
    assert signed(preset, delivery, [SECRET], NOW)
    assert not signed(preset, delivery, ["another"], NOW)
    assert (SCHEMES[preset].header in headers) if preset in SCHEMES else json.loads(posted.body)["google_key"] == SECRET


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("elementr",), "elementr: there is no such builder"),
        (("elementr",), ", ".join(PRESETS)),
        (("elementor", "--curl", URL, "--secret", "x"), "--secret: elementor cannot sign"),
        (("meta", "--curl", URL), "--curl: meta posts only the id of a lead"),
        (("tally", "--secret", "x"), "--secret: it is for --curl"),
    ],
)
def test_a_mistake_is_told(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run("sources", "example", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


@pytest.mark.parametrize("preset", PRESETS)
def test_every_builder_has_a_row_that_leads_to_its_part_and_tells_its_proof(preset: str) -> None:
    (row,) = [line for line in EMBED.splitlines() if f"`leadring sources example {preset}` |" in line]
    (anchor,) = re.findall(rf"\[{preset}\]\(builders\.md#(\S+)\)", row)
    page = (ROOT / "docs" / "builders.md").read_text(encoding="utf-8")
    heads = {
        re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-"): head for head in re.findall(r"^### (.*)$", page, re.M)
    }
    assert f"(`{preset}`)" in heads[anchor]
    proof = row.split("|")[3].strip().lower()
    if preset in SCHEMES:
        assert f"`{SCHEMES[preset].header}`" in proof
    else:
        assert proof == ("`google_key` in the body" if can_sign(preset) else "nothing")
    assert "`+972542345678`" in EMBED, "the phone that every example is read as"


def test_they_go_into_the_wheel() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    packed = {file for pattern in data["app"] for file in (ROOT / "app").glob(pattern)}
    there = [file for file in (ROOT / "app" / "forms" / "examples").iterdir() if file.suffix not in (".py", "")]
    assert sorted(file.name.split(".")[0] for file in there) == sorted(PRESETS)
    assert set(there) <= packed
