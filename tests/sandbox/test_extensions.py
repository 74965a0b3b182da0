"""Several hundred extensions: the same every time, in a stable order, listed quickly."""

import re
import time

import httpx
import pytest

from app.sandbox import Sandbox, create_sandbox
from app.sandbox.extensions import make_extensions
from app.sandbox.pages import snapshot
from tests.sandbox_server import RunningSandbox

from .conftest import Caller


def test_made_up_extensions_look_like_sip_codes_and_never_change() -> None:
    made = make_extensions(300)
    assert len(made) == 300
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]{7}", code) for code in made)
    assert list(make_extensions(500))[:300] == list(made)
    assert len(set(make_extensions(500).values())) == 500


def test_an_account_has_no_less_than_no_extension() -> None:
    with pytest.raises(ValueError, match="between 0 and 5000"):
        make_extensions(-1)


def test_active_calls_of_500_extensions_come_within_30_ms_and_in_the_order_of_the_account() -> None:
    with RunningSandbox(extensions=500) as sandbox, httpx.Client(trust_env=False) as client:
        extensions = sandbox.extensions
        for code in extensions[10:40]:
            sandbox.busy(code, f"0731{extensions.index(code):06}")
        seconds = []
        for _ in range(8):
            started = time.perf_counter()
            answer = client.post(f"{sandbox.monitor_url}/GetExtensionsCalls", json={"code": "sandbox"})
            seconds.append(time.perf_counter() - started)
            listed = answer.json()["EXTENSIONS"]
            assert [one["username"] for one in listed] == extensions
            assert sum(len(one["calls"]) for one in listed) == 30
        assert min(seconds) < 0.03


async def test_a_configured_account_refuses_strangers_on_either_leg(caller: Caller) -> None:
    caller.sandbox.phones = create_sandbox(extensions=["SIPdana1"]).state.sandbox.phones
    stranger = await caller.call(phone="SIPnoa02")
    target = await caller.call(phone="0501234567", target="SIPnoa02")
    assert [one["ERRORMESSAGE"] for one in (stranger, target)] == [
        "Phone is not an extension of this account",
        "Target is not an extension of this account",
    ]
    for known in ({}, {"phone": "SIPTRUNK"}, {"phone": "logincode", "phonelogincode": "dana"}):
        assert (await caller.call(**known))["ERRORCODE"] == 0


def test_the_page_shows_phones_in_use_first_and_finds_the_others() -> None:
    sandbox: Sandbox = create_sandbox(extensions=300).state.sandbox
    last = sandbox.phones.extensions()[-1]
    sandbox.busy(last.number)
    agents = snapshot(sandbox)["agents"]
    assert isinstance(agents, list)
    assert (len(agents), agents[0]["number"]) == (4, last.number)
    found = snapshot(sandbox, "DANA levi")
    assert (found["agents_in_all"], found["agents_found"]) == (300, 3)
    assert snapshot(sandbox)["leads"] == []
