"""Asks Meta's Graph API for a lead: one request, bounded in time and size, with the token in a header.

Known from Meta's pages at second hand: GET /<version>/<leadgen id>?fields=… with the page's access token answers
`{id, created_time, field_data: [{name, values}]}`, or `{error: {code, type, message}}` with a 4xx status.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Final

import httpx

from app.forms.meta import FIELDS, lead_payload
from app.ports_deliveries import Found, NotFound

GRAPH_URL: Final = "https://graph.facebook.com/v23.0"
DEADLINE: Final = 10.0  # seconds for the whole question
MOST_BYTES: Final = 64 * 1024  # as much as a webhook's own body may have
_ID: Final = re.compile(r"[0-9]{1,32}")


class Graph:
    """A client of the Graph API. `url` is its address with the version; `deadline` is in seconds."""

    def __init__(self, url: str = GRAPH_URL, deadline: float = DEADLINE) -> None:
        self._url = url.rstrip("/")
        self._deadline = deadline
        self._client: httpx.AsyncClient | None = None

    async def look_up(self, lead: str, access_token: str) -> Found | NotFound:
        """What was filled in, or why it could not be had. Never raises but CancelledError."""
        if not _ID.fullmatch(lead):
            return NotFound("this is no id of Meta's")
        try:
            async with asyncio.timeout(self._deadline):
                status, body = await self._ask(lead, access_token)
        except TimeoutError:
            return NotFound("Meta did not answer in time")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # ValueError: a token that no header can hold.
            return NotFound(f"Meta could not be asked ({type(error).__name__})")
        return _read(status, body)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _ask(self, lead: str, access_token: str) -> tuple[int, bytes]:
        # Made when it is first needed: most services have no such source, and a TLS context costs a megabyte.
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=self._deadline)
        request = self._client.build_request(
            "GET",
            f"{self._url}/{lead}",
            params={"fields": FIELDS},
            headers={"authorization": f"Bearer {access_token}", "accept-encoding": "identity"},
        )
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    break
            return response.status_code, bytes(body)
        finally:
            await response.aclose()


def _read(status: int, body: bytes) -> Found | NotFound:
    if len(body) > MOST_BYTES:
        return NotFound("Meta's answer is too long")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return NotFound(f"Meta answered HTTP {status} without JSON")
    if status == 200 and lead_payload(answer) is not None:
        return Found("application/json", body)
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    said = f", error {code}" if type(code) is int else ""
    return NotFound(f"Meta answered HTTP {status}{said or (' without the answers' if status == 200 else '')}")
