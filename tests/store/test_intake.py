"""Accepting a lead: stored once, twins join, submissions are answered once, guards count. Both engines."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from sqlalchemy import Connection

from app.directory import CallCap, Cooldown, Rate
from app.domain.guards import HELD_FOR, Cap
from app.domain.hits import Hit
from app.domain.intake_results import Accepted
from app.domain.submission_guards import BY_SENDING
from app.store import joining
from app.store.intake import ORPHANED_AFTER
from app.store.tables import events, leads, submissions
from tests.clocks import START
from tests.store.leads_for_tests import HOUR, MINUTE, Floor, a_lead, a_term

PHONE = "+972541234567"
Mode = Literal["off", "observe", "hold", "refuse"]


def once_in_ten_minutes(mode: Mode) -> Cooldown:
    return Cooldown(mode, (Rate(1, 600),))


async def accepted_and_gone(floor: Floor, cooldown: Cooldown) -> str:
    """A lead of PHONE that was admitted now and is live no more."""
    new = a_lead(PHONE, at=floor.now)
    assert (await floor.accept(new, cooldown)).kind == "new"
    assert await floor.store.cancel(new.id, "visitor") == "cancelled"
    return new.id


# ------------------------------------------------------------------------------------------------ stored


async def test_a_new_lead_is_stored_as_it_came_and_due(floor: Floor) -> None:
    new = a_lead(PHONE, name="דנה", message="שלום", extra={"budget": "₪"}, attribution={"utm_source": "x"})
    accepted = await floor.accept(new)
    assert (accepted.kind, accepted.lead_id, accepted.state, accepted.reason) == ("new", new.id, "waiting", "no_agent")
    row = await floor.lead(new.id)
    assert (row["phone"], row["phone_kind"], row["name"], row["message"]) == (PHONE, "mobile", "דנה", "שלום")
    assert (row["extra"], row["attribution"]) == ('{"budget": "₪"}', '{"utm_source": "x"}')
    assert (row["received_at"], row["due_at"], row["expires_at"]) == (START, START, START + HOUR)
    assert (row["admitted"], row["attempts"], row["ended_at"], row["attempt_id"]) == (1, 0, None, None)
    assert await floor.history(new.id) == ["received"]


@pytest.mark.parametrize("reason", ["closed", "scheduled"])
async def test_a_lead_for_later_says_so_in_its_history(floor: Floor, reason: str) -> None:
    new = a_lead(due_at=START + HOUR, reason=reason)
    assert (await floor.accept(new)).reason == reason
    assert await floor.history(new.id) == ["received", "scheduled"]
    assert (await floor.lead(new.id))["due_at"] == START + HOUR


async def test_a_held_lead_is_not_due_and_is_kept_a_week(floor: Floor) -> None:
    new = a_lead(hold="country")
    accepted = await floor.accept(new)
    assert (accepted.kind, accepted.state, accepted.reason) == ("new", "held", "country")
    row = await floor.lead(new.id)
    assert (row["due_at"], row["expires_at"], row["admitted"]) == (None, START + HELD_FOR, 0)
    assert await floor.history(new.id) == ["received", "held"]


# ------------------------------------------------------------------------------------------------- twins


async def test_a_second_lead_of_a_live_number_joins_the_first(floor: Floor) -> None:
    first, second = a_lead(PHONE), a_lead(PHONE, message="please hurry")
    await floor.accept(first)
    joined = await floor.accept(second)
    assert (joined.kind, joined.lead_id, joined.state, joined.reason) == ("duplicate", first.id, "waiting", "no_agent")
    assert [row["id"] for row in await floor.rows(leads)] == [first.id]
    assert [row["why"] for row in await floor.rows(events, event="joined")] == ["please hurry"]


async def test_who_joins_adds_what_was_missing_and_changes_nothing(floor: Floor) -> None:
    first = a_lead(PHONE, name="Noa", attribution={"gclid": "first"})
    said: dict[str, Any] = {"name": "N.", "email": "n@example.com", "consent": "true"}
    second = a_lead(PHONE, **said, extra={"b": "1"}, attribution={"gclid": "2"})
    await floor.accept(first)
    await floor.accept(second)
    row = await floor.lead(first.id)
    assert (row["name"], row["email"], row["consent"]) == ("Noa", "n@example.com", "true")
    assert (row["extra"], row["attribution"]) == ('{"b": "1"}', '{"gclid": "first"}')


@pytest.mark.parametrize("reason", sorted(BY_SENDING))
async def test_who_was_held_for_how_it_was_sent_and_asks_properly_is_called(floor: Floor, reason: str) -> None:
    first = a_lead(PHONE, hold=reason)
    await floor.accept(first)
    joined = await floor.accept(a_lead(PHONE, name="Noa"))
    assert (joined.kind, joined.lead_id, joined.state, joined.reason) == ("duplicate", first.id, "waiting", "no_agent")
    row = await floor.lead(first.id)
    assert (row["state"], row["name"], row["admitted"], row["due_at"]) == ("waiting", "Noa", 1, START)
    assert [event["why"] for event in await floor.rows(events, event="released")] == [reason]
    assert (await floor.claim()).lead.id == first.id


async def test_what_lifts_a_hold_is_what_counts(floor: Floor) -> None:
    """Site, consent and attribution are those of the form that the person sent properly, also where it has none."""
    said: dict[str, Any] = {"name": "N.", "email": "n@example.com", "message": "buy pills", "language": "en"}
    asked: dict[str, Any] = {
        "consent": "true",
        "consent_text": "I agree to everything",
        "attribution": {"gclid": "first"},
    }
    first = a_lead(
        PHONE, site="main", source="api", hold="honeypot", client_key="robot", extra={"a": "1"}, **said, **asked
    )
    await floor.accept(first)
    again: dict[str, Any] = {"site": "sales", "source": "widget", "language": "he", "asked_language": "he"}
    second = a_lead(PHONE, name="Noa", extra={"b": "2"}, consent="yes", due_at=START + 5, **again)
    assert (await floor.accept(second)).lifted
    row = await floor.lead(first.id)
    whole = ("site", "source", "client_key", "language", "asked_language", "consent", "consent_text", "attribution")
    assert tuple(row[name] for name in whole) == ("sales", "widget", "client", "he", "he", "yes", "", "{}")
    # What it says nothing of stays.
    assert (row["name"], row["email"], row["message"], row["extra"]) == (
        "Noa",
        "n@example.com",
        "buy pills",
        '{"b": "2"}',
    )
    assert row["due_at"] == START + 5
    assert await floor.history(first.id) == ["received", "held", "joined", "released", "taken_over"]
    (told,) = await floor.rows(events, event="taken_over")
    assert told["who"] == "widget"
    assert told["why"] == (
        "site (sales, it was main), source, language, asked_language, attribution, consent, consent_text, name, extra"
    )


async def test_where_both_say_the_same_nothing_is_told_of_it(floor: Floor) -> None:
    first = a_lead(PHONE, hold="stale", name="Noa")
    await floor.accept(first)
    assert (await floor.accept(a_lead(PHONE, name="Noa"))).lifted
    assert await floor.history(first.id) == ["received", "held", "joined", "released"]


async def test_the_guards_of_what_would_lift_a_hold_are_in_the_history(floor: Floor) -> None:
    """Those that only observe let it be lifted; one that holds does not, and says so."""
    await accepted_and_gone(floor, once_in_ten_minutes("observe"))
    first = a_lead(PHONE, hold="honeypot")
    await floor.accept(first)
    country = Hit("country", "observe", "a number of GB; we ring IL")
    kept = await floor.accept(a_lead(PHONE, hits=(country,)), once_in_ten_minutes("hold"))
    assert (kept.asked, kept.lifted, [hit.guard for hit in kept.hits]) == (True, False, ["cooldown"])
    lifted = await floor.accept(a_lead(PHONE, hits=(country,)), once_in_ten_minutes("observe"))
    assert (lifted.asked, lifted.lifted, [hit.guard for hit in lifted.hits]) == (True, True, ["cooldown"])
    of_country, figures = country.told, "request 2 of this number within 10 minutes; 1 is let through"
    assert [row["why"] for row in await floor.rows(events, event="observed", lead_id=first.id)] == [
        of_country,
        f"cooldown (hold): {figures}",
        of_country,
        f"cooldown: {figures}",
    ]


async def test_who_only_joins_asks_no_guard(floor: Floor) -> None:
    first = a_lead(PHONE)
    await floor.accept(first)
    joined = await floor.accept(a_lead(PHONE, hits=(Hit("country", "observe"),)), once_in_ten_minutes("hold"))
    assert (joined.asked, joined.hits) == (False, ())
    assert await floor.history(first.id) == ["received", "joined"]


@pytest.mark.parametrize(("first", "second"), [("honeypot", "honeypot"), ("country", None), ("stale", "country")])
async def test_nothing_else_lifts_a_hold(floor: Floor, first: str, second: str | None) -> None:
    await floor.accept(a_lead(PHONE, hold=first))
    joined = await floor.accept(a_lead(PHONE, hold=second))
    assert (joined.kind, joined.state, joined.reason) == ("duplicate", "held", first)


async def test_a_cool_down_keeps_a_hold_that_would_be_lifted(floor: Floor) -> None:
    await accepted_and_gone(floor, once_in_ten_minutes("hold"))
    await floor.accept(a_lead(PHONE, hold="honeypot"))
    joined = await floor.accept(a_lead(PHONE), once_in_ten_minutes("hold"))
    assert (joined.kind, joined.state, joined.reason) == ("duplicate", "held", "honeypot")


async def test_numbers_are_live_across_sites(floor: Floor) -> None:
    first = a_lead(PHONE, site="main")
    await floor.accept(first)
    assert (await floor.accept(a_lead(PHONE, site="sales"))).lead_id == first.id


@pytest.mark.parametrize("state", ["held", "dialing"])
async def test_a_number_that_is_held_or_dialled_is_live_too(floor: Floor, state: str) -> None:
    first = a_lead(PHONE, hold="country" if state == "held" else None)
    await floor.accept(first)
    if state == "dialing":
        await floor.claim()
    joined = await floor.accept(a_lead(PHONE))
    assert (joined.kind, joined.lead_id, joined.state) == ("duplicate", first.id, state)


async def test_a_number_whose_lead_has_ended_may_come_again(floor: Floor) -> None:
    first = a_lead(PHONE)
    await floor.accept(first)
    await floor.store.cancel(first.id, "visitor")
    again = a_lead(PHONE)
    assert ((await floor.accept(again)).kind, len(await floor.rows(leads))) == ("new", 2)


# ------------------------------------------------------------------------------------------- submissions


async def test_a_submission_that_is_being_answered_is_in_flight(floor: Floor) -> None:
    first = a_lead(PHONE, submission_id="k1", fingerprint="same")
    await floor.accept(first)
    again = await floor.accept(a_lead(PHONE, submission_id="k1", fingerprint="same"))
    assert (again.kind, again.lead_id, again.answer) == ("in_flight", first.id, None)


async def test_an_answered_submission_hears_the_stored_answer(floor: Floor) -> None:
    first = a_lead(PHONE, submission_id="k1", fingerprint="same")
    await floor.accept(first)
    await floor.store.remember_answer("main", "k1", '{"outcome": "dialing"}')
    await floor.store.cancel(first.id, "visitor")
    again = await floor.accept(a_lead(PHONE, submission_id="k1", fingerprint="same"))
    assert (again.kind, again.lead_id, again.answer) == ("replay", first.id, '{"outcome": "dialing"}')
    assert len(await floor.rows(leads)) == 1


async def test_the_same_submission_id_with_other_content_is_a_mismatch(floor: Floor) -> None:
    first = a_lead(PHONE, submission_id="k1", fingerprint="same")
    await floor.accept(first)
    other = a_lead("+972547654321", submission_id="k1", fingerprint="other")
    assert ((await floor.accept(other)).kind, len(await floor.rows(leads))) == ("mismatch", 1)


async def test_an_unanswered_submission_is_an_orphan_after_a_while(floor: Floor) -> None:
    first = a_lead(PHONE, submission_id="k1", fingerprint="same")
    await floor.accept(first)
    floor.clock.advance(ORPHANED_AFTER / 1000)
    assert (await floor.accept(a_lead(PHONE, submission_id="k1", fingerprint="same"))).kind == "in_flight"
    floor.clock.advance(0.001)
    orphan = await floor.accept(a_lead(PHONE, submission_id="k1", fingerprint="same"))
    assert (orphan.kind, orphan.lead_id) == ("orphan", first.id)


async def test_a_submission_id_belongs_to_its_site(floor: Floor) -> None:
    await floor.accept(a_lead(submission_id="k1", fingerprint="same", site="main"))
    other = a_lead(submission_id="k1", fingerprint="other", site="sales")
    assert (await floor.accept(other)).kind == "new"


async def test_a_joined_submission_remembers_whom_it_joined(floor: Floor) -> None:
    first = a_lead(PHONE)
    await floor.accept(first)
    await floor.accept(a_lead(PHONE, submission_id="k2", fingerprint="same"))
    again = await floor.accept(a_lead(PHONE, submission_id="k2", fingerprint="same"))
    assert (again.kind, again.lead_id) == ("in_flight", first.id)


async def test_a_refused_submission_may_be_sent_again(floor: Floor) -> None:
    await accepted_and_gone(floor, once_in_ten_minutes("refuse"))
    new = a_lead(PHONE, submission_id="k1", fingerprint="same")
    assert (await floor.accept(new, once_in_ten_minutes("refuse"))).kind == "refused"
    assert await floor.rows(submissions) == []


async def test_a_forgotten_submission_id_may_be_used_again(floor: Floor) -> None:
    await floor.accept(a_lead(submission_id="old", fingerprint="f"))
    floor.clock.advance(10)
    await floor.accept(a_lead(submission_id="young", fingerprint="f"))
    assert await floor.store.forget_submissions(START + 10_000) == 1
    assert [row["key"] for row in await floor.rows(submissions)] == ["young"]
    assert (await floor.accept(a_lead(submission_id="old", fingerprint="other"))).kind == "new"


# --------------------------------------------------------------------------------------------- cool-down


@pytest.mark.parametrize(
    ("mode", "kind", "state", "hits"),
    [
        ("off", "new", "waiting", []),
        ("observe", "new", "waiting", ["cooldown"]),
        ("hold", "new", "held", ["cooldown"]),
        ("refuse", "refused", "", ["cooldown"]),
    ],
)
async def test_a_cooldown_in_its_four_modes(floor: Floor, mode: Mode, kind: str, state: str, hits: list[str]) -> None:
    cooldown = once_in_ten_minutes(mode)
    await accepted_and_gone(floor, cooldown)
    new = a_lead(PHONE)
    accepted = await floor.accept(new, cooldown)
    assert (accepted.kind, accepted.state, [hit.guard for hit in accepted.hits]) == (kind, state, hits)
    assert len(await floor.rows(leads, id=new.id)) == (kind == "new")
    assert len(await floor.rows(events, event="observed")) == (mode == "observe")


async def test_the_cooldown_ends_to_the_millisecond(floor: Floor) -> None:
    cooldown = once_in_ten_minutes("refuse")
    await accepted_and_gone(floor, cooldown)
    floor.clock.advance(599.999)
    assert (await floor.accept(a_lead(PHONE, at=floor.now), cooldown)).kind == "refused"
    floor.clock.advance(0.001)
    assert (await floor.accept(a_lead(PHONE, at=floor.now), cooldown)).kind == "new"


async def test_who_comes_back_after_retry_after_is_let_in(floor: Floor) -> None:
    cooldown = once_in_ten_minutes("refuse")
    await accepted_and_gone(floor, cooldown)
    floor.clock.advance(100.3)
    refused = await floor.accept(a_lead(PHONE, at=floor.now), cooldown)
    assert 499 <= refused.retry_after <= 500
    floor.clock.advance(refused.retry_after)
    assert (await floor.accept(a_lead(PHONE, at=floor.now), cooldown)).kind == "new"


async def test_retry_after_looks_at_every_rate(floor: Floor) -> None:
    cooldown = Cooldown("refuse", (Rate(1, 600), Rate(2, 3600)))
    await accepted_and_gone(floor, cooldown)
    floor.clock.advance(600)
    await accepted_and_gone(floor, cooldown)
    refused = await floor.accept(a_lead(PHONE, at=floor.now), cooldown)
    assert (refused.retry_after, [hit.guard for hit in refused.hits]) == (3000, ["cooldown"])


async def test_the_longer_rate_counts_over_its_own_window(floor: Floor) -> None:
    cooldown = Cooldown("refuse", (Rate(1, 600), Rate(3, 86_400)))
    for _ in range(3):
        await accepted_and_gone(floor, cooldown)
        floor.clock.advance(600)
    assert (await floor.accept(a_lead(PHONE, at=floor.now), cooldown)).kind == "refused"
    floor.clock.advance(86_400 - 1800)
    assert (await floor.accept(a_lead(PHONE, at=floor.now), cooldown)).kind == "new"


async def test_a_lead_that_was_held_does_not_count_until_it_is_released(floor: Floor) -> None:
    cooldown = once_in_ten_minutes("refuse")
    held = a_lead(PHONE, hold="country")
    await floor.accept(held, cooldown)
    await floor.store.cancel(held.id, "operator")
    second = a_lead(PHONE, hold="country")
    assert (await floor.accept(second, cooldown)).kind == "new"
    await floor.store.release(second.id, "operator", a_term(START))
    await floor.store.cancel(second.id, "operator")
    assert (await floor.accept(a_lead(PHONE), cooldown)).kind == "refused"


async def test_another_number_has_a_cooldown_of_its_own(floor: Floor) -> None:
    cooldown = once_in_ten_minutes("refuse")
    await accepted_and_gone(floor, cooldown)
    assert (await floor.accept(a_lead(), cooldown)).kind == "new"


# ------------------------------------------------------------------------------------------ calls budget


@pytest.mark.parametrize(
    ("mode", "kind", "state"),
    [("off", "new", "waiting"), ("observe", "new", "waiting"), ("hold", "new", "held"), ("refuse", "refused", "")],
)
async def test_a_spent_budget_of_calls_in_its_four_modes(floor: Floor, mode: Mode, kind: str, state: str) -> None:
    floor.calls, floor.caps = CallCap("hold", 1, None), (Cap("hour", START, 1, START + HOUR),)
    await floor.accept()
    await floor.claim()
    floor.calls = CallCap(mode, 1, None)
    accepted = await floor.accept()
    assert (accepted.kind, accepted.state) == (kind, state)
    if mode == "refuse":
        assert (accepted.reason, accepted.retry_after) == ("calls", HOUR // 1000)
    if mode == "hold":
        assert accepted.reason == "calls"


async def test_an_accepted_lead_spends_nothing_yet(floor: Floor) -> None:
    floor.calls, floor.caps = CallCap("refuse", 1, None), (Cap("hour", START, 1, START + HOUR),)
    assert [(await floor.accept()).kind for _ in range(3)] == ["new"] * 3


async def test_a_cap_of_none_at_all_holds_everything(floor: Floor) -> None:
    floor.calls, floor.caps = CallCap("hold", 0, None), (Cap("hour", START, 0, START + HOUR),)
    assert (await floor.accept()).state == "held"


async def test_refuse_wins_over_hold_and_the_longest_wait_is_told(floor: Floor) -> None:
    cooldown = once_in_ten_minutes("refuse")
    await accepted_and_gone(floor, cooldown)
    floor.calls, floor.caps = CallCap("hold", 0, None), (Cap("hour", START, 0, START + 20 * MINUTE),)
    accepted = await floor.accept(a_lead(PHONE), cooldown)
    assert (accepted.kind, accepted.reason, accepted.retry_after) == ("refused", "cooldown", 1200)
    assert {hit.guard for hit in accepted.hits} == {"cooldown", "calls"}


async def test_nobody_joins_a_lead_that_has_ended_since_it_was_looked_for(floor: Floor) -> None:
    """Another transaction may end it between the look and the joining: then it is looked for once more."""
    new = a_lead()
    await floor.accept(new)
    await floor.store.cancel(new.id, "visitor")

    def join_it(conn: Connection) -> Accepted:
        return joining.join(conn, a_lead(), new.id, "waiting", None, floor.now, lift=False)

    with pytest.raises(joining.Overtaken):
        await floor.store.engine.write(join_it)
    assert await floor.history(new.id) == ["received", "cancelled"]
