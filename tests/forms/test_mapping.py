"""The rules by which fields are found, one by one."""

from __future__ import annotations

import pytest

from tests.forms.payloads import mapped

PHONE = "054-2345678"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "phone",
            "Phone*",
            "Phone number:",
            "phoneNumber",
            "your-phone",
            "tel-839",
            "tel2",
            "phone1",
            "טלפון2",
            "field:phone_6a9f",
            "q5_phoneNumber",
        ),
        *("PHONE (required)", "<b>Phone</b>", "What is your phone number?", "Best phone to reach you", "user_phone"),
        *("טלפון", "טלפון נייד *", "טל'", "מס' טלפון", "טֶלֶפוֹן", "\u200fטלפון\u200e", "מה הטלפון שלך?", "נייד (חובה)"),
        *(
            "رقم الهاتف",
            "الجوّال",
            "Телефон",
            "Ваш телефон",
            "Téléphone",
            "Teléfono móvil",
            "Ｐｈｏｎｅ",
            "No Label phone",
        ),
    ],
)
def test_a_phone_is_found_by_its_name(name: str) -> None:
    found = mapped({"form_id": "1", name: PHONE, "other": "03-5123456"})
    assert found.fields["phone"] == PHONE
    assert not found.low_confidence


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("שם מלא", "name", "דנה לוי"),
        ("Имя", "name", "Дана"),
        ("Nom complet", "name", "Dana"),
        ("Nombre y apellidos", "name", "Dana"),
        ("الاسم", "name", "دانا"),
        ('דוא"ל', "email", "d@example.com"),
        ("E-mail address", "email", "d@example.com"),
        ("Correo electrónico", "email", "d@example.com"),
        ("הודעה", "message", "שלום"),
        ("How can we help you?", "message", "roof"),
        ("Сообщение", "message", "roof"),
        ("utm_source", "utm_source", "google"),
        ("UTM Campaign", "utm_campaign", "spring"),
        ("gclid", "gclid", "Cj0"),
        ("_gotcha", "_gotcha", "I am a robot"),
        ("honeypot", "_gotcha", "x"),
        ("Referrer", "referrer", "https://example.com/"),
        ("call_at", "call_at", "2026-11-24T09:00+02:00"),
        ("consent", "consent", "true"),
    ],
)
def test_the_other_fields_are_found_by_their_names(name: str, field: str, value: str) -> None:
    found = mapped({"phone": PHONE, name: value})
    assert found.fields[field] == value
    assert not found.extra


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "no address"),
        ("page", "3"),
        ("language", "whatever you like"),
        ("call_at", "tomorrow"),
        ("name", "https://spam.example/"),
        ("Company name", "Example Ltd"),
        ("form_name", "LP"),
        ("url-12", "https://their-own.example"),
    ],
)
def test_what_cannot_be_such_a_field_is_kept_beside_them(name: str, value: str) -> None:
    found = mapped({"phone": PHONE, name: value})
    assert set(found.fields) == {"phone"}
    assert list(found.extra.values()) == [value]


@pytest.mark.parametrize(("told", "code"), [("עברית", "he"), ("Русский", "ru"), ("en_US", "en-US"), ("he", "he")])
def test_a_language_is_read_as_its_code(told: str, code: str) -> None:
    assert mapped({"phone": PHONE, "שפה": told}).fields["language"] == code


def test_a_field_of_type_tel_is_the_phone_whatever_its_label() -> None:
    fields = {"a": {"id": "a", "type": "text", "title": "Phone", "value": "call the office"}}
    fields["b"] = {"id": "b", "type": "tel", "title": "Where?", "value": PHONE}
    assert mapped({"fields": fields}, "elementor").fields["phone"] == PHONE
    typed = {"name": {"id": "name", "type": "tel", "title": "", "value": PHONE}}
    found = mapped({"fields": typed}, "elementor")
    assert dict(found.fields) == {"phone": PHONE}, "a phone is no name, though the field is called so"


def test_the_first_that_reads_is_taken_and_strong_names_go_before_weak_ones() -> None:
    assert mapped({"phone": "ask my wife", "mobile": PHONE}).fields["phone"] == PHONE
    assert mapped({"whatsapp": "03-5123456", "phone": PHONE}).fields["phone"] == PHONE
    assert mapped({"phone": "", "phone-2": PHONE}).fields["phone"] == PHONE


def test_what_stands_where_the_phone_should_is_kept_when_nothing_reads() -> None:
    found = mapped({"phone": "12", "name": "Dana"})
    assert found.fields["phone"] == "12"
    assert not found.low_confidence


@pytest.mark.parametrize(
    ("payload", "phone"),
    [
        ({"phone": {"full": "(054) 234-5678"}}, "(054) 234-5678"),
        ({"phone": {"area": "054", "phone": "2345678"}}, "054 2345678"),
        ({"phone": {"country": "972", "area": "54", "phone": "2345678"}}, "+972 54 2345678"),
        ({"קידומת": "054", "טלפון": "2345678"}, "054 2345678"),
        ({"country code": "+44", "phone": "20 7946 0958"}, "+44 20 7946 0958"),
        ({"country code": "+972", "phone": "054-2345678"}, "+972 054-2345678"),
        ({"country code": "+44", "phone": "+972542345678"}, "+972542345678"),
        ({"country code": "+1", "phone": "054-2345678"}, "054-2345678"),
        ({"phone": ["", "054-2345678"]}, "054-2345678"),
        ({"phone": "054-2345678, 03-5123456"}, "054-2345678"),
        ({"phone": "054-2345678 או 03-5123456"}, "054-2345678"),
        ({"phone": 972542345678}, "972542345678"),
        ({"phone": 972542345678.0}, "972542345678"),
    ],
)
def test_a_number_in_parts_or_beside_another_becomes_one(payload: dict[str, object], phone: str) -> None:
    assert mapped(payload).fields["phone"] == phone


@pytest.mark.parametrize(
    "text", ["03-5123456 שלוחה 12", "03-5123456 ext. 12", "03-5123456 poste 12", "03-5123456 доб. 12", "03-5123456 x12"]
)
def test_an_extension_is_taken_off_the_number_and_told(text: str) -> None:
    found = mapped({"phone": text})
    assert found.fields["phone"] == "03-5123456"
    assert found.extra["extension"] == "12"


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"first_name": "Dana", "last_name": "Levi"}, "Dana Levi"),
        ({"שם פרטי": "דנה", "שם משפחה": "לוי"}, "דנה לוי"),
        ({"שם": "דנה", "שם משפחה": "לוי"}, "דנה לוי"),
        ({"name": "Dana Levi", "last_name": "Levi"}, "Dana Levi"),
        ({"name": {"prefix": "Dr.", "first": "Dana", "last": "Levi"}}, "Dr. Dana Levi"),
        ({"first name": "Dana"}, "Dana"),
        ({"who": {"first": "Dana", "last": "Levi"}}, "Dana Levi"),
    ],
)
def test_a_name_is_put_together_from_its_halves(payload: dict[str, object], name: str) -> None:
    found = mapped({"phone": PHONE, **payload})
    assert found.fields["name"] == name
    assert not found.extra


@pytest.mark.parametrize(
    "payload",
    [
        {"form": {"id": "1", "name": "LP"}, "fields": {"phone": {"value": PHONE, "type": "tel"}}},
        {"triggerType": "form_submission", "payload": {"name": "Contact Us", "data": {"Phone": PHONE}}},
        {"name": "Callback form", "data": {"phone": PHONE}},
        {"phone": PHONE, "site": {"name": "Example Ltd"}, "agent": {"name": "Yossi"}},
        {"phone": PHONE, "form_name": "LP", "formName": "LP", "campaign_name": "Spring"},
    ],
)
def test_the_forms_own_name_is_never_the_persons(payload: dict[str, object]) -> None:
    found = mapped(payload)
    assert dict(found.fields) == {"phone": PHONE}


@pytest.mark.parametrize(
    "payload",
    [
        {"name": "Dana", "phone": PHONE, "data": {"utm_source": "google"}},
        {"lead": {"name": "Dana", "phone": PHONE}, "form": {"name": "LP"}},
        [{"name": "Dana", "phone": PHONE}],
        {"fields": {"0": {"label": "Name", "value": "Dana"}, "1": {"label": "Phone", "value": PHONE}}},
        {"name": {"value": "Dana", "field_type": "name"}, "phone": {"value": PHONE, "field_type": "phone"}},
        {"contact": {"firstName": "Dana", "phoneNumber": PHONE}},
        {"form": {"name": "LP", "fields": [{"name": "phone", "value": PHONE}, {"name": "name", "value": "Dana"}]}},
        {"answers": {"3": {"name": "a", "text": "Name", "answer": "Dana"}, "4": {"text": "Phone", "answer": PHONE}}},
        {"answers": [{"type": "text", "text": "Dana", "field": {"ref": "name"}}, {"label": "Phone", "answer": PHONE}]},
    ],
    ids=range(9),
)
def test_other_shapes_are_read_too(payload: object) -> None:
    found = mapped(payload)
    assert (found.fields["phone"], found.fields["name"]) == (PHONE, "Dana")


def test_a_number_in_the_place_of_the_name_is_no_name() -> None:
    assert dict(mapped({"name": PHONE, "phone": PHONE}).fields) == {"phone": PHONE}


def test_the_phone_of_the_firm_is_not_the_leads() -> None:
    found = mapped({"company": {"phone": "03-5123456"}, "lead": {"name": "Dana", "phone": PHONE}})
    assert dict(found.fields) == {"phone": PHONE, "name": "Dana"}


def test_a_consent_is_kept_with_the_words_that_were_agreed_to() -> None:
    label = "אני מאשר/ת קבלת דיוור ומסכים/ה לתנאי השימוש"
    found = mapped({"phone": PHONE, label: "on"})
    assert found.fields["consent"] == "on"
    assert found.fields["consent_text"] == label
    assert "consent_text" not in mapped({"phone": PHONE, "consent": "yes"}).fields


def test_overrides_win_over_names_and_types() -> None:
    payload = {"phone": "03-5123456", "field_7": PHONE, "שם": "Wrong", "x": {"y": "Dana"}}
    found = mapped(payload, phone=("field_7",), name=("x.y",))
    assert (found.fields["phone"], found.fields["name"]) == (PHONE, "Dana")
    assert found.found_as["phone"] == 'override "field_7"'
    assert found.extra["phone (2)"] == "03-5123456"


def test_an_override_is_found_however_it_is_written_and_forgotten_when_it_is_not_there() -> None:
    assert mapped({"My Number": PHONE}, phone=("my-number",)).fields["phone"] == PHONE
    assert mapped({"data": {"fields": [{"id": "7", "value": PHONE}]}}, "tally", phone=("7",)).fields["phone"] == PHONE
    assert mapped({"phone": PHONE}, phone=("gone since the form was changed",)).fields["phone"] == PHONE
    assert mapped({"a": "ask", "b": PHONE}, phone=("a", "b")).fields["phone"] == PHONE


def test_two_halves_under_name_are_joined_and_two_whole_ones_are_chances() -> None:
    halves = {"phone": PHONE, "שם פרטי": "דנה", "שם משפחה": "לוי"}
    assert mapped(halves, name=("שם פרטי", "שם משפחה")).fields["name"] == "דנה לוי"
    assert mapped({"phone": PHONE, "a": "", "b": "Dana"}, name=("a", "b")).fields["name"] == "Dana"


def test_the_id_and_the_time_may_be_named_too_and_other_names_are_labels() -> None:
    payload = {"phone": PHONE, "no": "77", "sent": "2026-11-23T09:15:00+02:00", "f3": "10k"}
    found = mapped(payload, "zapier", delivery_id=("no",), submitted_at=("sent",), budget=("f3",))
    assert (found.delivery_id, found.submitted_at) == ("77", 1795418100000)
    assert found.extra["budget"] == "10k"


def test_a_root_is_where_the_answers_are_read() -> None:
    payload = {"a": {"b": {"phone": PHONE, "name": "Dana"}}, "name": "The form", "phone": "03-5123456"}
    assert dict(mapped(payload, root="a.b").fields) == {"phone": PHONE, "name": "Dana"}
    assert mapped(payload, root="not.there").fields["phone"] == PHONE, "a root that is gone loses no lead"


def test_nothing_beside_our_fields_bears_one_of_their_names() -> None:
    payload = {"phone": PHONE, "mobile": "052-2345678", "site": "other", "call_at": "soon", "name": "12", "_next": "/x"}
    found = mapped(payload)
    assert dict(found.fields) == {"phone": PHONE}
    assert set(found.extra) == {"mobile", "site (2)", "call_at (2)", "name (2)", "_next (2)"}


def test_labels_that_are_there_twice_are_both_kept() -> None:
    payload = [{"label": "Other", "value": "a"}, {"label": "Other", "value": "b"}, {"label": "Phone", "value": PHONE}]
    found = mapped({"data": payload})
    assert sorted(found.extra.values()) == ["a", "b"]


def test_tokens_of_captchas_are_not_kept() -> None:
    assert not mapped({"phone": PHONE, "g-recaptcha-response": "03AFc", "_wpnonce": "1f", "_wpcf7": "5"}).extra
