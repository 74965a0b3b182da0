"""What the webhook tests share: a directory with sources, and form builders that send."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.web.service import DIRECTORY, Service

TOKEN = "token-of-the-shop-0001"
OLD_TOKEN = "token-of-the-shop-0000"
PHONE = "054-234-5678"
E164 = "+972542345678"
SOURCES = f"""
[sources.shop]
preset = "generic"
site = "main"
token = ["{TOKEN}", "{OLD_TOKEN}"]
map = {{ phone = "phone", name = "name", email = "email", call_at = "when" }}
[sources.unkept]
preset = "generic"
site = "main"
token = "{TOKEN}"
keep_raw = 0
map = {{ phone = "phone" }}
[sources.quiz]
preset = "typeform"
site = "nobody"
token = "{TOKEN}"
signing_secret = ["new-secret", "old-secret"]
map = {{ phone = "phone" }}
"""
HOOKED = DIRECTORY + SOURCES
BODY = {"phone": PHONE, "name": "Noa Levi", "plan": "gold"}
ACCEPTED = {"outcome": "accepted"}


def address(source: str = "shop", token: str = TOKEN) -> str:
    return f"/v1/hooks/{source}/{token}"


async def send(client: httpx.AsyncClient, body: Any = None, source: str = "shop", **more: Any) -> httpx.Response:
    """One delivery, as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(BODY if body is None else body).encode()
    headers = {"content-type": "application/json"} | more.pop("headers", {})
    return await client.post(address(source, **more), content=content, headers=headers)


def counted(service: Service, verdict: str, source: str = "generic") -> float:
    """How many deliveries of that preset the metric counts under the verdict."""
    labels = {"source": source, "verdict": verdict}
    return service.desk.metrics.registry.get_sample_value("leadring_deliveries_total", labels) or 0.0
