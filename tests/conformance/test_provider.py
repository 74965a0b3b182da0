"""The suite's own brakes: what never leaves for a real account, and what never shows."""

from __future__ import annotations

import httpx
import pytest

from .account import LEAST_PAUSE, MOST_REQUESTS, VARIABLES, Account, EnvironmentWrongError, Secret, account_in
from .answers import masked, read_answer
from .provider import Face, HarmfulError, NoAnswerError, Provider
from .table import table_of

CODE = "canary-8c1f"
URL = "https://provider.example/ForwardDialer/click2call.aspx"
GIVEN = {"LEADRING_CONFORMANCE_URL": URL, "LEADRING_CONFORMANCE_CODE": CODE}


class Line:
    """A provider that remembers what reached it, and a clock that moves only when somebody waits."""

    def __init__(self, *, real: bool = True, body: str = "{}") -> None:
        self.reached: list[httpx.Request] = []
        self.waited: list[float] = []
        self.now = 100.0
        self.body = body
        account = Account(urls={"click2call": URL}, code=Secret(CODE), real=real, pause=5.0, most=3 if real else None)
        self.provider = Provider(
            account, clock=lambda: self.now, wait=self._wait, transport=httpx.MockTransport(self._answer)
        )
        self.ask = Face(self.provider, "click2call", {"action": "call"})

    def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.reached.append(request)
        return httpx.Response(200, text=self.body)


@pytest.mark.parametrize("name", ["phone", "target", "Phone", "TARGET", "phonelogincode"])
@pytest.mark.parametrize("action", ["call", "terminate", None])
def test_a_real_account_is_never_asked_with_a_phone(name: str, action: str | None) -> None:
    line = Line()
    with pytest.raises(HarmfulError):
        line.ask({name: "0501234567"}, action=action)
    assert line.reached == []


def test_the_code_never_stands_in_the_address_of_a_real_account() -> None:
    line = Line()
    with pytest.raises(HarmfulError):
        line.ask(method="GET")
    line.ask(method="GET", signed=False)
    line.ask()
    assert [CODE in str(request.url) for request in line.reached] == [False, False]
    assert CODE in line.reached[1].content.decode()


def test_a_body_made_by_hand_never_reaches_a_real_account() -> None:
    line = Line()
    with pytest.raises(HarmfulError):
        line.ask(body='{"phone": "0501234567"}')
    assert line.reached == []


def test_requests_keep_their_distance() -> None:
    """Five seconds from one to the next; none before the first; time spent elsewhere counts."""
    line = Line()
    line.ask()
    line.now += 2.0
    line.ask()
    line.now += 60.0
    line.ask()
    assert line.waited == [3.0]


def test_the_budget_ends_the_run() -> None:
    line = Line()
    for _ in range(3):
        line.ask()
    with pytest.raises(HarmfulError):
        line.ask()
    assert len(line.reached) == 3


def test_a_sandbox_has_no_brakes_but_the_pace() -> None:
    line = Line(real=False)
    for _ in range(4):
        line.ask(phone="SIPdana1")
    assert len(line.reached) == 4


def test_what_failed_is_named_without_the_request() -> None:
    """An httpx error holds the request, and the request the code: neither is chained to what is raised."""
    line = Line()

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(CODE, request=request)

    provider = Provider(line.provider.account, transport=httpx.MockTransport(refuse))
    with pytest.raises(NoAnswerError, match="ConnectError") as caught:
        provider.ask("click2call", {})
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert CODE not in str(caught.value)


def test_an_answer_shows_neither_code_nor_numbers_nor_people() -> None:
    text = f'{{"ERRORCODE": 1, "ERRORMESSAGE": "{CODE} from 0501234567 dana@x.example", "CALLID": "20240601"}}'
    line = Line(body=text)
    answer = line.ask()
    rows = read_answer(200, {}, b'{"EXTENSIONS": [{"Name": "Dana Levi"}]}').rows("EXTENSIONS")
    shown = f"{answer!r} {answer} {answer.message} {rows!r} {line.provider.account!r}"
    shown += "\n".join(table_of(line.provider.exchanges, {}, set()))
    assert [word for word in (CODE, "0501234567", "dana@", "Dana", "20240601") if word in shown] == []
    assert (answer.code, answer.message) == (1, "*** from *** ***")


@pytest.mark.parametrize(
    ("body", "kind", "code", "bom"),
    [
        (b'{"ERRORCODE": "3"}', "json", 3, False),
        (b'\xef\xbb\xbf {"ERR": 1}', "json", 1, True),
        (b"<a><member><name>ERRORCODE</name><value><int> 4 </int></value></member></a>", "xml", 4, False),
        (b"<html>Service Unavailable</html>", "other", None, False),
        (b'<!DOCTYPE a [<!ENTITY e "x">]><a><member><name>&e;</name></member></a>', "other", None, False),
        (b"[1]", "other", None, False),
        (b"\xff", "other", None, False),
        (b"", "other", None, False),
    ],
)
def test_whatever_comes_back_can_be_put_into_the_table(body: bytes, kind: str, code: int | None, bom: bool) -> None:
    answer = read_answer(200, {"content-type": "text/html"}, body)
    assert (answer.kind, answer.code, answer.bom, answer.content_type) == (kind, code, bom, "text/html")


def test_masking_leaves_short_words_and_hides_long_numbers() -> None:
    assert masked("Phone is missing (1)") == "Phone is missing (1)"
    assert masked("call +972501234567\n at 12:30") == "call +*** at 12:30"
    assert len(masked("x" * 500)) == 120


def test_without_variables_there_is_no_account() -> None:
    assert account_in({"LEADRING_VOICENTER_CODE": "x"}) is None


def test_an_account_is_asked_where_addresses_are_given() -> None:
    monitor = {"LEADRING_CONFORMANCE_MONITOR_URL": "https://monitor.example/comet/API/"}
    account = account_in(GIVEN | monitor)
    assert account is not None
    assert account.urls == {"click2call": URL, "active_calls": "https://monitor.example/comet/API/GetExtensionsCalls"}
    assert (account.real, account.pause, account.most) == (True, LEAST_PAUSE, MOST_REQUESTS)
    assert account.code.reveal() == CODE


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"LEADRING_CONFORMANCE_CODE": ""}, "LEADRING_CONFORMANCE_CODE"),
        ({"LEADRING_CONFORMANCE_URL": " "}, "LEADRING_CONFORMANCE_URL"),
        ({"LEADRING_CONFORMANCE_URL": "provider.example"}, "click2call"),
        ({"LEADRING_CONFORMANCE_URL": f"{URL}?code={CODE}"}, "click2call"),
        ({"LEADRING_CONFORMANCE_EXTENSIONS_URL": "http://monitor.example/x"}, "https"),
        ({"LEADRING_CONFORMANCE_PAUSE": "soon"}, "LEADRING_CONFORMANCE_PAUSE"),
        ({"LEADRING_CONFORMANCE_PAUSE": "1"}, "between 5 and 600"),
        ({"LEADRING_CONFORMANCE_PAUSE": "nan"}, "between 5 and 600"),
    ],
)
def test_an_account_that_is_named_badly_is_refused_without_its_code(changed: dict[str, str], named: str) -> None:
    with pytest.raises(EnvironmentWrongError, match=named) as caught:
        account_in(GIVEN | changed)
    assert CODE not in str(caught.value)


def test_only_loopback_may_be_asked_faster() -> None:
    near = GIVEN | {"LEADRING_CONFORMANCE_URL": "http://127.0.0.1:9/x", "LEADRING_CONFORMANCE_PAUSE": "0"}
    account = account_in(near)
    assert account is not None
    assert account.pause == 0
    assert set(near) < set(VARIABLES)
