"""A language as somebody chose it in a form: its code, or its name in one of ours."""

from __future__ import annotations

import re
from typing import Final

from app.forms.keys import simple

_CODE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4}|[-_]\d{3})?")
_NAMES: Final = {
    simple(name): code
    for code, names in {
        "he": "hebrew,עברית,العبرية,иврит,hebreu,hebreo",
        "en": "english,אנגלית,الانجليزية,английский,anglais,ingles",
        "ar": "arabic,ערבית,العربية,عربي,арабский,arabe",
        "ru": "russian,רוסית,الروسية,русский,russe,ruso",
        "fr": "french,צרפתית,الفرنسية,французский,francais,frances",
        "es": "spanish,ספרדית,الاسبانية,испанский,espagnol,espanol",
        "am": "amharic,אמהרית",
    }.items()
    for name in names.split(",")
}


def language_code(text: str) -> str:
    """The code, as `he` or `en-US`; nothing when this names no language that is known here."""
    if _CODE.fullmatch(text):
        return text.replace("_", "-")
    return _NAMES.get(simple(text), "")
