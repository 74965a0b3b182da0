"""What a visitor is told, one sentence each, in their language. English where a language is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("en", "he")
RIGHT_TO_LEFT: Final = frozenset({"he", "ar", "fa", "yi", "ur"})

_SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "dialing": {
        "en": "Thank you! We are calling you now; please keep your phone at hand.",
        "he": "תודה! אנחנו מתקשרים אליכם עכשיו, כדאי להישאר ליד הטלפון.",
    },
    "waiting": {
        "en": "Thank you! We will call you as soon as one of us is free.",
        "he": "תודה! נתקשר אליכם ברגע שאחד מאיתנו יתפנה.",
    },
    "scheduled": {
        "en": "Thank you! We will call you at {time}.",
        "he": "תודה! נתקשר אליכם ב־{time}.",
    },
    "duplicate": {
        "en": "We already have your request and will call you.",
        "he": "הבקשה שלכם כבר אצלנו, ונתקשר אליכם.",
    },
    "phone.missing": {
        "en": "Please enter your phone number.",
        "he": "נא למלא מספר טלפון.",
    },
    "phone.impossible": {
        "en": "This does not look like a phone number. Please check it.",
        "he": "זה לא נראה כמו מספר טלפון. נא לבדוק אותו.",
    },
    "phone.not_callable": {
        "en": "We cannot call this number. Please give another one.",
        "he": "אי אפשר להתקשר למספר הזה. נא למלא מספר אחר.",
    },
    "site.missing": {
        "en": "The form does not say which site it belongs to.",
        "he": "הטופס אינו מציין לאיזה אתר הוא שייך.",
    },
    "submission_id.too_long": {
        "en": "The submission id is longer than 64 characters.",
        "he": "מזהה השליחה ארוך מ־64 תווים.",
    },
    "call_at.malformed": {
        "en": "The time of the call must be a date and time with its offset.",
        "he": "מועד השיחה צריך להיות תאריך ושעה כולל אזור זמן.",
    },
    "call_at.out_of_range": {
        "en": "The time of the call must be within the coming 60 days.",
        "he": "מועד השיחה צריך להיות בתוך 60 הימים הקרובים.",
    },
    "open": {
        "en": "We are here now.",
        "he": "אנחנו זמינים עכשיו.",
    },
    "closed": {
        "en": "We are closed now and will call you at {time}.",
        "he": "אנחנו סגורים כעת ונתקשר אליכם ב־{time}.",
    },
    "invalid": {
        "en": "Please check the marked fields.",
        "he": "נא לבדוק את השדות המסומנים.",
    },
    "rate_limited": {
        "en": "Too many requests came from your connection. Please try again in a little while.",
        "he": "התקבלו יותר מדי פניות מהחיבור שלכם. נא לנסות שוב בעוד זמן קצר.",
    },
    "storage_unavailable": {
        "en": "We could not keep your request just now. Please try again in a moment.",
        "he": "לא הצלחנו לשמור את הפנייה כרגע. נא לנסות שוב בעוד רגע.",
    },
    "not_taking": {
        "en": "We are not taking requests just now. Please try again later.",
        "he": "איננו מקבלים פניות כרגע. נא לנסות שוב מאוחר יותר.",
    },
    "problem": {
        "en": "Your request could not be handled.",
        "he": "לא ניתן היה לטפל בפנייה.",
    },
}


def sentence(key: str, language: str, **values: str) -> str:
    """The sentence for this key; KeyError for a key that does not exist."""
    texts = _SENTENCES[key]
    return texts.get(known_language(language), texts["en"]).format(**values)


def has(key: str) -> bool:
    """Whether there is such a sentence."""
    return key in _SENTENCES


def known_language(language: str) -> str:
    """The language's two letters when texts exist in it (`he-IL` → `he`; the old code `iw` too), else `en`."""
    short = language.strip().lower().replace("_", "-").split("-")[0]
    short = {"iw": "he"}.get(short, short)
    return short if short in LANGUAGES else "en"
