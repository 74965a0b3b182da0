"""What a visitor is told, in English. `{time}` brings its own preposition."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "dialing": "Thank you! We are calling you now; please keep your phone at hand.",
    "waiting": "Thank you! We will call you as soon as one of us is free.",
    "scheduled": "Thank you! We will call you {time}.",
    "duplicate": "We already have your request and will call you.",
    "phone.missing": "Please enter your phone number.",
    "phone.impossible": "This does not look like a phone number. Please check it.",
    "phone.not_callable": "We cannot call this number. Please give another one.",
    "site.missing": "The form does not say which site it belongs to.",
    "submission_id.too_long": "The submission id is longer than 64 characters.",
    "call_at.malformed": "The time of the call must be a date and time with its offset.",
    "call_at.out_of_range": "The time of the call must be within the coming 60 days.",
    "open": "We are here now.",
    "busy": "We are all on the phone just now, and will call you as soon as one of us is free.",
    "closed": "We are closed now and will call you {time}.",
    "invalid": "Please check the marked fields.",
    "rate_limited": "Too many requests came from your connection. Please try again in a little while.",
    "storage_unavailable": "We could not keep your request just now. Please try again in a moment.",
    "not_taking": "We are not taking requests just now. Please try again later.",
    "unknown_site": "There is no form at this address. Please check the link.",
    "origin_not_allowed": (
        "This form may not be sent from the page it stands on. Please phone us, or tell whoever runs that page."
    ),
    "malformed": "What your browser sent could not be read. Please go back and try again.",
    "unsupported_media_type": "A form like this cannot be read here. Please go back and try again without attachments.",
    "too_large": "You wrote more than this form can take. Please go back and shorten it.",
    "timeout": "Your request took too long to arrive. Please go back and try again.",
    "in_flight": "Your request is just being handled. Please try again in a moment.",
    "idempotency_mismatch": "This form was sent before with other words. Please send it once more.",
    "not_found": "There is nothing here any more. Please check the link.",
    "conflict": "This is not possible any more.",
    "problem": "Your request could not be handled.",
}
