"""The example of every builder, posted to a source of that builder, becomes a lead with its number."""

from __future__ import annotations

import pytest

from app.directory_types import PRESETS
from app.forms.examples import examples
from app.forms.signatures import SCHEMES, Delivery, can_sign, sign
from tests.web.conftest import Start
from tests.web.hooking import E164, TOKEN, address
from tests.web.service import DIRECTORY

SECRET = "the-google-key"  # which stands in the body of Google's example


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if preset != "meta"])
async def test_posted_to_a_source_it_is_a_lead_with_the_number_that_the_documentation_names(
    start: Start, preset: str
) -> None:
    signing = f'signing_secret = "{SECRET}"\n' if can_sign(preset) else ""
    source = f'\n[sources.shop]\npreset = "{preset}"\nsite = "main"\ntoken = "{TOKEN}"\n{signing}'
    example = examples()[preset]
    async with start(toml=DIRECTORY + source) as service, service.client() as client:
        url = str(client.base_url).rstrip("/") + address()
        proof = sign(preset, Delivery("POST", url, {}, example.body), SECRET, service.clock.now())
        headers = {"content-type": example.content_type}
        answer = await client.post(address(), content=example.body, headers=headers | proof)
        assert answer.status_code == 200, answer.text
        assert [row["phone"] for row in await service.rows("SELECT phone FROM leads")] == [E164]
        if preset in SCHEMES:
            assert (await client.post(address(), content=example.body, headers=headers)).status_code == 401
