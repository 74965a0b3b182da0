"""What is foreseen of a delivery, with nothing stored, is what becomes of it when it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from app.forms.mapping import map_payload
from app.service.fate import foresee
from tests.web.conftest import Start
from tests.web.hooking import HOOKED, TOKEN, send
from tests.web.service import Service

MORE = f'\n[sources.night]\nsite = "night"\ntoken = "{TOKEN}"\n'
PHONE = "054-2345678"
BODIES: tuple[dict[str, Any], ...] = (
    {"phone": PHONE, "name": "Noa"},
    {"phone": "03-5123456", "call_at": "2026-01-06T15:30:00+02:00"},
    {"phone": "054-2345679", "call_at": "whenever"},
    {"number": "054-2345670"},
    {"phone": "+14155552671"},
    {"phone": "1-900-123456"},
    {"phone": "1-800-123456"},
    {"phone": "+44 20 7946 0958", "_gotcha": "x"},
    {"phone": "054-2345671", "_gotcha": "x"},
    {"phone": "054-2345672", "is_test": True},
    {"phone": "054-2345673", "submission_id": "x" * 65},
    {"phone": "12"},
    {"plan": "gold"},
)
GUARDS = (
    "",
    'country = "observe"\npremium = "hold"\nhoneypot = "refuse"\nlow_confidence = "off"',
    'country = "refuse"\npremium = "off"\nhoneypot = "off"\nlow_confidence = "observe"',
)


@pytest.mark.parametrize("guards", GUARDS, ids=["default", "mild", "strict"])
@pytest.mark.parametrize("source", ["shop", "night"])
async def test_every_fate_is_the_one_foreseen(start: Start, source: str, guards: str) -> None:
    toml = (HOOKED + MORE).replace("[guards]\n", f"[guards]\n{guards}\n").replace(
        'call_at = "when" }', 'submission_id = "submission_id" }'
    )  # fmt: skip
    async with start(toml=toml) as service, service.client() as client:
        for body in BODIES:
            rules = service.desk.rules
            found = rules.directory.sources[source]
            now = service.clock.now()
            fate = foresee(found, map_payload(body, found, "IL"), rules.directory, now, now)
            await send(client, body, source)
            stored = await became(service)
            assert (stored["verdict"], stored["why"] or "") == (fate.verdict, fate.why), body
            lead = fate.lead
            assert (lead is None) == (stored["lead_id"] is None), body
            if lead is not None:
                held = "spam" if lead.spam else "held" if lead.hold else None
                assert (stored["state"] if stored["state"] in ("held", "spam") else None) == held, body
                assert not held or stored["reason"] == lead.hold, body
                assert held or stored["due_at"] == lead.due_at, body


async def became(service: Service) -> dict[str, Any]:
    """The delivery that came last, and its lead."""
    (row,) = await service.rows(
        "SELECT d.verdict, d.why, d.lead_id, l.state, l.reason, l.due_at FROM deliveries d "
        "LEFT JOIN leads l ON l.id = d.lead_id ORDER BY d.received_at DESC, d.id DESC LIMIT 1"
    )
    return row
