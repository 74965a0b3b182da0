"""docs/sandbox.md names every field, option, route and flag, and its curl lines do what they say."""

import inspect
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from http.server import HTTPServer
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from app.sandbox import Behaviour, CallLogOptions, CdrOptions, create_sandbox, run_sandbox
from app.sandbox.behaviour import AnswerKind
from app.sandbox.control import Deed, router
from app.sandbox.phones import STATUSES
from app.sandbox.standalone import settings, welcome
from tests.sandbox_server import RunningSandbox

from .conftest import CALL

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


OTHER_LINES = {
    "SANDBOX=http://127.0.0.1:8001",
    "leadring sandbox",
    "sleep 2",
    "TOKEN=$(openssl rand -hex 24)",
    "leadring sandbox --extensions 300 --cdr-url http://127.0.0.1:8000/v1/voicenter/cdr/$TOKEN > sandbox.env",
    "# extensions: PZRHIq1r … (300 in all)",
    "set -a; . ./sandbox.env; set +a",
    "leadring serve",
}


def _table(first_cell: str) -> dict[str, list[str]]:
    """The table whose heading begins so: first cell without its backticks → the other cells."""
    body = re.search(rf"^\| {re.escape(first_cell)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert body is not None, f"no table of {first_cell}"
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body[1].splitlines()]
    return {first.strip("` "): rest for first, *rest in cells}


def test_every_field_of_a_script_is_described_with_its_values() -> None:
    described = _table("field")
    assert set(described) == {field.name for field in fields(Behaviour)}
    hints = inspect.get_annotations(Behaviour)
    for name, (values, _) in described.items():
        literals = [one for part in get_args(hints[name]) for one in get_args(part)]
        assert re.findall(r"`(\w+)`", values) == (literals or re.findall(r"`(\w+)`", values)), name


def test_every_kind_of_answer_is_described() -> None:
    assert tuple(_table("`answer`")) == get_args(AnswerKind)


@pytest.mark.parametrize(
    ("heading", "kind"), [("option of the records", CdrOptions), ("option of the call log", CallLogOptions)]
)
def test_every_option_is_described_with_its_default(
    heading: str, kind: type[CdrOptions] | type[CallLogOptions]
) -> None:
    described, defaults = _table(heading), {field.name: field.default for field in fields(kind)}
    assert set(described) == set(defaults)
    for name, (default, _) in described.items():
        value = defaults[name]
        told = "–" if value is None else value if isinstance(value, str) else json.dumps(value)
        assert default.strip("`") == told, name


def test_every_route_is_described() -> None:
    described = set(_table("request"))
    routes = {f"{method} {route.path}" for route in _routes() for method in route.methods}
    assert described == routes
    deeds, busy = (_table("request")[f"POST /sandbox/phones/{{number}}/{one}"][0] for one in ("{deed}", "busy"))
    assert set(get_args(Deed)) <= set(re.findall(r"`(\w+)`", deeds))
    assert "`free`" in busy
    statuses = _table("request")["POST /sandbox/phones/{number}/status"][0]
    assert all(f"{number} {name}" in statuses for number, name in STATUSES.items())


def _routes() -> Iterator[Any]:
    yield from router.routes


def test_every_option_of_the_command_is_described_with_its_default() -> None:
    described = _table("option")
    parameters = inspect.signature(run_sandbox).parameters
    assert set(described) == {f"--{name.replace('_', '-')}" for name in parameters}
    for name, parameter in parameters.items():
        told = described[f"--{name.replace('_', '-')}"][0].strip("`")
        default = {"None": "–", "False": "off"}.get(str(parameter.default), str(parameter.default))
        assert told == default.removesuffix(".0"), name


def test_what_is_printed_at_the_start_is_what_the_page_shows() -> None:
    some = [one.number for one in create_sandbox(extensions=300).state.sandbox.phones.extensions()]
    url = "http://127.0.0.1:8001"
    assert f"```text\n{welcome(url, ())}{settings(url, 'sandbox')}```\n" in PAGE
    assert f"extensions: {some[0]} … (300 in all)" in PAGE


def test_every_curl_line_works_in_the_order_of_the_page() -> None:
    shell = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    ran, said = 0, ""
    with RunningSandbox() as sandbox, httpx.Client(trust_env=False) as client:
        for line in shell:
            if line.startswith("curl "):
                answer = _curl(client, line.replace("$SANDBOX", sandbox.url).removesuffix("; echo"))
                assert line.endswith("; echo") != (answer.text == "" or answer.text.endswith("\n")), line
                assert answer.status_code in {200, 204}, line
                ran, said = ran + 1, answer.text
            elif line.startswith("# → "):
                assert line.removeprefix("# → ") in said
            else:
                assert line in OTHER_LINES
    assert ran > 20


def test_the_receiver_of_the_page_takes_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    source = re.search(r"^```python\n(.*?)^HTTPServer\(.*\.serve_forever\(\)\n```", PAGE, re.MULTILINE | re.DOTALL)
    assert source is not None
    written: dict[str, Any] = {}
    exec(compile(source[1], "docs/sandbox.md", "exec"), written)  # noqa: S102 - our own page
    written["Records"].log_message = lambda *_: None
    with HTTPServer(("127.0.0.1", 0), written["Records"]) as server:
        server.timeout = 10
        with RunningSandbox(cdr_url=f"http://127.0.0.1:{server.server_port}/") as sandbox:
            sandbox.set_behaviour("*", agent="busy")
            httpx.post(sandbox.click2call_url, json=CALL, trust_env=False)
            server.handle_request()
            server.handle_request()
            assert [one["status"] for one in sandbox.wait_for_cdr(2)] == [200, 200]
    assert [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()] == [
        "Click2Call leg1",
        "Click2Call leg2",
    ]


def _curl(client: httpx.Client, line: str) -> httpx.Response:
    """What curl would do with these few of its options."""
    words = iter(shlex.split(line)[1:])
    method, body, url = "", None, ""
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "--json":
                body = next(words)
            case _:
                url = word
    headers = {"content-type": "application/json", "accept": "application/json"} if body else {}
    return client.request(method or ("POST" if body else "GET"), url, content=body, headers=headers)
