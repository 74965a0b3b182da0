"""Phone numbers: any human spelling becomes E.164, or is refused in words; how they are shown, sent and compared.

Possible is enough, valid is not asked: libphonenumber calls 054-1234567 invalid, and people own such numbers
(measured, phonenumberslite 9.0). What costs extra is told in `Phone.kind`; guards decide about it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult, shortnumberinfo

Kind = Literal[
    "mobile",
    "fixed",
    "fixed_or_mobile",
    "toll_free",
    "premium",
    "shared_cost",
    "uan",
    "voip",
    "pager",
    "personal",
    "voicemail",
    "unknown",
]
RefusalCode = Literal["missing", "impossible", "not_callable"]

MAX_LENGTH = 64  # characters of input
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_KINDS: Final[dict[int, Kind]] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
# libphonenumber's IL metadata calls 1-200, 1-212, 1-900..902, 1-919 and 1-99x premium. The belt takes all of 1-9
# and any length: a range opened after that metadata was made must not cost money before it is updated.
_ISRAELI_PREMIUM: Final = re.compile(r"19\d+|1200\d+|1212\d+")
# Israeli lines: 5x and 7x with nine digits, the areas 2, 3, 4, 8 and 9 with eight (IL metadata, general pattern).
# By length alone a mobile with one digit too many would be "possible", because 1-xxx numbers have ten.
_ISRAELI_LINE: Final = re.compile(r"[57]\d{8}|[23489]\d{7}")
_PROVIDER_WORDS: Final = frozenset({"siptrunk", "logincode"})  # mean something else than a number to the provider
_LEADING_WORDS: Final = re.compile(r"[^\W\d_][^\d+*#&=%<>@]*?[\s:.()-]+(?=[\d+(\[])")
_TRAILING_WORDS: Final = re.compile(r"(?<=\d)[\s,()-]*[\s(,][^\W\d_][^\d+*#&=%<>@]*$")
_EXTENSION: Final = re.compile(
    r"(?<=\d)[\s\-.)]*"
    r"(?:;ext=|,{1,2}\s*|[,;]?\s*(?:ext(?:ension|n)?|x|שלוחה|تحويلة|داخلي|доб(?:авочный)?)[\s.:]*|#\s*)\d{1,7}\s*$",
    re.IGNORECASE,
)
_OTHER_LAST_DIGITS: Final = re.compile(r"(?<=\d{5})\s*/\s*\d{1,2}\s*$")  # 03-5123456/7: the line next to it
_ANY_NUMBER: Final = re.compile(r"(?<!\d)[+(]?\d(?:[\s\-./()\u2010-\u2015]{0,3}\d){6,}(?!\d)")
_NUMBER: Final = re.compile(r"[(\[]?\+?[\d\s\-./()\[\]]*")


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that can be dialled. `country` is None when libphonenumber knows no single one for it."""

    e164: str
    country: str | None
    kind: Kind
    valid: bool


class PhoneRefused(ValueError):
    """This is no number to call. `code` is stable, `reason` is for people; neither repeats the input."""

    def __init__(self, code: RefusalCode, reason: str) -> None:
        super().__init__(reason)
        self.code: RefusalCode = code
        self.reason = reason


def read_phone(text: object, default_country: str) -> Phone:
    """Read any human spelling; a number without a country code is one of `default_country`. PhoneRefused if not."""
    if text is None or (isinstance(text, str) and not text.strip()):
        raise PhoneRefused("missing", "a phone number is needed")
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise PhoneRefused("impossible", "this is not a phone number")
    plain = _plain(text)
    if not plain:
        raise PhoneRefused("missing", "a phone number is needed")
    number = _bare_number(plain)
    digits = re.sub(r"\D", "", number)
    international = "+" in number
    if not 2 <= len(digits) <= 20 or number.count("+") > 1:
        raise PhoneRefused("impossible", "this is not a phone number")
    if len(digits) <= 6 and not international:
        raise PhoneRefused("not_callable", "short, emergency and internal numbers are not called")
    return _judge(_parse(("+" if international else "") + digits, default_country))


@lru_cache(maxsize=4096)
def country_of(e164: str) -> str | None:
    """The country whose number this is, in two letters; None for numbers of no country, such as +800.

    A number that fits none of the countries that share its code is taken for one of the largest of them.
    """
    try:
        number = _parse(e164, "ZZ")
    except PhoneRefused:
        return None
    main = phonenumbers.region_code_for_country_code(number.country_code or 0)
    country = phonenumbers.region_code_for_number(number) or main
    return country if country not in ("001", "ZZ") else None


def mask(e164: str) -> str:
    """The number for logs and pages: country code and at most 3 last digits, at least 4 digits hidden."""
    digits = e164[1:] if e164.startswith("+") else ""
    country = next((digits[:size] for size in (1, 2, 3) if _is_country_code(digits[:size])), "")
    if not E164.fullmatch(e164) or not country:
        return "•••••"
    shown = max(0, min(3, len(digits) - len(country) - 4))
    return f"+{country}•••••{digits[len(digits) - shown :]}"


def mask_within(text: str) -> str:
    """The same text without what may be a telephone number in it: seven digits or more, however they are set."""
    return _ANY_NUMBER.sub("•••••", text)


def for_provider(e164: str) -> str:
    """The digits Voicenter expects: an Israeli line as 0…, all others E.164 without the plus (facts 1.2, 1.8).

    Israeli numbers that begin with 1 keep their 972: a 0 before them would make the prefix of an international
    carrier (012, 013, 014 …) and ring somebody abroad. ValueError when this is not E.164.
    """
    if not E164.fullmatch(e164):
        raise ValueError("not an E.164 number")
    national = e164.removeprefix("+972")
    if national != e164 and _ISRAELI_LINE.fullmatch(national):
        return "0" + national
    return e164[1:]


def same_number(a: str, b: str) -> bool:
    """True when both spellings end in the same 9 digits (facts 5, row 22), country code and leading 0 aside."""
    first, second = _last_digits(a), _last_digits(b)
    return bool(first) and first == second


def _plain(text: str) -> str:
    """One spelling for each character: ASCII digits, plain dashes and spaces; no marks, no invisible characters."""
    kept: list[str] = []
    for letter in unicodedata.normalize("NFKC", text.strip()):
        category = unicodedata.category(letter)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(letter)))
        elif category == "Pd" or letter == "\N{MINUS SIGN}":
            kept.append("-")
        elif category == "Zs" or letter == "\t":
            kept.append(" ")
        elif category in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp"):
            raise PhoneRefused("impossible", "this holds characters that no phone number has")
        elif category not in ("Cf", "Mn", "Me"):
            kept.append(letter)
    return "".join(kept).strip()


def _bare_number(plain: str) -> str:
    """The number alone: `tel:`, words around it and the extension after it are gone. PhoneRefused for the rest."""
    if "*" in plain or plain.startswith("#"):
        raise PhoneRefused("not_callable", "numbers with a star or a hash are not called")
    number = re.sub(r"^tel:(//)?", "", plain, flags=re.IGNORECASE).strip(" '\",;")
    words = {word.lower() for word in re.findall(r"[^\W\d_]+", number)}
    if words & _PROVIDER_WORDS:
        raise PhoneRefused("not_callable", "this is not a phone number that can be called")
    number = _LEADING_WORDS.sub("", number, count=1) if number[:1].isalpha() else number
    number = _without(_EXTENSION, number)
    number = _without(_TRAILING_WORDS, number)
    number = _without(_EXTENSION, number)
    number = _without(_OTHER_LAST_DIGITS, number)
    if not _NUMBER.fullmatch(number):
        raise PhoneRefused("impossible", "this is not a phone number")
    return number


def _without(pattern: re.Pattern[str], number: str) -> str:
    """`number` without the match at its end, as long as a whole phone number (7 digits) is left."""
    match = pattern.search(number)
    if match and len(re.findall(r"\d", number[: match.start()])) >= 7:
        return number[: match.start()].rstrip()
    return number


def _parse(digits: str, default_country: str) -> PhoneNumber:
    try:
        return phonenumbers.parse(digits, default_country)
    except phonenumbers.NumberParseException:
        raise PhoneRefused("impossible", "this is not a phone number") from None


def _judge(number: PhoneNumber) -> Phone:
    """The Phone of a parsed number, when it is one that can be rung."""
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    country = phonenumbers.region_code_for_number(number)
    national = phonenumbers.national_significant_number(number)
    home = country or phonenumbers.region_code_for_country_code(number.country_code or 0)
    valid = phonenumbers.is_valid_number(number)
    if not valid and (
        shortnumberinfo.is_possible_short_number(number) or shortnumberinfo.connects_to_emergency_number(national, home)
    ):
        raise PhoneRefused("not_callable", "short, emergency and internal numbers are not called")
    possible = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    if not possible or not E164.fullmatch(e164):
        raise PhoneRefused("impossible", "this number has too few or too many digits")
    kind = _KINDS.get(phonenumbers.number_type(number), "unknown")
    if number.country_code == 972:
        if _ISRAELI_PREMIUM.fullmatch(national):
            kind = "premium"
        elif not valid and not _ISRAELI_LINE.fullmatch(national):
            raise PhoneRefused("impossible", "this number has too few or too many digits")
    return Phone(e164, country if country != "001" else None, kind, valid)


def _is_country_code(digits: str) -> bool:
    return digits.isdigit() and int(digits) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def _last_digits(text: str) -> str:
    """At most the last 9 digits of the national number; the code 972 and a leading 0 are taken off."""
    digits = "".join(str(unicodedata.decimal(letter)) for letter in text if letter.isdecimal())
    digits = digits.removeprefix("00")
    national = digits.removeprefix("972")
    if len(national) >= 8:  # else 972 was an area code, as in Dallas
        digits = national
    return digits.removeprefix("0")[-9:]
