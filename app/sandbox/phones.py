"""The virtual telephones: which exist, which are switched off, whose agent is logged in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

from .behaviour import phone_key

MOST_PHONES_KEPT = 5000
LOGGED_IN = 1  # onlineUserStatus of a logged-in user, facts 3.2


@dataclass
class Phone:
    """One telephone. `online`: the device; `user_status`: its user's onlineUserStatus; `seen`: order of use."""

    number: str
    name: str
    side: Literal["agent", "lead"]
    online: bool = True
    user_status: int = LOGGED_IN
    seen: int = 0


class Phones:
    """All telephones by number; unknown ones appear when first used."""

    def __init__(self, extensions: Sequence[str] | Mapping[str, str] | None = None) -> None:
        self._configured: dict[str, str] = (
            dict(extensions) if isinstance(extensions, Mapping) else {one: one for one in extensions or ()}
        )
        self._order = count(1)
        self._phones: dict[str, Phone] = {}
        self.reset()

    def reset(self) -> None:
        """Only the configured extensions, all online."""
        self._phones = {phone_key(number): Phone(number, name, "agent") for number, name in self._configured.items()}

    def knows_extension(self, extension: str) -> bool:
        """False for an extension that a configured account does not have; plain numbers can always be rung."""
        return not self._configured or extension in self._configured or extension.isdecimal()

    def find(self, number: str) -> Phone | None:
        return self._phones.get(phone_key(number))

    def is_online(self, number: str) -> bool:
        phone = self.find(number)
        return phone is None or phone.online

    def use(self, number: str, side: Literal["agent", "lead"]) -> Phone:
        """The phone of that number, made when it is new, moved to the front."""
        key = phone_key(number)
        phone = self._phones.get(key)
        if phone is None:
            self._forget_oldest_lead()
            phone = self._phones[key] = Phone(number, number, side)
        phone.seen = next(self._order)
        return phone

    def _forget_oldest_lead(self) -> None:
        if len(self._phones) > MOST_PHONES_KEPT:
            oldest = min((one for one in self._phones.values() if one.side == "lead"), key=_seen, default=None)
            if oldest is not None:
                del self._phones[phone_key(oldest.number)]

    def on_side(self, side: Literal["agent", "lead"]) -> list[Phone]:
        """The phones of one side, most recently used first."""
        return sorted((one for one in self._phones.values() if one.side == side), key=_seen, reverse=True)


def _seen(phone: Phone) -> int:
    return phone.seen
