"""The call log: all records of a window or none, never asked too often, and a reason when it is blind."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import from_datetime
from app.voicenter.body import lowered
from app.voicenter.call_log import APART, MOST_QUESTIONS, VoicenterCallLog, read_rows
from app.voicenter.cdr import read_call_records
from app.voicenter.questions import Reply, UnansweredError
from tests.voicenter.conftest import CODE
from tests.voicenter.raw_server import PATIENCE, Peer, RawServer, Script, http, raw_server
from tests.voicenter.read_only import VERSION, answering, asked, saying

# The shape of the vendor's sample, for a click-to-call leg (facts 4).
ROW: dict[str, Any] = {
    "CallerNumber": "0722776772",
    "TargetNumber": "972501234567",
    "Date": "2024-06-10T09:04:58Z",
    "Duration": 42,
    "CallID": "202406101204550233243a3189e5c",
    "CustomData": {"var_lead": "lead-1", "var_attempt": "attempt-1"},
    "Type": "Click2Call leg2",
    "CdrType": 10,
    "DialStatus": "ANSWER",
    "TargetExtension": "",
    "CallerExtension": "SIPSIP1",
    "RecordURL": "https://cpanel.voicenter.co.il/CallsHistory/PlayRecord/1.mp3",
    "RingTime": 10,
    "Price": 3,
    "RepresentativeName": "John Doe",
    "RepresentativeCode": "87654321",
}
SINCE = from_datetime(datetime(2024, 6, 10, 9, 0, 0, 700_000, tzinfo=UTC))
UNTIL = from_datetime(datetime(2024, 6, 10, 10, 0, 0, 100_000, tzinfo=UTC))


def log_of(*rows: Any, **more: Any) -> dict[str, Any]:
    return {
        "ERROR_NUMBER": 0,
        "ERROR_DESCRIPTION": "OK",
        "STATUS_CODE": 200,
        "TOTAL_HITS": len(rows),
        "RETURN_HITS": len(rows),
        "CDR_LIST": list(rows),
        **more,
    }


class Time:
    """Seconds that pass only by waiting."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def client_at(server: RawServer, time: Time, told: list[str] | None = None) -> VoicenterCallLog:
    return VoicenterCallLog(
        url=server.url,
        code=CODE,
        version=VERSION,
        on_request=lambda result, _: (told if told is not None else []).append(result),
        clock=time,
        wait=time.wait,
    )


async def calls_at(
    script: Script, told: list[str] | None = None, since: int = SINCE, until: int = UNTIL
) -> tuple[list[str] | None, str | None, RawServer, Time]:
    time = Time()
    async with raw_server(script) as server:
        client = client_at(server, time, told)
        try:
            return await asyncio.wait_for(client.calls(since, until), PATIENCE), client.trouble, server, time
        finally:
            await client.close()


async def test_the_question_holds_code_fields_and_the_window_in_gmt_rounded_outwards() -> None:
    _, _, server, _ = await calls_at(answering(saying(log_of())))
    (body,) = asked(server)
    assert body["code"] == CODE
    assert body["search"] == {
        "fromdate": "2024-06-10T09:00:00",
        "todate": "2024-06-10T10:00:01",
        "cdrTypes": [9, 10, 17, 18, 19],
    }
    assert {"CallID", "Date", "CdrType", "DialStatus", "Duration", "RecordURL", "CustomData"} <= set(body["fields"])
    assert body["sort"] == [{"field": "date", "order": "asc"}]
    assert server.requests[0].startswith(b"POST /ForwardDialer/click2call.aspx HTTP/1.1\r\n")


@pytest.mark.parametrize("case", ["pascal", "lower"])
async def test_a_row_becomes_a_record_whatever_the_case_of_its_names(case: str) -> None:
    row = ROW if case == "pascal" else {name.lower(): value for name, value in ROW.items()}
    found, trouble, _, _ = await calls_at(answering(saying(log_of(row))))
    assert found is not None
    assert trouble is None
    (text,) = found
    (record,) = read_call_records(text)
    assert (record.call_id, record.leg, record.status) == (ROW["CallID"], 2, "ANSWER")
    assert (record.talk_seconds, record.ring_seconds, record.price) == (42, 10, "3")
    assert (record.extension, record.phone) == ("SIPSIP1", "972501234567")
    assert (record.attempt_id, record.lead_id) == ("attempt-1", "lead-1")
    assert record.recording == ROW["RecordURL"]
    assert record.started_at == from_datetime(datetime(2024, 6, 10, 9, 4, 58, tzinfo=UTC))
    assert record.raw_time is None


@pytest.mark.parametrize(
    "answer",
    [
        log_of(),
        {"ERROR_NUMBER": "0", "TOTAL_HITS": 0, "RETURN_HITS": 0, "CDR_LIST": None},
        {"ERROR_NUMBER": 0, "TOTAL_HITS": "0"},
        {"CDR_LIST": []},
    ],
    ids=range(4),
)
async def test_a_window_in_which_nobody_called_is_empty_and_learned(answer: dict[str, Any]) -> None:
    told: list[str] = []
    found, trouble, _, _ = await calls_at(answering(saying(answer)), told)
    assert (found, trouble, told) == ([], None, ["ok"])


BLIND = {
    "rate": (
        saying(log_of(ERROR_NUMBER=1, ERROR_DESCRIPTION="wait 5 seconds", STATUS_CODE=403), 403),
        "more questions",
    ),
    "code": (saying(log_of(ERROR_NUMBER=2, ERROR_DESCRIPTION="Authorization failed"), 403), "account code"),
    "code as text": (saying(log_of(ROW, ERROR_NUMBER="2")), "account code"),
    "address": (saying(log_of(ERROR_NUMBER=4, ERROR_DESCRIPTION="IP not authorized")), "allow-list"),
    "dates": (saying(log_of(ERROR_NUMBER=5), 404), "dates"),
    "unlisted": (saying(log_of(ERROR_NUMBER=77, ERROR_DESCRIPTION="oops")), "error 77: oops"),
    "in words": (saying(log_of(ROW, ERROR_NUMBER="no")), "ERROR_NUMBER no"),
    "status inside": (saying(log_of(STATUS_CODE=403)), "HTTP 403"),
    "status outside": (saying(log_of(ROW), 500), "HTTP 500"),
    "no list": (saying({"ERROR_NUMBER": 0, "TOTAL_HITS": 3}), "no readable list"),
    "nothing": (saying({}), "no readable list"),
    "list that is none": (saying(log_of(CDR_LIST={"a": 1})), "no readable list"),
    "a row that is none": (saying(log_of(ROW, None)), "no readable list"),
    "403 of a page": (http(b"<h1>Forbidden</h1>", 403), "HTTP 403: Forbidden (is this server's address"),
    "page": (http(b"<html>hi"), "not readable: hi"),
    "empty": (http(b""), "empty answer"),
    "cut": (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "RemoteProtocolError"),
}


@pytest.mark.parametrize("case", BLIND)
async def test_what_was_not_learned_is_no_answer_and_says_why(case: str) -> None:
    raw, words = BLIND[case]

    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(raw)

    told: list[str] = []
    found, trouble, server, _ = await calls_at(once, told)
    assert found is None
    assert trouble is not None
    assert words in trouble
    assert told == ["unknown"]
    assert len(server.requests) == 1


async def test_the_code_and_phones_are_never_in_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    for answer in (
        saying(log_of(ERROR_NUMBER=9, ERROR_DESCRIPTION=f"{CODE} 0501234567")),
        http(f"{CODE} 0501234567".encode(), 403),
    ):
        _, trouble, _, _ = await calls_at(answering(answer))
        assert trouble is not None
        for secret in (CODE, "0501234567"):
            assert secret not in trouble + caplog.text


async def test_trouble_is_over_with_the_next_good_answer() -> None:
    time = Time()
    async with raw_server(answering(saying(log_of(ERROR_NUMBER=1)), saying(log_of()))) as server:
        client = client_at(server, time)
        seen = [client.trouble]
        for _ in range(2):
            await client.calls(SINCE, UNTIL)
            seen.append(client.trouble)
        await client.close()
    assert [trouble is None for trouble in seen] == [True, False, True]


async def test_two_questions_are_never_closer_than_the_provider_wants_whoever_asks() -> None:
    time = Time()
    async with raw_server(answering(saying(log_of()))) as server:
        client = client_at(server, time)
        await asyncio.gather(*(client.calls(SINCE, UNTIL) for _ in range(4)))
        time.now += 2
        await client.calls(SINCE, UNTIL)
        time.now += APART
        await client.calls(SINCE, UNTIL)
        await client.close()
    assert len(server.requests) == 6
    assert time.waits == [APART, APART, APART, APART - 2]


async def test_a_failed_question_counts_for_the_distance_too() -> None:
    time = Time()
    async with raw_server(answering(saying(log_of(ERROR_NUMBER=1)))) as server:
        client = client_at(server, time)
        await client.calls(SINCE, UNTIL)
        await client.calls(SINCE, UNTIL)
        await client.close()
    assert time.waits == [APART]


def seconds_of(body: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(body["search"]["fromdate"]), datetime.fromisoformat(body["search"]["todate"])


def giving(rows: list[dict[str, Any]], most: int) -> Script:
    """A call log that gives the first `most` rows of a window and says how many there are."""

    async def answer(peer: Peer) -> None:
        while True:
            request = await peer.request()
            start, end = seconds_of(json.loads(request.partition(b"\r\n\r\n")[2]))
            inside = [row for row in rows if start <= datetime.fromisoformat(row["Date"]).replace(tzinfo=None) <= end]
            given = inside[:most]
            await peer.send(saying(log_of(*given, TOTAL_HITS=len(inside), RETURN_HITS=len(given))))

    return answer


def row_at(minute: int) -> dict[str, Any]:
    return {**ROW, "CallID": f"call-{minute}", "Date": f"2024-06-10T09:{minute:02}:00Z"}


async def test_a_window_with_more_records_than_were_given_is_asked_for_in_halves() -> None:
    rows = [row_at(minute) for minute in range(0, 60, 10)]
    found, trouble, server, time = await calls_at(giving(rows, most=2))
    assert trouble is None
    assert found is not None
    assert [json.loads(text)["CallID"] for text in found] == [row["CallID"] for row in rows]
    assert 1 < len(server.requests) <= MOST_QUESTIONS
    assert time.waits == [APART] * (len(server.requests) - 1)


async def test_a_record_on_the_seam_of_two_halves_comes_once() -> None:
    rows = [row_at(minute) for minute in (0, 30, 59)]
    found, _, _, _ = await calls_at(giving(rows, most=2), until=SINCE + 3599_000)
    assert found is not None
    assert len(found) == len(set(found)) == 3


async def test_halving_has_an_end_and_half_a_window_is_no_answer() -> None:
    rows = [row_at(minute) for minute in range(60)]
    found, trouble, server, _ = await calls_at(giving(rows, most=1))
    assert found is None
    assert trouble == f"more records than {MOST_QUESTIONS} questions could fetch"
    assert len(server.requests) == MOST_QUESTIONS


async def test_a_second_with_too_many_records_is_not_learned() -> None:
    found, trouble, server, _ = await calls_at(answering(saying(log_of(ROW, TOTAL_HITS=2))), until=SINCE + 200)
    assert found is None
    assert trouble == "2 records, of which 1 were given"
    assert len(server.requests) == 1


async def test_a_full_answer_is_not_trusted_to_be_whole() -> None:
    """The provider's cap is 10,000 rows (facts 4): an answer with as many may have been cut."""
    rows = [{"CallID": str(number)} for number in range(10_000)]
    found, trouble, _, _ = await calls_at(answering(saying(log_of(*rows))), until=SINCE + 200)
    assert found is None
    assert trouble is not None


async def test_cancelling_passes_through_and_the_next_question_is_still_possible() -> None:
    async def hang_then_answer(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.until_gone()
        await peer.send(saying(log_of()))

    time = Time()
    async with raw_server(hang_then_answer) as server:
        client = client_at(server, time)
        task = asyncio.create_task(client.calls(SINCE, UNTIL))
        await asyncio.wait_for(server.arrived.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.wait_for(client.calls(SINCE, UNTIL), PATIENCE) == []
        await client.close()
    assert time.waits == [APART]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just(ROW),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(sorted(log_of())), VALUES), st.sampled_from([200, 200, 403]))
def test_any_answer_is_all_records_or_a_reason(fields: dict[str, object], status: int) -> None:
    answer = json.loads(json.dumps({**log_of(ROW), **fields}))
    try:
        rows = read_rows(Reply(status, lowered(answer)))
    except UnansweredError:
        return
    assert status == 200
    assert len(rows) == len(answer["CDR_LIST"] or [])
    for row in rows:
        assert isinstance(json.loads(row), dict)
