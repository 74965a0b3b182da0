"""What the script-free pages say: one table per language, the same keys in each."""

from collections.abc import Mapping
from typing import Final

RIGHT_TO_LEFT: Final = frozenset({"he"})
DEFAULT_LANGUAGE: Final = "en"

_ENGLISH: Final[Mapping[str, str]] = {
    "form_title": "We call you back",
    "form_intro": "Leave your number and we call you.",
    "problem_title": "Please check this",
    "name": "Name (optional)",
    "phone": "Phone",
    "email": "Email",
    "message": "What is it about?",
    "company": "Leave this empty",
    "send": "Call me back",
    "telephone": "You can also phone us:",
    "thanks_title": "Thank you",
    "refresh": "Show the latest",
    "refreshing": "This page renews itself.",
    "back": "Back",
    "team": "our team",
    "waiting": "We call you as soon as somebody is free.",
    "position": "You are number {n} in line.",
    "at": "We call you: {n}.",
    "dialing": "Calling {n} now.",
    "agent_answered": "{n} is on the line.",
    "next": "Your phone will ring next.",
    "from": "Your phone will ring from {n}.",
    "lead_ringing": "Your phone is ringing. Please pick up.",
    "lead_no_answer": "You did not answer.",
    "lead_busy": "Your line was busy.",
    "connected": "You are connected.",
    "exhausted": "Sorry, we could not reach you.",
    "expired": "Sorry, nobody was free in time.",
    "failed": "Sorry, the call failed.",
    "cancelled": "Cancelled. We will not call you.",
    "step_received": "Request received",
    "step_agent": "Our phone rings",
    "step_lead": "Your phone rings",
    "step_connected": "Connected",
}

_HEBREW: Final[Mapping[str, str]] = {
    "form_title": "נחזור אליכם בטלפון",
    "form_intro": "השאירו מספר ונתקשר אליכם.",
    "problem_title": "נא לבדוק",
    "name": "שם (לא חובה)",
    "phone": "טלפון",
    "email": "דואר אלקטרוני",
    "message": "במה מדובר?",
    "company": "נא להשאיר ריק",
    "send": "חזרו אליי",
    "telephone": "אפשר גם להתקשר אלינו:",
    "thanks_title": "תודה",
    "refresh": "הצגת המצב העדכני",
    "refreshing": "העמוד מתעדכן מעצמו.",
    "back": "חזרה",
    "team": "הצוות שלנו",
    "waiting": "נתקשר אליכם ברגע שמישהו יתפנה.",
    "position": "מקומכם בתור: {n}.",
    "at": "נתקשר אליכם: {n}.",
    "dialing": "מתקשרים עכשיו אל {n}.",
    "agent_answered": "{n} על הקו.",
    "next": "מיד יצלצל הטלפון שלכם.",
    "from": "מיד יצלצל הטלפון שלכם מהמספר {n}.",
    "lead_ringing": "הטלפון שלכם מצלצל. נא לענות.",
    "lead_no_answer": "לא הייתה תשובה.",
    "lead_busy": "הקו שלכם היה תפוס.",
    "connected": "השיחה מחוברת.",
    "exhausted": "מצטערים, לא הצלחנו להשיג אתכם.",
    "expired": "מצטערים, אף אחד לא התפנה בזמן.",
    "failed": "מצטערים, השיחה לא הצליחה.",
    "cancelled": "בוטל. לא נתקשר אליכם.",
    "step_received": "הבקשה התקבלה",
    "step_agent": "הטלפון שלנו מצלצל",
    "step_lead": "הטלפון שלכם מצלצל",
    "step_connected": "מחוברים",
}

WORDS: Final[Mapping[str, Mapping[str, str]]] = {"en": _ENGLISH, "he": _HEBREW}


def spoken(language: str) -> str:
    """The language of ours nearest to a tag such as ``he-IL``; English when there is none."""
    tag = language.lower().split("-")[0]
    tag = {"iw": "he"}.get(tag, tag)
    return tag if tag in WORDS else DEFAULT_LANGUAGE
