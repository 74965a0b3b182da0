"""How soon the status page renews itself: often while something happens, seldom while it only waits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from app.web.pages.progress import FINAL

RINGING: Final = 3  # seconds, while phones ring
# While it waits: up to so many seconds after the request (or before the time that was told), every so many.
WAITING: Final = ((120, 5), (600, 15), (3600, 60))
SELDOM: Final = 300


def renew_after(status: Mapping[str, Any], now: datetime) -> int | None:
    """Seconds until the page asks again; None when nothing will change any more."""
    state = status.get("state")
    if state in FINAL:
        return None
    if state == "dialing":
        return RINGING
    timeline = status.get("timeline") or ()
    told = status.get("expected_call_at") or (timeline[0].get("at") if timeline else None)
    apart = abs((datetime.fromisoformat(str(told)) - now).total_seconds()) if told else 0.0
    return next((every for until, every in WAITING if apart <= until), SELDOM)
