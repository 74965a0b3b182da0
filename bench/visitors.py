"""The visitors: every lead is another person with another number, from another address, as a widget sends it."""

from __future__ import annotations

import itertools
import json
import uuid

from bench.client import request

SITE = "main"
PARKED = "parked"  # a site whose leads no agent may take: they wait for ever
ORIGIN = "https://www.example.com"
_numbers = itertools.count(2_000_000)


def lead(site: str = SITE, *, submission: bool = True) -> bytes:
    """One submission, some 500 bytes of JSON: the next number, the next address."""
    number = next(_numbers)
    fields = {
        "site": site,
        "name": "נועה לוי",
        "phone": f"054-{number:07d}",
        "email": f"visitor{number}@example.com",
        "message": "I would like to hear about the three-room flats.",
        "consent": "yes",
        "consent_text": "I agree to be called back.",
        "page_url": "https://www.example.com/flats?utm_source=search",
        "referrer": "https://search.example.org/",
        "utm_source": "search",
        "source": "widget",
    }
    if submission:  # the widget always sends one
        fields["submission_id"] = str(uuid.UUID(int=number))
    body = json.dumps(fields, ensure_ascii=False).encode()
    # A proxy in front tells who asks: every visitor is counted by their own address.
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return request("POST", "/v1/leads", body, f"Origin: {ORIGIN}\r\nX-Forwarded-For: {address}\r\n")
