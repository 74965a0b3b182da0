"""The virtual telephones: which exist, which are switched off, whose agent is logged in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from .behaviour import phone_key
from .calls import Side
from .extensions import make_extensions

MOST_PHONES_KEPT = 5000
LOGGED_IN = 1
# onlineUserStatus, facts 3.2; the names can be changed in the panel.
STATUSES = {
    1: "Login",
    2: "Logout",
    3: "Lunch",
    5: "Administrative",
    7: "Private",
    9: "Other",
    11: "Training",
    12: "Team meeting",
    13: "Brief",
}
Extensions = int | Sequence[str] | Mapping[str, str]


@dataclass
class Phone:
    """One telephone. `online`: the device; `user_status`: its user's onlineUserStatus; `seen`: order of use."""

    number: str
    name: str
    side: Side
    online: bool = True
    user_status: int = LOGGED_IN
    seen: int = 0


class Phones:
    """All telephones by number; unknown ones appear when first used."""

    def __init__(self, extensions: Extensions | None = None) -> None:
        if isinstance(extensions, int):
            extensions = make_extensions(extensions)
        self._configured: dict[str, str] = (
            dict(extensions) if isinstance(extensions, Mapping) else {one: one for one in extensions or ()}
        )
        self._order = count(1)
        self._phones: dict[str, Phone] = {}
        self.reset()

    def reset(self) -> None:
        """Only the configured extensions, all online."""
        self._phones = {phone_key(number): Phone(number, name, "agent") for number, name in self._configured.items()}

    def knows(self, number: str) -> bool:
        """False for an extension that a configured account does not have; plain numbers can always be rung."""
        return not self._configured or number in self._configured or number.isdecimal()

    def is_extension(self, number: str) -> bool:
        """Whether that is an extension of the account, and no telephone number of the world outside."""
        return not number.isdecimal() or number in self._configured

    def has_extension(self, number: str) -> bool:
        """Whether that is an extension, and of a configured account one that it has."""
        return self.is_extension(number) and self.knows(number)

    def can_be_agents(self, number: str) -> bool:
        """False for what no agent of a configured account could have, and no call has used."""
        return not self._configured or number in self._configured or self.find(number) is not None

    def find(self, number: str) -> Phone | None:
        return self._phones.get(phone_key(number))

    def is_online(self, number: str) -> bool:
        phone = self.find(number)
        return phone is None or phone.online

    def use(self, number: str, side: Side) -> Phone:
        """The phone of that number, made when it is new, moved to the front. An extension is always an agent's."""
        key = phone_key(number)
        if self.is_extension(number):
            side = "agent"
        phone = self._phones.get(key)
        if phone is None:
            self._forget_oldest_lead()
            phone = self._phones[key] = Phone(number, number, side)
        phone.side = side
        phone.seen = next(self._order)
        return phone

    def _forget_oldest_lead(self) -> None:
        if len(self._phones) > MOST_PHONES_KEPT:
            oldest = min((one for one in self._phones.values() if one.side == "lead"), key=_seen, default=None)
            if oldest is not None:
                del self._phones[phone_key(oldest.number)]

    def extensions(self) -> list[Phone]:
        """The account's extensions, in the order in which they were configured or first used."""
        return [one for one in self._phones.values() if self.is_extension(one.number)]

    def on_side(self, side: Side) -> list[Phone]:
        """The phones of one side, most recently used first."""
        return sorted((one for one in self._phones.values() if one.side == side), key=_seen, reverse=True)


def _seen(phone: Phone) -> int:
    return phone.seen
