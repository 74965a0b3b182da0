"""What is known of each builder: where its answers stand, its own id of a submission, when that was sent.

How surely each is known is told in docs/builders.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from app.directory_types import PRESETS
from app.forms.vocabulary import words

Unit = Literal["iso", "utc", "ms"]


@dataclass(frozen=True, slots=True)
class Preset:
    """`roots` and `ids` are paths with dots, the first one that is filled counts. `times` are paths with what stands
    there: ISO 8601 with an offset, a date and time in UTC without saying so, or milliseconds since the epoch.

    `told` are names that this builder adds to every submission: they are shown after what the visitor said.
    """

    roots: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    times: tuple[tuple[str, Unit], ...] = ()
    told: frozenset[str] = frozenset()


KNOWN: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        **dict.fromkeys(PRESETS, Preset()),
        "elementor": Preset(roots=("fields",)),
        "gravity": Preset(
            ids=("id",),
            times=(("date_created", "utc"),),
            told=words(
                """
                id, created by, date created, date updated, is starred, is read, is fulfilled, currency, status,
                payment status, payment date, payment amount, payment method, transaction id, transaction type, post
                id
                """
            ),
        ),
        "webflow": Preset(
            roots=("payload.data", "data"),
            ids=("payload.id", "_id"),
            times=(("payload.submittedAt", "iso"), ("d", "iso")),
        ),
        "wix": Preset(
            roots=("data",),
            ids=("data.submissionId", "submissionId"),
            times=(("data.submissionTime", "iso"), ("submissionTime", "iso")),
            told=words(
                """
                contact id, submission id, submission time, submissions link, form field mask, context id
                """
            ),
        ),
        "typeform": Preset(
            roots=("form_response.answers",),
            ids=("form_response.token", "event_id"),
            times=(("form_response.submitted_at", "iso"),),
        ),
        "jotform": Preset(
            roots=("rawRequest",),
            ids=("submissionID",),
            told=words(
                """
                slug, js execution tracker, submit source, submit date, build date, upload server url, event
                observer, event id, time to submit, validated new required field i ds, path, unique id, temp upload
                """
            ),
        ),
        "hubspot": Preset(roots=("properties",)),
        "google_ads": Preset(roots=("user_column_data",), ids=("lead_id",), times=(("lead_submit_time", "iso"),)),
        "meta": Preset(
            roots=("field_data",),
            ids=("leadgen_id", "id", "entry.0.changes.0.value.leadgen_id"),
            times=(("created_time", "iso"),),
        ),
        "tally": Preset(
            roots=("data.fields",),
            ids=("data.responseId", "data.submissionId", "eventId"),
            times=(("data.createdAt", "iso"), ("createdAt", "iso")),
        ),
    }
)
# What WordPress and others say of the request: last of all, so that it does not crowd out what somebody wrote.
TECHNICAL: Final = words(
    """
    user agent, remote ip, ip, ip address, client ip, user ip, date, time, submit time, submitted on, powered by,
    credit, form id, form name, form title, form, form url, page id, page title, post id, post name, queried id,
    query var, referer title, action, site id, site name, site url, page name, browser, platform, version, api
    version, locale, timestamp, created at, updated at, elapsed ms, submission id, event id, event type, trigger
    type, next, redirect, unit tag, container post, תאריך, שעה, זמן, סוכן משתמש, כתובת ip, מופעל על ידי, כתובת ip
    מרוחקת
    """
)
# What is no use to anybody: tokens of captchas, nonces, and the same answers once more. A secret is never shown.
DROPPED: Final = words(
    """
    g recaptcha response, h captcha response, cf turnstile response, frc captcha solution, altcha, captcha, wpnonce,
    nonce, wp http referer, csrf token, csrfmiddlewaretoken, authenticity token, wpcf7, wpcf7 version, wpcf7 locale,
    wpcf7 unit tag, wpcf7 container post, wpcf7 posted data hash, google key, pretty, access token, api key, token
    """
)
