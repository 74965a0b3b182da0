"""Every option the widget has is on the page that explains it (no browser needed)."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.browser.fake_service import STATIC

WIDGET: Final = (STATIC / "widget.js").read_text(encoding="utf-8")
DOCS: Final = (Path(__file__).parents[2] / "docs" / "embed.md").read_text(encoding="utf-8")


def found(pattern: str, at_least: int) -> list[str]:
    """What the widget's source names; fewer than `at_least` means this test no longer reads the source rightly."""
    names = sorted(set(re.findall(pattern, WIDGET)))
    assert len(names) >= at_least, pattern
    return names


@pytest.mark.parametrize("name", found(r"option\('(\w+)'\)", 4))
def test_every_option_is_explained_for_the_element_and_for_the_script(name: str) -> None:
    assert f"| `{name}` | `data-{name}` |" in DOCS


@pytest.mark.parametrize("name", ["mode", "inline", "float", "dialog", "data-auto", "data-api", "data-callback-open"])
def test_every_mode_and_switch_is_explained(name: str) -> None:
    assert re.search(rf"{name.removeprefix('data-')}\b", WIDGET)
    assert re.search(rf"`[^`]*{name}[^`]*`", DOCS)


@pytest.mark.parametrize("name", found(r"--leadring-[a-z-]+", 9))
def test_every_property_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCS


@pytest.mark.parametrize("name", found(r"emit\('(\w+)'", 8))
def test_every_event_is_explained(name: str) -> None:
    assert f"`callback:{name}`" in DOCS


@pytest.mark.parametrize("name", [*found(r"(?:el\('\w+', |button\()'(\w+)'", 14), "panel"])
def test_every_part_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCS.split("style the parts:")[1].split("```")[0]


@pytest.mark.parametrize("name", ["open", "close", "prefill"])
def test_every_command_is_explained(name: str) -> None:
    assert re.search(rf"^  (async )?{name}[(:]", WIDGET, re.MULTILINE)
    assert f"CallbackWidget('{name}'" in DOCS


@pytest.mark.parametrize(
    "name", ["_gotcha", "elapsed_ms", "submission_id", "page_url", "referrer", "source", "consent_text"]
)
def test_every_field_the_widget_adds_is_explained(name: str) -> None:
    assert name in WIDGET
    assert f"`{name}`" in DOCS
