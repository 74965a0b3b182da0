"""Phone numbers: what people and attackers really type, and what comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.phone import E164, Phone, PhoneRefused, for_provider, mask, read_phone, same_number

DANA = "+972541234567"


@pytest.mark.parametrize(
    "text",
    [
        "0541234567",
        "054-1234567",
        "054 123 4567",
        "054.123.4567",
        "054/1234567",
        "054/123/45/67",
        "(054) 123-4567",
        "[054]1234567",
        "+972541234567",
        "972541234567",
        "00972541234567",
        "00 972 54-123-4567",
        "012972541234567",
        "+972 0541234567",
        "+972 (0)54 1234567",
        "(+972) 54-123-4567",
        "tel:+972-54-123-4567",
        "TEL:0541234567",
        "  0541234567\r\n",
        "\u200f054\u200e-1234567\u202c",
        "054\u200b1234567",
        "\ufeff0541234567",
        "054\u20111234567",
        "054–123—4567",
        "054−1234567",
        "054\u00a0123\u20094567",
        "٠٥٤١٢٣٤٥٦٧",
        "۰۵۴۱۲۳۴۵۶۷",
        "０５４－１２３４５６７",
        "＋９７２５４１２３４５６７",
        "0\ufe0f\u20e35\ufe0f\u20e341234567",
        "0541234567 ext. 12",
        "0541234567 extension 12",
        "0541234567x12",
        "tel:+972541234567;ext=12",
        "0541234567 שלוחה 12",
        "0541234567 #12",
        "0541234567#12",
        "0541234567,,12",
        "phone: 054-1234567",
        "טלפון: 054-1234567",
        "My phone is 0541234567",
        "054-1234567 (Dana)",
        "054-1234567 - Dana",
        "'0541234567",
        '"054-1234567",',
        "054-1234567 נייד",
        "Tel. (054) 1234567 ext 9",
    ],
)
def test_every_human_spelling_is_the_same_number(text: str) -> None:
    assert read_phone(text, "IL") == Phone(DANA, "IL", "unknown", valid=False)


@pytest.mark.parametrize(
    ("text", "e164", "country", "kind"),
    [
        ("054-2345678", "+972542345678", "IL", "mobile"),
        ("03-5123456", "+97235123456", "IL", "fixed"),
        ("03-5123456/7", "+97235123456", "IL", "fixed"),
        ("072-2776772", "+972722776772", "IL", "voip"),
        ("1-700-123456", "+9721700123456", "IL", "shared_cost"),
        ("1800123456", "+9721800123456", "IL", "toll_free"),
        ("1-599-123456", "+9721599123456", "IL", "uan"),
        ("+1 (415) 555-2671", "+14155552671", "US", "fixed_or_mobile"),
        ("+44 20 7946 0018", "+442079460018", "GB", "fixed"),
        ("+44 (0)20 7946 0018", "+442079460018", "GB", "fixed"),
        ("+39 02 1234 5678", "+390212345678", "IT", "fixed"),
        ("+1 900 555 1234", "+19005551234", "US", "premium"),
        ("+979 123456789", "+979123456789", None, "premium"),
        ("+44 70 1234 5678", "+447012345678", "GB", "personal"),
    ],
)
def test_country_and_kind_are_told(text: str, e164: str, country: str | None, kind: str) -> None:
    phone = read_phone(text, "IL")
    assert (phone.e164, phone.country, phone.kind) == (e164, country, kind)


@pytest.mark.parametrize(
    "text",
    ["1-900-123456", "1901123456", "+972 1902 123456", "1919123456", "1-956-123456", "1957123456", "1200123456"],
)
def test_israeli_numbers_that_cost_extra_are_told_as_premium(text: str) -> None:
    """Known to libphonenumber or, as 1-956, only to the belt."""
    assert read_phone(text, "IL").kind == "premium"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "missing"),
        ("", "missing"),
        (" \t\r\n", "missing"),
        ("\u200f\u200e", "missing"),
        (541234567, "impossible"),
        (True, "impossible"),
        (["0541234567"], "impossible"),
        ({"phone": "0541234567"}, "impossible"),
        (b"0541234567", "impossible"),
        ("no number", "impossible"),
        ("7", "impossible"),
        ("+", "impossible"),
        ("054123456", "impossible"),
        ("05412345678", "impossible"),
        ("12345678", "impossible"),
        ("1234567890", "impossible"),
        ("14155552671", "impossible"),
        ("0541234567 / 0542345678", "impossible"),
        ("0541234567, 0542345678", "impossible"),
        ("0541234567 0542345678", "impossible"),
        ("+972541234567+972542345678", "impossible"),
        ("0541234567\n0", "impossible"),
        ("054\r\n1234567", "impossible"),
        ("054\x001234567", "impossible"),
        ("054\ud8001234567", "impossible"),
        ("0541234567&action=terminate", "impossible"),
        ("0541234567&phone=SIPdana1", "impossible"),
        ("0541234567=1", "impossible"),
        ("0541234567%0a", "impossible"),
        ("0541234567;isub=1", "impossible"),
        ("<script>0541234567", "impossible"),
        ("=HYPERLINK(0541234567)", "impossible"),
        ("1-800-FLOWERS", "impossible"),
        ("0541234567abc", "impossible"),
        ("SIPdana1", "impossible"),
        ("0541234567" + " " * 60, "impossible"),
        ("0" * 65, "impossible"),
        ("0" * 40, "impossible"),
        ("+49 12", "impossible"),
        ("+999 541234567", "impossible"),
        ("SIPTRUNK", "not_callable"),
        ("logincode", "not_callable"),
        ("LoginCode 0541234567", "not_callable"),
        ("0541234567 siptrunk", "not_callable"),
        ("*6565", "not_callable"),
        ("0541234567*1", "not_callable"),
        ("#31#0541234567", "not_callable"),
        ("100", "not_callable"),
        ("101", "not_callable"),
        ("102", "not_callable"),
        ("112", "not_callable"),
        ("911", "not_callable"),
        ("+972100", "not_callable"),
        ("+1911", "not_callable"),
        ("12", "not_callable"),
        ("144", "not_callable"),
        ("1201", "not_callable"),
        ("123456", "not_callable"),
    ],
)
def test_what_cannot_be_rung_is_refused(text: object, code: str) -> None:
    with pytest.raises(PhoneRefused) as caught:
        read_phone(text, "IL")
    assert caught.value.code == code
    assert caught.value.reason == str(caught.value)
    assert not any(letter.isdigit() for letter in caught.value.reason), "the input must not be repeated"


def test_a_national_number_is_read_in_the_default_country() -> None:
    assert read_phone("(415) 555-2671", "US").e164 == "+14155552671"
    assert read_phone("020 7946 0018", "GB").e164 == "+442079460018"


def test_a_number_that_several_countries_could_own_has_no_country() -> None:
    """An unknown +1 range might be a dear island; the guard then holds it."""
    phone = read_phone("+1 415 055 2671", "IL")
    assert (phone.country, phone.valid) == (None, False)


_SCRAPS = "0 05 4 1234567 + 972 00 - ( ) / . , # * x ext tel: שלוחה ٠ ９ & = a Dana 100 1900 ;ext= ~ ²"
_PIECES = st.sampled_from([*_SCRAPS.split(" "), *" \n\u200f\u2011"])


@given(
    st.one_of(st.text(max_size=70), st.lists(_PIECES, max_size=14).map("".join)), st.sampled_from(["IL", "US", "DE"])
)
def test_any_text_is_a_number_or_a_refusal(text: str, country: str) -> None:
    try:
        phone = read_phone(text, country)
    except PhoneRefused as refusal:
        assert refusal.code in ("missing", "impossible", "not_callable")  # noqa: PT017
    else:
        assert E164.fullmatch(phone.e164)
        assert for_provider(phone.e164).isdigit()
        assert phone.e164 not in mask(phone.e164)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.binary(), st.lists, max_leaves=3))
def test_anything_but_text_is_a_refusal(value: object) -> None:
    with pytest.raises(PhoneRefused):
        read_phone(value, "IL")


@given(st.from_regex(r"05[0-9][2-9][0-9]{6}", fullmatch=True), st.text(" -./()\u200f\u2011", max_size=3))
def test_separators_never_change_the_number(number: str, between: str) -> None:
    assert read_phone(between.join(number), "IL") == read_phone(number, "IL")


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_reading_what_was_read_changes_nothing(number: str) -> None:
    try:
        phone = read_phone(number, "IL")
    except PhoneRefused:
        return
    assert read_phone(phone.e164, "US") == phone


@given(st.text())
def test_mask_never_fails_and_never_shows_more_than_three_digits_of_the_line(text: str) -> None:
    assert mask(text) == "•••••" or text.startswith("+")


@pytest.mark.parametrize(
    ("e164", "masked"),
    [
        (DANA, "+972•••••567"),
        ("+14155552671", "+1•••••671"),
        ("+97235123456", "+972•••••456"),
        ("+6834000", "+683•••••"),
        ("+683400012", "+683•••••12"),
        ("0541234567", "•••••"),
        ("", "•••••"),
        ("+999123456789", "•••••"),
    ],
)
def test_a_masked_number_keeps_the_country_and_hides_at_least_four_digits(e164: str, masked: str) -> None:
    assert mask(e164) == masked


@pytest.mark.parametrize(
    ("e164", "digits"),
    [
        (DANA, "0541234567"),
        ("+97235123456", "035123456"),
        ("+14155552671", "14155552671"),
        ("+9721700123456", "9721700123456"),
        ("+972123456789", "972123456789"),
    ],
)
def test_the_provider_gets_digits_and_never_the_prefix_of_a_carrier(e164: str, digits: str) -> None:
    assert for_provider(e164) == digits


@pytest.mark.parametrize("text", ["0541234567", "972541234567", "+0541234567", "+97254123456\n7", "", "SIPTRUNK"])
def test_only_e164_is_sent(text: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164"):
        for_provider(text)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("0541234567", "+972541234567", True),
        ("972541234567", "054-123-4567", True),
        ("00972541234567", "541234567", True),
        ("035123456", "+97235123456", True),
        ("٠٥٤١٢٣٤٥٦٧", "0541234567", True),
        ("+14155552671", "4155552671", True),
        ("0541234567", "0541234568", False),
        ("9725551234", "0095551234", False),
        ("5551234", "0541235551234", False),
        ("", "", False),
        ("SIPdana", "SIPyossi", False),
    ],
)
def test_numbers_are_compared_by_their_last_nine_digits(a: str, b: str, same: bool) -> None:
    assert same_number(a, b) is same
    assert same_number(b, a) is same
