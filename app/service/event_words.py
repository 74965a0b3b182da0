"""What each event of a lead's history is called when it is read aloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "received": "came in through {who}",
    "joined": "asked again through {who}; joined this lead",
    "held": "held by the guard {why}: a person decides",  # but for HELD below
    "spam": "taken for spam by the guard {why}: nobody is asked, and it can still be released",
    "released": "released by {who}",
    "taken_over": "what was sent through {who} counts now: {why}",
    "reserved": "reserved for {agent}",
    "sending": "the request to the provider is about to leave",
    "placed": "the provider accepted the call to {agent}",
    "agent_ringing": "{agent}'s phone rings",
    "agent_answered": "{agent} answered",
    "lead_ringing": "the lead's phone rings",
    "talking": "both talk",
    "connected": "connected",
    "agent_no_answer": "{agent} did not answer",
    "short_call": "they talked, but too briefly to count as reached ({why})",
    "number_cap": "this number was rung {why} times today, which is enough; it goes on tomorrow",
    "promised": "nobody was free in time; told that the call comes by {why}",
    "agent_offline": "the provider refused: {agent}'s extension is offline ({why})",
    "agent_blocked": "the provider refused: {agent}'s extension is blocked for such calls ({why})",
    "refused": "the provider refused the request ({why})",
    "not_sent": "the request never left ({why})",
    "unknown": "nobody knows whether it rang ({why}); it is not dialled again by itself",
    "confirmed": "the call is on the line after all: it was placed",
    "refuted": "a call of {agent} with the lead is on the line, although the provider had refused it",
    "call_left": "the call to {agent} is not on the line any more; its record tells how it went",
    "reported": "the provider reported: {why}",
    "reported_by_log": "the provider's call log told: {why}",
    "hung_up": "{who} had the call ended",
    "agent_paused": "{agent} missed {why} calls in a row and gets none for a while",
    "absent": "the provider's accounts know of no such call; most likely nothing rang",
    "unreported": "nobody reported how the call ended",
    "unresolved": "it never became known whether it rang",
    "agent_released": "{agent} is free again",
    "lapsed": "the reservation of {agent} ended, nothing was sent",
    "lead_no_answer": "the lead did not answer",
    "lead_busy": "the lead's line was busy",
    "lead_unreachable": "the lead could not be reached",
    "waiting": "waits again ({why})",
    "cancelled": "cancelled by {who}",
    "phoned_in": "phoned in and talked with {agent} for {why}: not called any more",
    "phoned_in_while_held": "phoned in and talked with {agent} for {why}; still held, a person decides",
    "exhausted": "all tries are used up ({why})",
    "expired": "too old to be dialled without asking",
    "failed": "failed ({why})",
}
# The holds that are told in words of their own.
HELD: Final[Mapping[str, str]] = {
    "provider": "held: Voicenter refused ({said}); a person decides",
    "outage": "held: it waited while nobody could be dialled at all, too long to be rung unasked; a person decides",
    "absent": "held: no account of Voicenter knows this call; a person decides",
    "dialing_window": "held: its number's dialing window is never open while the site is; a person decides",
    "stale": "held: it was sent too long ago to be rung unasked; a person decides",
    "low_confidence": "held: nothing but its look says that its number is one; a person decides",
    "ended": "held: ended by an operator; not rung again until released",
}
