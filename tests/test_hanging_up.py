"""Hanging up ends our own call and no other, unless it is forced, and says in a sentence what came of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.errors import StorageUnavailable
from app.ports import ExtensionNow, HangUp, HungUp, LineCall, NotSent, Refused, Unknown
from app.service.hanging_up import Done, HangingUp

DANA = "SIPdana1"
OURS = LineCall(call_id="c-1", attempt_id="attempt-1", phone="972501234567", status="talking")
OURS_BY_CALL_ID = LineCall(call_id="c-1", attempt_id=None, phone="972501234567", status="ringing")
FOREIGN = LineCall(call_id="c-9", attempt_id=None, phone="972509999999", status="talking")


class FakeBook:
    """Knows the call c-1 of attempt-1, which is for lead-1. `dead`: which of its methods fail."""

    def __init__(self, *dead: str) -> None:
        self.dead = dead
        self.noted: list[tuple[str, str | None, str]] = []

    async def whose_call(self, attempt_id: str | None, call_id: str | None) -> str | None:
        if "whose_call" in self.dead:
            raise StorageUnavailable
        return "lead-1" if attempt_id == "attempt-1" or call_id == "c-1" else None

    async def note_hang_up(self, lead_id: str, attempt_id: str | None, who: str) -> None:
        if "note_hang_up" in self.dead:
            raise StorageUnavailable
        self.noted.append((lead_id, attempt_id, who))


class FakeTerminate:
    """Answers every request the same way, and keeps what it was asked."""

    def __init__(self, answer: HangUp) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def hang_up(self, extension: str) -> HangUp:
        self.asked.append(extension)
        return self.answer


class FakeLines:
    """Active calls: what is on Dana's extension, and a foreign call on Yossi's. None: cannot be learned."""

    def __init__(self, *calls: LineCall, blind: bool = False, listed: bool = True) -> None:
        self._calls = calls
        self._blind = blind
        self._listed = listed

    async def look(self) -> Sequence[ExtensionNow] | None:
        if self._blind:
            return None
        yossi = ExtensionNow("SIPyossi2", "in", (FOREIGN,))
        return [yossi, ExtensionNow(DANA, "in", self._calls)] if self._listed else [yossi]


class Desk:
    """A HangingUp with its fakes beside it."""

    def __init__(self, lines: FakeLines | None, answer: HangUp | None = None, book: FakeBook | None = None) -> None:
        self.book = book or FakeBook()
        self.terminate = FakeTerminate(answer or HungUp())
        self._desk = HangingUp(self.book, self.terminate, lines)

    async def hang_up(self, *, force: bool = False, extension: str = DANA) -> Done:
        return await self._desk.hang_up(extension, force=force, who="operator")


@pytest.mark.parametrize("call", [OURS, OURS_BY_CALL_ID], ids=["by attempt", "by call id"])
async def test_our_own_call_is_ended_and_the_lead_remembers_by_whom(call: LineCall) -> None:
    desk = Desk(FakeLines(call))
    done = await desk.hang_up()
    assert (done.result, done.lead_ids) == ("hung_up", ("lead-1",))
    assert done.message == "Voicenter says that it ended our call on SIPdana1."
    assert desk.terminate.asked == [DANA]
    assert desk.book.noted == [("lead-1", call.attempt_id, "operator")]


@pytest.mark.parametrize(
    ("lines", "result", "words"),
    [
        (FakeLines(), "nothing_there", "There is no call on SIPdana1."),
        (FakeLines(FOREIGN), "not_ours", "The call on SIPdana1 is not ours, and Voicenter takes no call id"),
        (FakeLines(OURS, FOREIGN), "not_ours", "Beside ours there is another call on SIPdana1"),
        (FakeLines(blind=True), "cannot_look", "Voicenter did not tell its active calls"),
        (FakeLines(listed=False), "cannot_look", "do not list this extension"),
        (None, "cannot_look", "active calls are switched off"),
    ],
    ids=["nothing there", "a call of others", "ours and another", "blind", "not listed", "presence off"],
)
async def test_nothing_is_ended_that_is_not_known_to_be_ours(lines: FakeLines | None, result: str, words: str) -> None:
    desk = Desk(lines)
    done = await desk.hang_up()
    assert done.result == result
    assert words in done.message
    assert done.message.endswith("Nothing was done.")
    assert desk.terminate.asked == []
    assert desk.book.noted == []


@pytest.mark.parametrize(
    ("lines", "noted"),
    [
        (FakeLines(), False),
        (FakeLines(FOREIGN), False),
        (FakeLines(OURS, FOREIGN), True),
        (FakeLines(blind=True), False),
        (FakeLines(listed=False), False),
        (None, False),
    ],
    ids=["nothing there", "a call of others", "ours and another", "blind", "not listed", "presence off"],
)
async def test_forced_it_is_ended_whosever_it_is_and_noted_where_it_was_ours(
    lines: FakeLines | None, noted: bool
) -> None:
    desk = Desk(lines)
    done = await desk.hang_up(force=True)
    assert done.result == "hung_up"
    assert "whatever was on SIPdana1" in done.message
    assert desk.terminate.asked == [DANA]
    assert bool(desk.book.noted) == noted


async def test_why_nobody_could_look_is_said_where_it_is_known() -> None:
    desk = HangingUp(FakeBook(), FakeTerminate(HungUp()), FakeLines(blind=True), trouble=lambda: "HTTP 403")
    done = await desk.hang_up(DANA, force=False, who="operator")
    assert "did not tell its active calls (HTTP 403). Nothing was done." in done.message


async def test_an_extension_in_other_letters_is_another_extension() -> None:
    """The provider's SIP codes are told apart by letter case (facts 1.2)."""
    desk = Desk(FakeLines(OURS))
    assert (await desk.hang_up(extension="SIPDANA1")).result == "cannot_look"
    assert desk.terminate.asked == []


@pytest.mark.parametrize(
    ("answer", "result", "code", "words"),
    [
        (Refused(1, "Phone is missing", "request_wrong"), "refused", 1, "refused to hang up SIPdana1 (code 1): Phone"),
        (Refused(None, "HTTP 403", "configuration"), "refused", None, "refused to hang up SIPdana1: HTTP 403"),
        (Unknown("no answer in time"), "unknown", None, "is not known: no answer in time"),
        (NotSent("no connection"), "not_sent", None, "SIPdana1 is as it was: no connection"),
    ],
)
async def test_what_the_provider_made_of_it_is_told_apart(
    answer: HangUp, result: str, code: int | None, words: str
) -> None:
    desk = Desk(FakeLines(OURS), answer)
    done = await desk.hang_up()
    assert (done.result, done.code, done.lead_ids) == (result, code, ("lead-1",))
    assert words in done.message
    assert desk.terminate.asked == [DANA]  # once: a second request might end the next call
    assert desk.book.noted == []


async def test_without_the_database_nothing_is_ended_unless_it_is_forced() -> None:
    desk = Desk(FakeLines(OURS), book=FakeBook("whose_call"))
    with pytest.raises(StorageUnavailable):
        await desk.hang_up()
    assert desk.terminate.asked == []
    assert (await desk.hang_up(force=True)).result == "hung_up"
    assert desk.terminate.asked == [DANA]


async def test_a_call_that_is_ended_is_reported_as_ended_even_when_it_cannot_be_written_down() -> None:
    desk = Desk(FakeLines(OURS), book=FakeBook("note_hang_up"))
    assert (await desk.hang_up()).result == "hung_up"
    assert desk.terminate.asked == [DANA]
