"""What a form builder hears of its delivery, by what became of it."""

from __future__ import annotations

from typing import Final

from app.errors import NotTaking, Unreadable
from app.service.deliveries import AGAIN

# Whether a lead is held, refused or dialled is nothing that a stranger's form may find out.
OUTCOME: Final = {"duplicate": "duplicate", AGAIN: "duplicate", "test": "test", "ignored": "ignored"}


def heard(verdict: str, why: str = "") -> str:
    """The word that goes with 200. Unreadable, which says `why`, or NotTaking."""
    match verdict:
        case "no_phone":
            raise Unreadable("No telephone number was found in it.")
        case "unreadable":
            raise Unreadable(why)
        case "not_taking":
            raise NotTaking
    return OUTCOME.get(verdict, "accepted")
