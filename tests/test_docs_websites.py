"""docs/websites.md shows exactly the lines that /embed makes, and small pictures that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.directory import Site
from app.domain.languages import LANGUAGES
from app.web.pages.snippets import Script, Wish, snippet

ROOT = Path(__file__).resolve().parent.parent
WEBSITES = (ROOT / "docs" / "websites.md").read_text(encoding="utf-8")
BASE = "https://calls.example.com"


@pytest.mark.parametrize("mode", ["inline", "float", "form"])
def test_the_lines_on_the_page_are_the_ones_that_are_made(mode: str) -> None:
    wish = Wish(Site("main", "Example Ltd", language="en"), mode, telephone="03-000 0000")
    assert f"```html\n{snippet(wish, BASE, Script(f'{BASE}/widget/v1.js'))}\n```" in WEBSITES


def test_every_language_of_the_form_is_named() -> None:
    assert all(f"`{language}`" in WEBSITES for language in LANGUAGES)


def test_the_pictures_are_small() -> None:
    found = re.findall(r"!\[[^]]+\]\((images/pages-[a-z]+\.png)\)", WEBSITES)
    assert len(found) == 3
    assert all((ROOT / "docs" / name).stat().st_size <= 40 * 1024 for name in found)
