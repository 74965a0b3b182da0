"""Draws docs/images/widget-*.png: the widget in every state, as a real Chromium shows it, on contact sheets.

    tools/widget-shots [BEGINNING-OF-A-NAME …]

Behind it answers the service of the browser tests, so nobody is phoned. What is photographed is put on a sheet by
Chromium, and kept with few colours, which letters and lines do not mind.
"""

import base64
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.fake_service import ACCEPTED, Answer, FakeService, problem
from tests.browser.small_png import with_few_colours
from tests.browser.visitor import FLOAT, FORM, INLINE, WORDS, ask, expect, says

ROOT: Final = Path(__file__).resolve().parents[2]
IMAGES: Final = ROOT / "docs" / "images"
SLOTS: Final = ["2030-01-06T07:00:00.000Z", "2030-01-06T07:30:00.000Z", "2030-01-07T10:15:00.000Z"]
COLOURS: Final = 16
SHADED: Final = 64  # where there are shadows
CONSENT: Final = {
    "en": "I agree to be called about my request.",
    "he": "אני מסכימ/ה לקבל שיחה בנוגע לפנייה שלי.",
    "ar": "أوافق على الاتصال بي بشأن طلبي.",
    "ru": "Я даю согласие на звонок по моей заявке.",
    "fr": "J’accepte d’être appelé au sujet de ma demande.",
    "es": "Acepto que me llamen sobre mi solicitud.",
}
DANA: Final = {"he": "דנה", "ar": "دانا", "ru": "Дана"}


@dataclass
class Visit:
    """One page with one widget, in one language."""

    page: Page
    service: FakeService
    language: str

    @property
    def words(self) -> dict[str, str]:
        return WORDS[self.language]

    def visit(self, body: str = INLINE, **site: Any) -> None:
        """The page, with what the service says of its site."""
        self.service.site = {"open": True, "language": self.language, **site}
        self.page.goto(self.service.page(body, language=self.language))

    def sent(self, state: str, *events: str, **more: Any) -> None:
        """A request that has come so far."""
        name = DANA.get(self.language, "Dana")
        self.service.tell("waiting", "received")
        self.visit(busy=True, slots=SLOTS)
        ask(self.page, language=self.language)
        says(self.page, self.words["waiting"])
        named = {"agent_name": name, "caller_id": "03-555 0123"} if state == "dialing" else {}
        self.service.tell(state, "received", *events, **named, **more)
        expect(self.page.locator("[part=cancel]")).to_be_visible(visible=state == "waiting")
        says(self.page, {"waiting": ""}.get(state, self.words.get(state, "").split("{")[0] if not events else ""))


def form(visit: Visit) -> None:
    visit.visit(usually_within_seconds=30, consent_text=CONSENT[visit.language])
    expect(visit.page.get_by_role("checkbox")).to_be_visible()


def mistakes(visit: Visit) -> None:
    visit.visit(consent_text=CONSENT[visit.language], consent_required=True)
    expect(visit.page.get_by_role("checkbox")).to_be_visible()
    ask(visit.page, phone="12 34", language=visit.language)
    expect(visit.page.get_by_text(visit.words["impossible"])).to_be_visible()


def closed(visit: Visit) -> None:
    visit.visit(slots=SLOTS, open=False, opens_at=SLOTS[0])
    visit.page.get_by_label(visit.words["when"]).select_option(index=2)


def busy(visit: Visit) -> None:
    visit.visit(busy=True, slots=SLOTS)
    expect(visit.page.get_by_label(visit.words["when"])).to_be_visible()


def not_taking(visit: Visit) -> None:
    visit.visit(taking=False)
    expect(visit.page.get_by_role("link", name="03-000 0000")).to_be_visible()


def sending(visit: Visit) -> None:
    visit.visit()
    visit.service.answers.append(Answer(202, ACCEPTED.body, held=True))
    ask(visit.page, language=visit.language)
    says(visit.page, visit.words["sending"])


def failure(visit: Visit) -> None:
    visit.visit()
    visit.service.answers.append(problem(500, "oops"))
    ask(visit.page, language=visit.language)
    expect(visit.page.get_by_role("link", name="03-000 0000")).to_be_visible()


def after(state: str, *events: str, **more: Any) -> Callable[[Visit], None]:
    return lambda visit: visit.sent(state, *events, **more)


States = dict[str, Callable[[Visit], None]]

BEFORE: States = {
    "form": form,
    "mistakes": mistakes,
    "closed, with times": closed,
    "everybody busy": busy,
    "no requests taken": not_taking,
    "sending": sending,
    "it did not work": failure,
}
AFTER: States = {
    "waiting": after("waiting", position=2),
    "moved": after("waiting", "scheduled", expected_call_at=SLOTS[1]),
    "dialing": after("dialing", "agent_ringing"),
    "agent answered": after("dialing", "agent_answered"),
    "ringing": after("dialing", "lead_ringing"),
    "connected": after("connected", "connected"),
    "failed": after("failed", "failed"),
    "cancelled": after("cancelled", "cancelled"),
}
FEW = {"form": form, "mistakes": mistakes, "closed, with times": closed} | {
    name: AFTER[name] for name in ("waiting", "dialing", "ringing")
}


def photographs(browser: Browser, states: States, **how: Any) -> Iterator[tuple[str, bytes]]:
    """The panel in each state, as PNG."""
    for name, show in states.items():
        with visiting(browser, **how) as visit:
            show(visit)
            visit.page.evaluate("document.activeElement.blur()")
            yield name, visit.page.locator("callback-widget [part=panel]").first.screenshot()


class visiting:  # noqa: N801 (reads as a verb)
    """A fresh service and a fresh page."""

    def __init__(self, browser: Browser, *, language: str, scheme: Any, width: int) -> None:
        self._context = browser.new_context(
            viewport={"width": width, "height": 900}, locale="en-GB", timezone_id="Asia/Jerusalem", color_scheme=scheme
        )
        self._service = FakeService()
        self._language = language

    def __enter__(self) -> Visit:
        self._service.start()
        page = self._context.new_page()
        page.set_default_timeout(8000)
        page.add_init_script(
            "addEventListener('DOMContentLoaded', () => Object.assign(document.documentElement.style,"
            " {colorScheme: 'light dark', background: 'Canvas'}))"
        )
        return Visit(page, self._service, self._language)

    def __exit__(self, *_: object) -> None:
        self._context.close()
        self._service.stop()


def sheet(browser: Browser, shots: list[tuple[str, bytes]], *, scheme: str, columns: int, width: int) -> bytes:
    """All of them beside one another, each with its name."""
    ink, paper = ("#c9d4d0", "#0d1211") if scheme == "dark" else ("#52605b", "#eef2f1")
    figures = [
        f'<figure>{name}<img src="data:image/png;base64,{base64.b64encode(shot).decode()}"></figure>'
        for name, shot in shots
    ]
    stacks = "".join(f"<div>{''.join(figures[place::columns])}</div>" for place in range(columns))
    page = browser.new_page(viewport={"width": columns * (width + 16) + 16, "height": 100})
    page.set_content(
        f"<!doctype html><style>body{{margin:0;padding:8px;background:{paper};color:{ink};display:flex}}"
        f"body{{font:13px sans-serif}}figure{{margin:0;padding:8px}}"
        f"img{{display:block;width:{width}px;margin-top:4px}}</style>{stacks}"
    )
    page.wait_for_load_state("load")
    shot = page.screenshot(full_page=True)
    page.close()
    return shot


def dialog(browser: Browser) -> bytes:
    """A page with its floating button, and with the dialog open."""
    shots = []
    for pressed in (False, True):
        with visiting(browser, language="en", scheme="light", width=760) as visit:
            visit.page.set_viewport_size({"width": 760, "height": 560})
            visit.visit("<p>Rooftop solar for homes and small shops.</p>" + FLOAT, usually_within_seconds=30)
            launcher = visit.page.get_by_role("button", name=visit.words["later"])
            expect(launcher).to_be_visible()
            if pressed:
                launcher.click()
                expect(visit.page.get_by_text("Usual wait")).to_be_visible()
            shots.append(("the dialog" if pressed else "the floating button", visit.page.screenshot()))
    return sheet(browser, shots, scheme="light", columns=2, width=540)


def website_form(browser: Browser) -> bytes:
    """A form of the website's own: a mistake, and what became of it."""
    shots = []
    for wrong in (True, False):
        with visiting(browser, language="en", scheme="light", width=420) as visit:
            visit.page.set_viewport_size({"width": 420, "height": 470})
            visit.visit(FORM.format(api=visit.service.api))
            errors = [{"field": "phone", "code": "impossible", "message": ""}]
            visit.service.answers.append(problem(422, "invalid", errors=errors) if wrong else ACCEPTED)
            visit.page.get_by_label("Your phone").fill("054-234 567")
            visit.page.get_by_role("button", name="Go").click()
            if wrong:
                expect(visit.page.get_by_text(visit.words["impossible"])).to_be_visible()
            else:
                says(visit.page, visit.words["waiting"])
                visit.service.tell("dialing", "agent_answered", agent_name="Dana", caller_id="03-555 0123")
                says(visit.page, "Dana")
            shots.append(("a mistake at the form's own field" if wrong else "sent", visit.page.screenshot()))
    return sheet(browser, shots, scheme="light", columns=2, width=420)


def sheets(browser: Browser) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Names, and how to draw them."""

    def of(states: States, columns: int, panel: int, **how: Any) -> Callable[[], bytes]:
        def draw() -> bytes:
            shots = list(photographs(browser, states, **how))
            return sheet(browser, shots, scheme=how["scheme"], columns=columns, width=panel)

        return draw

    for language in ("en", "he"):
        for scheme in ("light", "dark"):
            for time, states in (("before", BEFORE), ("after", AFTER)):
                yield f"{language}-{time}-{scheme}", of(states, 3, 384, language=language, scheme=scheme, width=400)
                yield f"{language}-{time}-{scheme}-320", of(states, 4, 304, language=language, scheme=scheme, width=320)
    for language in ("ar", "ru", "fr", "es"):
        yield language, of(FEW, 3, 384, language=language, scheme="light", width=400)
    yield "dialog", lambda: dialog(browser)
    yield "website-form", lambda: website_form(browser)


def main() -> None:
    wanted = sys.argv[1:]
    chromium = os.environ.get("LEADRING_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, draw in sheets(browser):
            if wanted and not any(name.startswith(one) for one in wanted):
                continue
            path = IMAGES / f"widget-{name}.png"
            path.write_bytes(with_few_colours(draw(), SHADED if name == "dialog" else COLOURS))
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.1f} kB")
        browser.close()


if __name__ == "__main__":
    main()
