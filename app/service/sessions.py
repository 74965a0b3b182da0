"""Who has signed in to the console: a word that only this service can have made, and that ends by itself.

Nothing is stored. It says until when it is good, under a seal that another admin token, or another secret of the
service, does not make: whoever changes either of them ends every session.
"""

from __future__ import annotations

import hmac
from typing import Final

from app.service.tokens import Tokens

LASTS: Final = 12 * 3_600_000  # milliseconds


def begin(tokens: Tokens, password: str, now: int) -> str:
    """The word for who has just shown the password; good from now (ms) on."""
    ends_at = now + LASTS
    return f"{ends_at}.{tokens.of_session(ends_at, password)}"


def is_good(tokens: Tokens, password: str, word: str, now: int) -> bool:
    """Whether that is such a word, and not over yet."""
    told, _, seal = word.partition(".")
    if not (told.isascii() and told.isdigit() and len(told) <= 15):
        return False
    ends_at = int(told)
    expected = tokens.of_session(ends_at, password).encode()
    return hmac.compare_digest(expected, seal.encode("utf-8", "replace")) and now < ends_at
