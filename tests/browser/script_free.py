"""The real service for a browser without script: its sites, the states a visitor can come to, and what axe says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.web.service import DIRECTORY, RunningService

TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_numbers = count(5100)  # who sends the same number again joins, and may only look
CONSENT: Final = "I agree to be called back about my request."
Scheme = Literal["light", "dark"]

# Everybody may send here: the visitor comes from the service's own pages.
TOML: Final = (
    DIRECTORY.replace('key = "main"', f'key = "main"\ntelephone = "03-000 0000"\nconsent_text = "{CONSENT}"', 1)
    .replace('key = "night"', 'key = "night"\ntelephone = "03-000 0000"', 1)
    .replace('key = "nobody"', 'key = "nobody"\ntelephone = "03-000 0000"', 1)
)


@dataclass(frozen=True)
class Visit:
    """A page of a browser at the service, in one language."""

    page: Page
    service: RunningService
    language: str

    def go(self, path: str) -> None:
        joint = "&" if "?" in path else "?"
        self.page.goto(f"{self.service.url}{path}{joint}lang={self.language}")

    def send(self, number: str = "") -> None:
        """Fill in the form that is there, with a number of its own, and press its button."""
        self.page.locator("#phone").fill(number or f"054-234 {next(_numbers)}")
        self.press("form button")

    def press(self, what: str) -> None:
        """Press this, and be on the page to which it leads."""
        with self.page.expect_navigation():
            self.page.locator(what).click()

    def settle(self) -> None:
        """Keep the page as it is: loaded, and with no renewal to come."""
        self.page.wait_for_load_state("load")
        self.page.evaluate("window.stop()")

    def shown(self) -> str:
        """The text of the page without the marks around names and numbers."""
        text = self.page.locator("main").inner_text()
        return text.translate(dict.fromkeys(range(0x2066, 0x206A)))


def form_open(visit: Visit) -> None:
    visit.go("/f/main")


def form_closed(visit: Visit) -> None:
    visit.go("/f/night")


def form_wrong(visit: Visit) -> None:
    visit.go("/f/night")
    visit.send("12")


def status_waiting(visit: Visit) -> None:
    visit.go("/f/night")
    visit.send()


def status_line(visit: Visit) -> None:
    visit.go("/f/nobody")
    visit.send()


def status_dialing(visit: Visit) -> None:
    visit.go("/f/main")
    visit.send()


def ask_cancel(visit: Visit) -> None:
    status_waiting(visit)
    visit.press("a[href*='/cancel?']")


def status_cancelled(visit: Visit) -> None:
    ask_cancel(visit)
    visit.press("form button")


def ask_move(visit: Visit) -> None:
    status_waiting(visit)
    visit.press("a[href*='/move?']")


def problem(visit: Visit) -> None:
    visit.go("/f/canary")


STATES: Final[tuple[Callable[[Visit], None], ...]] = (
    form_open,
    form_closed,
    form_wrong,
    status_dialing,
    status_line,
    ask_move,
    ask_cancel,
    status_cancelled,
    problem,
)


def violations(page: Page, schemes: tuple[Scheme, ...] = ("light", "dark")) -> str:
    """axe's report over the page; empty when it finds nothing.

    The status page has to renew itself without a script: it has a link that stops that, and nothing typed to lose.
    """
    options = {
        "runOnly": {"type": "tag", "values": TAGS},
        "resultTypes": ["violations"],
        "rules": {"meta-refresh": {"enabled": False}},
    }
    report = ""
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results = Axe().run(page, options=options)
        if results.violations_count:
            report += f"{page.url} in {scheme}:\n{results.generate_report()}"
    return report


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide
