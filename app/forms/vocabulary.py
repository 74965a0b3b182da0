"""The words by which forms ask for a number, a name and the rest: Hebrew, English, Arabic, Russian, French, Spanish.

They are compared as `simple` leaves them: without accents, marks and quotes, in lower case. A weak name counts where no
strong one is filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.forms.keys import simple


def words(text: str) -> frozenset[str]:
    """The names in `text`, which stand between commas, as they are compared."""
    return frozenset(found for name in text.split(",") if (found := simple(name)))


# Our field → its names, and its weak names.
ALIASES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "phone": (
            """
                phone, phone number, phone no, phone num, tel, tel no, telephone, telephone number, mobile,
                mobile phone, mobile number, mobile no, mobilephone, phonenumber, cell, cell phone, cellphone,
                cellular, cell number, msisdn, contact number, phone mobile, user phone, callback number,
                call back number, טלפון, טלפון נייד, נייד, מספר טלפון, מספר נייד, מספר הטלפון, מספר הנייד,
                מס טלפון, מס נייד, מספר טלפון נייד, טלפון סלולרי, סלולרי, סלולארי, מספר סלולרי, פלאפון,
                פלאפון נייד, טל, טל נייד, נייד טלפון, טלפון ליצירת קשר, הטלפון שלך, הטלפון, הנייד, טלפון לחזרה,
                هاتف, الهاتف, رقم الهاتف, رقم هاتف, جوال, الجوال, رقم الجوال, رقم جوال, موبايل, رقم الموبايل,
                تلفون, تليفون, رقم التليفون, الهاتف المحمول, هاتف محمول, телефон, номер телефона, мобильный,
                мобильный телефон, сотовый, сотовый телефон, контактный телефон, тел, telephone portable,
                numero de telephone, portable, numero de portable, tel portable, gsm, telefono,
                numero de telefono, movil, celular, numero de movil, telefono movil, telefono celular,
                numero celular
            """,
            """
                whatsapp, whatsapp number, whats app, work phone, office phone, business phone, home phone,
                landline, other phone, alternative phone, additional phone, phone 1, daytime phone, וואטסאפ,
                ווטסאפ, מספר וואטסאפ, טלפון בבית, טלפון בעבודה, טלפון נוסף, טלפון קווי, واتساب, واتس اب, ватсап,
                вотсап, whatsapp nummer
            """,
        ),
        "name": (
            """
                name, full name, fullname, your name, first and last name, name and surname, contact name,
                customer name, client name, lead name, persons name, contact person, שם, שם מלא, השם, השם המלא,
                שם פרטי ושם משפחה, שם ושם משפחה, שם פרטי ומשפחה, שם איש קשר, איש קשר, שם הפונה, שם לקוח,
                שם הלקוח, איך קוראים לך, الاسم, اسم, الاسم الكامل, اسمك, الاسم كاملا, имя, фио, ваше имя,
                полное имя, имя и фамилия, как вас зовут, nom complet, nom et prenom, prenom et nom, votre nom,
                nom prenom, nombre, nombre completo, nombre y apellido, nombre y apellidos, su nombre, tu nombre
            """,
            "user name, username, display name, nickname, שם משתמש, כינוי",
        ),
        "first_name": (
            """
                first name, firstname, given name, fname, forename, name first, first, שם פרטי, פרטי,
                الاسم الاول, الاسم الأول, имя отчество, prenom, primer nombre
            """,
            "",
        ),
        "last_name": (
            """
                last name, lastname, surname, family name, lname, name last, last, second name, שם משפחה,
                שם המשפחה, משפחה, اسم العائلة, العائلة, الكنية, фамилия, nom de famille, apellido, apellidos
            """,
            "nom",
        ),
        "email": (
            """
                email, e mail, mail, email address, e mail address, mail address, your email, emailaddress,
                אימייל, דוא"ל, דואל, מייל, אי מייל, דואר אלקטרוני, כתובת מייל, כתובת אימייל, כתובת דוא"ל,
                המייל שלך, البريد الالكتروني, بريد الكتروني, البريد, ايميل, الايميل, электронная почта, почта,
                емейл, имейл, эл почта, courriel, adresse mail, adresse email, adresse e mail,
                adresse electronique, correo, correo electronico, direccion de correo
            """,
            "work email, business email, אימייל בעבודה",
        ),
        "message": (
            """
                message, your message, msg, comment, comments, notes, note, inquiry, enquiry, question,
                questions, how can we help, how can we help you, additional information, free text, הודעה,
                ההודעה, הודעתך, ההודעה שלך, תוכן ההודעה, תוכן הודעה, הערות, הערה, תוכן הפנייה, תוכן הפניה, תוכן,
                פנייה, פניה, מהות הפנייה, איך אפשר לעזור, איך נוכל לעזור, במה נוכל לעזור, טקסט חופשי, שאלה,
                رسالة, الرسالة, رسالتك, ملاحظات, استفسار, сообщение, комментарий, комментарии, вопрос,
                примечание, votre message, commentaire, commentaires, remarques, mensaje, comentario,
                comentarios, consulta, notas
            """,
            """
                subject, נושא, נושא הפנייה, details, פרטים, פרטים נוספים, description, תיאור, textarea, тема,
                objet, asunto
            """,
        ),
        "page_url": (
            """
                page url, source url, page, page link, current url, form url, landing page,
                landing page url, page address, submission url, location href, referring page, כתובת העמוד, עמוד,
                כתובת הדף, קישור לעמוד, כתובת url של העמוד, url של העמוד, דף נחיתה, رابط الصفحة, страница,
                url страницы, url de la page, url de la pagina, pagina
            """,
            "url",
        ),
        "referrer": (
            """
                referrer, referer, http referer, referrer url, referer url, מקור הפניה
            """,
            "",
        ),
        "language": (
            """
                language, lang, locale, preferred language, שפה, שפה מועדפת, اللغة, язык, langue, idioma
            """,
            "",
        ),
        "call_at": (
            "call at, callback at",
            "",
        ),
        "consent": (
            """
                consent, privacy consent, marketing consent, gdpr, gdpr consent, gdpr agreement, opt in, optin,
                acceptance, privacy, terms, privacy policy, terms and conditions, i agree, agree, agreement,
                newsletter, הסכמה, אישור, אישור תקנון, תקנון, מדיניות פרטיות, אישור דיוור, דיוור,
                אישור קבלת דיוור, موافقة, الموافقة, اوافق, согласие, я согласен, consentement, j accepte,
                consentimiento, acepto
            """,
            "",
        ),
        "consent_text": (
            "consent text",
            "",
        ),
        "_gotcha": (
            """
                gotcha, honey, honeypot, honey pot, bot field, botcheck, bot check, hp field
            """,
            "",
        ),
        "phone_prefix": (
            """
                phone prefix, mobile prefix, area code, dial code, dialing code, country code,
                phone country code, phone code, prefix phone, קידומת, קידומת טלפון, קידומת נייד, אזור חיוג,
                مقدمة, код, код страны, indicatif, prefijo, codigo de area
            """,
            "",
        ),
        "gclid": ("gclid, gcl id, google click id", ""),
        "gbraid": ("gbraid", ""),
        "wbraid": ("wbraid", ""),
        "fbclid": ("fbclid, facebook click id", ""),
        "ttclid": ("ttclid", ""),
        "msclkid": ("msclkid", ""),
        "dclid": ("dclid", ""),
        "li_fat_id": ("li fat id", ""),
        **{
            f"utm_{part}": (f"utm {part}, utm{part}", "")
            for part in ("source", "medium", "campaign", "term", "content", "id")
        },
    }
)
# Words that may stand around a name without changing what it asks for: "What is your phone number?"
FILLERS: Final = words(
    """
    your, my, the, a, an, what, whats, is, are, s, please, enter, type, insert, leave, fill, in, best, contact,
    customer, client, visitor, lead, user, billing, primary, main, preferred, valid, current, to, reach, you,
    at, on, we, can, call, us, it, here, of, and, מה, מהו, שלך, שלכם, שלי, נא, אנא, הזן, הזינו, הכנס, הכניסו,
    הקלד, הקלידו, כתבו, רשמו, השאירו, את, של, בבקשה, הלקוח, לקוח, לחזרה, ליצירת, קשר, الخاص, بك, ما, هو, ваш,
    ваша, укажите, введите, votre, saisissez, su, tu, ingrese
    """
)
# A name that holds one of these, and a value that reads as a number, is a phone.
PHONE_WORDS: Final = words(
    """
    phone, telephone, tel, mobile, cell, cellphone, cellular, whatsapp, phonenumber, mobilephone, msisdn, טלפון,
    הטלפון, נייד, הנייד, סלולרי, סלולארי, פלאפון, הפלאפון, וואטסאפ, בטלפון, هاتف, الهاتف, هاتفك, جوال, الجوال,
    موبايل, الموبايل, телефон, телефона, мобильный, portable, telefono, movil, celular
    """
)
# What stands under these is not said of the person who asked to be called.
NOT_PEOPLE: Final = words(
    """
    form, forms, form data meta, site, website, page, campaign, ad, adset, ad set, adgroup, product, company,
    organization, organisation, business, store, shop, workspace, account, agent, owner, assigned to,
    salesperson, event, course, item, location, branch, publisher, partner, project, property owner, team,
    definition, workflow, hook, webhook, טופס, אתר, חברה, סוכן
    """
)
# With these begins a sentence by which somebody agrees to something.
CONSENT: Final = words(
    """
    i agree, i consent, i accept, i have read, i confirm, by submitting, by checking, yes i agree, yes i
    consent, agree to, consent to, אני מאשר, אני מאשרת, אני מסכים, אני מסכימה, מאשר קבלת, מאשרת קבלת, מאשר ת,
    הריני מאשר, הנני מאשר, קראתי, אישור קבלת, מסכים לקבל, اوافق, انا اوافق, я согласен, я согласна, согласие на,
    даю согласие, j accepte, je consens, en cochant, acepto, estoy de acuerdo, doy mi
    """
)
