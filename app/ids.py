"""Identifiers: UUID version 7, so that rows of one day lie together in the index and sort by birth.

They name, they do not open anything: what may be seen with an id is decided by a token. So their random part
comes from a generator seeded once from the system, not from a system call for each.
"""

from __future__ import annotations

import random
import time

_random = random.Random(random.SystemRandom().getrandbits(256))  # noqa: S311 - see above


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562) as 36 lower-case characters; 74 of its bits are random."""
    value = (time.time_ns() // 1_000_000) << 80 | _random.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_request_id() -> str:
    """A name for one request: 32 hexadecimal characters."""
    return f"{_random.getrandbits(128):032x}"
