"""Telephone numbers within what somebody wrote: with an extension, with another one behind it, or without any name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.domain.phone import Phone, PhoneRefused, read_phone
from app.forms.answers import Answer
from app.forms.keys import simple
from app.forms.presets import TECHNICAL
from app.forms.vocabulary import words

MOST_GUESSES: Final = 200  # values that are tried
MOST_NAMED: Final = 30  # of those that are called a phone
_EXTENSION: Final = re.compile(
    r"(?<=\d)[\s,;.)-]{0,5}(?:extension|extensión|ext|exten|poste|interno|int|anexo|x|#|שלוחה|שלוחת|تحويلة|داخلي|"
    r"добавочный|доб)[\s.:]{0,3}(\d{1,7})\s{0,5}$",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r"[,;|/\n]|\s(?:או|or|или|ou|أو)\s", re.IGNORECASE)
_MOST_PIECES: Final = 5
_BARE: Final = re.compile(r"[+(]{0,2}\d[\d\s\-./()\u2010-\u2015]{5,23}")
_DATE: Final = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_RUNG: Final = frozenset({"mobile", "fixed", "fixed_or_mobile", "voip", "personal"})
_NO_PHONES: Final = words(
    """
    id, identity, passport, ssn, תז, ת.ז, זהות, דרכון, zip, zipcode, postcode, postal, מיקוד, date, תאריך,
    birth, birthday, לידה, price, amount, sum, budget, total, מחיר, סכום, תקציב, order, invoice, הזמנה, חשבונית,
    account, חשבון, בנק, iban, card, כרטיס, fax, פקס, ip, lat, lng, latitude, longitude, vat, tax, חפ, עוסק,
    license, רישוי, רכב, code, קוד, هوية, الهوية, паспорт, инн, снилс, индекс, дата
    """
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, without what stood behind it; `extension` is empty where none was named."""

    text: str
    extension: str
    phone: Phone


def number_in(text: str, country: str) -> Number | None:
    """The first number in `text` that can be called; None when there is none."""
    pieces = [text, *_BETWEEN.split(text[:200])[:_MOST_PIECES]]
    for piece in pieces:
        match = _EXTENSION.search(piece[:64])
        before, extension = (piece[: match.start()], match[1]) if match and len(piece) <= 64 else (piece, "")
        if (phone := _read(before, country)) is not None:
            return Number(before.strip(), extension, phone)
    return None


def only_number(answers: Iterable[Answer], country: str) -> tuple[Answer, Number] | None:
    """The one answer that can be nothing but a number, though nothing says so; None when there are two, or none.

    A guess rings a stranger when it is wrong, so it must be valid, not merely possible, written as people write
    numbers, of a kind that people have, and not under a name that says otherwise. Israeli identity numbers have nine
    digits, as numbers of fixed lines have: nine bare digits that pass their check are not guessed to be a phone.
    """
    found: dict[str, tuple[Answer, Number]] = {}
    tried = 0
    for answer in answers:
        if not answer.inside or answer.said.kind or not _may_be_one(answer):
            continue
        tried += 1
        if tried > MOST_GUESSES:
            return None
        number = number_in(answer.value, country)
        if number is not None and number.phone.valid and number.phone.kind in _RUNG:
            found.setdefault(number.phone.e164, (answer, number))
    return next(iter(found.values())) if len(found) == 1 else None


def is_identity_number(digits: str) -> bool:
    """Whether nine digits pass the check of Israeli identity numbers."""
    if len(digits) != 9 or not (digits.isascii() and digits.isdigit()):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(digits))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _may_be_one(answer: Answer) -> bool:
    told = {word for name in answer.said.names for word in (simple(name), *simple(name).split())}
    if told & _NO_PHONES or told & TECHNICAL:
        return False
    text = "".join(
        letter
        for letter in unicodedata.normalize("NFKC", answer.value[:64])
        if unicodedata.category(letter) not in ("Cf", "Mn")
    ).strip()
    if not _BARE.fullmatch(text) or _DATE.fullmatch(text):
        return False
    digits = "".join(letter for letter in text if letter.isdigit())
    written = text.startswith(("+", "0", "(0")) or len(digits) > 9
    return 8 <= len(digits) <= 15 and written and not (text == digits and is_identity_number(digits))


def _read(text: str, country: str) -> Phone | None:
    try:
        return read_phone(text, country)
    except PhoneRefused:
        return None
