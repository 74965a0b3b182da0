"""A form that was taken over and that the widget cannot send: the browser posts it, as without a script."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.fake_service import ACCEPTED, Answer, FakeService, problem
from tests.browser.test_pages_that_change import remembering
from tests.browser.visitor import PHONE, expect, says, until
from tests.store.engines import sqlite_template
from tests.web.service import DIRECTORY, GOOD, RunningService, copy_of

__all__ = ["remembering", "sqlite_template"]

FORM = """<form action="{action}" method="post" accept-charset="utf-8" data-callback-form data-site="{site}"
 data-tel="03-000 0000">
<input type="hidden" name="action" value="theirs"><input type="hidden" name="utm_medium" value="">
<p><label>Your phone <input type="tel" name="phone" required></label></p>
<p><label>Your wish <textarea name="message"></textarea></label></p>
<p><label><input type="checkbox" name="roof" value="flat"> Flat</label>
<label><input type="checkbox" name="roof" value="tiled"> Tiled</label></p>
<button name="submit" value="quick">Go</button><button name="submit" value="slow">Later</button></form>"""
POLICY = "default-src 'none'; script-src {api}; connect-src {connect}; form-action {form}"
TELEPHONE = "document.querySelector('callback-widget')?.shadowRoot.querySelector('a').checkVisibility()"
WISH = "A new roof.\nSoon."


@pytest.fixture
def real(service: FakeService, sqlite_template: Path, tmp_path: Path) -> Iterator[RunningService]:
    """The real service; the fake one is the website, whose pages may send here."""
    toml = DIRECTORY.replace(GOOD, service.elsewhere)
    with RunningService(copy_of(sqlite_template, tmp_path), toml=toml) as one:
        yield one


def publish(website: FakeService, api: str, action: str, *, site: str = "main", **policy: str) -> str:
    """The address of a page of the website with the form; its policy lets nothing through that is not named."""
    path = f"/page/{len(website.pages)}"
    script = f'<script async src="{api}/widget/v1.js"></script>'
    head = f'<meta charset="utf-8"><title>Host</title>{script}'
    form = FORM.format(action=action, site=site)
    html = f'<!doctype html><html lang="en"><head>{head}</head><body><main>{form}</main></body></html>'
    sources = {"connect": "'none'", "form": "'none'"} | policy
    website.pages[path] = (html, {"Content-Security-Policy": POLICY.format(api=api, **sources)})
    return website.elsewhere + path


def go(page: Page, url: str, button: str = "Later") -> None:
    page.goto(f"{url}?utm_source=ads&utm_medium=cpc")
    page.wait_for_function("window.CallbackWidget?.version")
    page.get_by_label("Your phone").fill(PHONE)
    page.get_by_label("Your wish").fill(WISH)
    page.get_by_label("Flat").check()
    page.get_by_label("Tiled").check()
    # Not by the mouse: the driver would wait for the navigation that a policy forbids.
    page.get_by_role("button", name=button).evaluate("node => node.click()")


def leads(real: RunningService) -> list[dict[str, Any]]:
    engine = real.desk.store.engine  # type: ignore[attr-defined]
    sql = "SELECT source, message, extra, attribution FROM leads"
    found: list[dict[str, Any]] = real.on_loop(
        lambda: engine.read(lambda conn: [dict(row._mapping) for row in conn.exec_driver_sql(sql)])
    )
    return found


def blocked(route: Route) -> None:
    """As a content blocker does it."""
    route.abort("blockedbyclient")


def lost(route: Route) -> None:
    """The request arrives; its answer does not."""
    route.fetch()
    route.abort("connectionreset")


@pytest.mark.parametrize("trouble", ["forbidden", "blocked", "lost"])
def test_what_the_widget_cannot_send_is_one_lead_all_the_same(
    page: Page, service: FakeService, real: RunningService, trouble: str
) -> None:
    """By the door of plain forms, and to its thank-you page; whether or not the first request arrived."""
    if trouble != "forbidden":
        page.route("**/v1/leads", blocked if trouble == "blocked" else lost)
    connect = "'none'" if trouble == "forbidden" else real.url
    go(page, publish(service, real.url, f"{real.url}/f/nobody", site="nobody", connect=connect, form=real.url))
    page.wait_for_url("**/f/nobody/thanks?**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    expect(page.get_by_role("link", name="Cancel the call")).to_be_visible()
    (lead,) = leads(real)
    assert (lead["source"], lead["message"]) == ("form", WISH)
    assert '"roof": "flat, tiled"' in lead["extra"]
    assert '"submit": "slow"' in lead["extra"]
    assert ('"utm_source": "ads"' in lead["attribution"], '"utm_medium": "cpc"' in lead["attribution"]) == (True, True)


def test_the_websites_own_door_gets_every_field(page: Page, service: FakeService) -> None:
    """With the button that was pressed and the id that makes it one; whatever its fields are called."""
    go(page, publish(service, service.api, "/contact", form="'self' " + service.api))
    page.wait_for_url("**/thanks?**")
    (posted,) = service.posted
    assert (posted["phone"], posted["message"], posted["action"]) == (PHONE, WISH.replace("\n", "\r\n"), "theirs")
    assert (posted["submit"], posted["utm_source"], posted["site"], posted["source"]) == ("slow", "ads", "main", "form")
    assert len(posted["submission_id"]) == 36
    assert service.leads == []


def test_the_websites_own_door_is_not_used_when_the_widget_can_send(page: Page, service: FakeService) -> None:
    go(page, publish(service, service.api, "/contact", connect=service.api, form="'self'"))
    says(page, "We call you")
    assert (len(service.leads), service.leads[0]["site"], service.posted) == (1, "main", [])


@pytest.mark.parametrize("browser_says", ["nothing", "an exception"])
def test_where_nothing_may_be_sent_there_is_a_telephone_link_and_what_was_typed(
    page: Page, service: FakeService, browser_says: str
) -> None:
    """The link at once; that it failed, when the browser has gone nowhere. The form is as the website made it.

    Looked at by the page itself: the driver waits for a navigation that never comes. The exception is Firefox's.
    """
    page.clock.install()
    if browser_says == "an exception":
        page.add_init_script("HTMLFormElement.prototype.submit = () => { throw new DOMException('') }")
    go(page, publish(service, service.api, f"{service.api}/f/main"))
    page.wait_for_function(TELEPHONE)
    page.clock.fast_forward(8_001)
    says(page, "Nothing you wrote is lost")
    page.wait_for_function(TELEPHONE)
    assert page.evaluate("document.querySelector('button[value=quick]').ariaDisabled") == "false"
    fields = [["action", "theirs"], ["utm_medium", ""], ["phone", PHONE], ["message", WISH]]
    assert page.evaluate("[...new FormData(document.forms[0])]") == [*fields, ["roof", "flat"], ["roof", "tiled"]]
    assert (service.leads, service.posted) == ([], [])


@pytest.mark.parametrize("action", ["", "#"])
def test_a_form_without_a_door_of_its_own_waits(page: Page, service: FakeService, action: str) -> None:
    go(page, publish(service, service.api, action))
    says(page, "Nothing you wrote is lost")
    expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()
    expect(page.get_by_label("Your phone")).to_have_value(PHONE)


def test_what_the_service_answered_is_not_asked_of_the_browser_again(page: Page, service: FakeService) -> None:
    service.answers.append(problem(503, "storage_unavailable"))
    go(page, publish(service, service.api, f"{service.api}/f/main", connect=service.api, form=service.api))
    says(page, "Nothing you wrote is lost")
    assert (len(service.leads), service.posted) == (1, [])


def test_who_leaves_while_it_is_sent_arrives_where_they_went(page: Page, service: FakeService) -> None:
    """What the browser cuts off on the way out is not posted once more."""
    service.answers.append(Answer(202, ACCEPTED.body, held=True))
    elsewhere = service.page("Elsewhere")
    go(page, publish(service, service.api, f"{service.api}/f/main", connect=service.api, form=service.api))
    until(page, lambda: len(service.leads) == 1, "the request left")
    page.evaluate("url => { location.href = url }", elsewhere)
    page.wait_for_url(elsewhere)
    expect(page.get_by_text("Elsewhere")).to_be_visible()
    service.let_go()
    assert (len(service.leads), service.posted) == (1, [])


def test_the_way_back_leads_to_a_form_that_can_be_sent_again(remembering: Browser, service: FakeService) -> None:
    """From the browser's memory: typed text and telephone link, no word of failure; other words are another lead."""
    with remembering:
        page = remembering.new_page()
        page.set_default_timeout(8000)
        page.add_init_script("addEventListener('pageshow', event => { window.restored = event.persisted })")
        go(page, publish(service, service.api, f"{service.api}/f/main", form=service.api))
        page.wait_for_url("**/thanks?**")
        page.go_back(wait_until="commit")
        page.wait_for_function("window.restored")
        expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("")
        page.get_by_label("Your wish").fill("A chimney.")
        page.get_by_role("button", name="Go").click()
        until(page, lambda: len(service.posted) == 2, "the second one arrived")
        first, second = service.posted
        assert (second["message"], second["submit"]) == ("A chimney.", "quick")
        assert first["submission_id"] != second["submission_id"]


def test_the_way_back_from_a_door_where_nobody_answers(page: Page, service: FakeService) -> None:
    """The browser says that nobody is there; behind it is the form with everything that was typed."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
        go(page, publish(service, service.api, f"{nobody}/f/main", form=nobody))
    page.wait_for_function("document.body && !document.forms[0]")  # the driver, too, has arrived at the browser's page
    page.go_back()
    expect(page.get_by_label("Your phone")).to_have_value(PHONE)
    expect(page.get_by_label("Your wish")).to_have_value(WISH)
