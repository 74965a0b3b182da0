"""What a form may know of a site before it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.clock import to_iso
from app.domain.messages import sentence
from app.errors import UnknownSite
from app.ports import Clock
from app.service.rules import Rules
from app.service.usual_wait import Wait


@dataclass(frozen=True, slots=True)
class SiteView:
    """Open or not, what to say, and the moments for a callback. `busy`: open, but nobody is free."""

    open: bool
    opens_at: str | None
    usually_within_seconds: int | None
    language: str
    consent_text: str | None
    message: str
    taking: bool
    busy: bool = False
    slots: list[str] = field(default_factory=list)


def see_site(
    key: str, rules: Rules, clock: Clock, slots: Sequence[str] = (), *, wait: Wait | None = None, taking: bool = True
) -> SiteView:
    """The public face of a site; UnknownSite when there is none. `taking`: whether requests are taken at all."""
    site = rules.site(key)
    if site is None:
        raise UnknownSite
    now = clock.now()
    opens = rules.opening(key)(now)
    wait = wait or Wait()
    is_open = rules.is_open(site, now)
    if not taking:
        message = sentence("not_taking", site.language)
    elif is_open:
        message = sentence("busy" if wait.busy else "open", site.language)
    else:
        message = sentence("closed", site.language, time=rules.say_time(opens, now, site.language))
    return SiteView(
        open=is_open,
        opens_at=None if is_open else to_iso(opens),
        usually_within_seconds=wait.within,
        language=site.language,
        consent_text=site.consent_text,
        message=message,
        taking=taking,
        busy=wait.busy,
        slots=list(slots),
    )
