"""Our own pages as a test reads them: tags, text, what a form would send, and what every page must keep."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx

BROWSER = {
    "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
OURS = BROWSER | {"origin": "http://leadring.test"}


class Page(HTMLParser):
    """Start tags with their attributes, in order, and the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag and wanted.items() <= attrs.items()]

    def one(self, tag: str, **wanted: str) -> dict[str, str]:
        (found,) = self.all(tag, **wanted)
        return found

    @property
    def sends(self) -> list[tuple[str, str]]:
        """What a browser would send from the inputs, in order."""
        return [(a["name"], a.get("value", "")) for a in self.all("input") if "name" in a]

    @property
    def values(self) -> dict[str, str]:
        """The same by name."""
        return dict(self.sends)

    @property
    def links(self) -> list[str]:
        return [attrs["href"] for attrs in self.all("a") if attrs.get("href")]

    @property
    def renews(self) -> int | None:
        """Seconds until the page asks again by itself."""
        found = self.all("meta", **{"http-equiv": "refresh"})
        return int(found[0]["content"]) if found else None


def assert_page(response: httpx.Response, status: int) -> Page:
    """One of our own pages for visitors: HTML, not kept, not indexed, and nothing inline may run in it."""
    assert response.status_code == status, response.text[:500]
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-robots-tag"] == "noindex"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "base-uri 'none'" in policy
    assert "frame-ancestors" in policy
    page = Page(response.text)
    assert not [tag for tag, _ in page.tags if tag in ("script", "iframe", "object", "style", "b")]
    assert not [a for _, a in page.tags if any(name.startswith("on") or name == "style" for name in a)]
    return page
