"""Whatever colour a customer sets, its letters can be read: measured over a grid of colours, as they are painted."""

from playwright.sync_api import Page

from tests.browser.fake_service import FakeService
from tests.browser.visitor import INLINE, expect, opened

GRID = """async () => {
  const host = document.querySelector('callback-widget'), button = host.shadowRoot.querySelector('[part=submit]');
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const linear = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const found = {colours: 0, letters: {}, worst: 99};
  for (let r = 0; r < 256; r += 17) for (let g = 0; g < 256; g += 17) for (let b = 0; b < 256; b += 17) {
    host.style.setProperty('--leadring-accent', `rgb(${r} ${g} ${b})`);
    canvas.fillStyle = getComputedStyle(button).color;
    canvas.fillRect(0, 0, 1, 1);
    const painted = [...canvas.getImageData(0, 0, 1, 1).data];
    const [dark, light] = [luminance(painted), luminance([r, g, b])].sort((a, b) => a - b);
    found.colours += 1;
    found.letters[painted] = (found.letters[painted] || 0) + 1;
    found.worst = Math.min(found.worst, (light + .05) / (dark + .05));
  }
  return found; }"""


def test_letters_on_any_accent_are_black_or_white_and_never_below_4_5_to_1(page: Page, service: FakeService) -> None:
    """Of black and white the one with more contrast, at 4096 colours: 4.58 is the best there is for the worst."""
    opened(page, service, INLINE)
    expect(page.get_by_role("button", name="Call me now")).to_be_visible()
    found = page.evaluate(GRID)
    assert found["colours"] == 4096
    assert set(found["letters"]) == {"0,0,0,255", "255,255,255,255"}
    assert min(found["letters"].values()) > 500
    assert found["worst"] >= 4.5


def test_letters_that_the_customer_chose_are_kept(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    page.evaluate(
        "document.querySelector('callback-widget').style.setProperty('--leadring-accent-text', 'rgb(255 255 0)')"
    )
    expect(page.get_by_role("button", name="Call me now")).to_have_css("color", "rgb(255, 255, 0)")
