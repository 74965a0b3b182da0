"""An account's worth of extensions: the same ones every time, shaped like real SIP codes (facts 1.2)."""

import hashlib
import string
from collections.abc import Iterator

_LETTERS = string.ascii_letters
_SIGNS = string.ascii_letters + string.digits
_FIRST = ("Dana", "Noa", "Yossi", "Maya", "Avi", "Rina", "Omer", "Tamar", "Eitan", "Lior", "Shira", "Amir", "Gal")
_LAST = ("Levi", "Cohen", "Mizrahi", "Peretz", "Biton", "Friedman", "Katz", "Azoulay", "Haddad", "Shapiro", "Ohana")

MOST = 5000


def make_extensions(count: int) -> dict[str, str]:
    """`count` SIP codes of eight letters and digits with their users' names; ValueError outside 0 to 5000."""
    if not 0 <= count <= MOST:
        raise ValueError(f"extensions must be between 0 and {MOST}")
    made: dict[str, str] = {}
    codes = _codes()
    while len(made) < count:
        number = len(made)
        name = f"{_FIRST[number % len(_FIRST)]} {_LAST[number % len(_LAST)]}"
        again = number // (len(_FIRST) * len(_LAST))
        made.setdefault(next(codes), f"{name} {again + 1}" if again else name)
    return made


def _codes() -> Iterator[str]:
    number = 0
    while True:
        digest = hashlib.sha256(f"extension {number}".encode()).digest()
        # A letter first: what is all digits is a telephone number here.
        yield _LETTERS[digest[0] % len(_LETTERS)] + "".join(_SIGNS[byte % len(_SIGNS)] for byte in digest[1:8])
        number += 1
