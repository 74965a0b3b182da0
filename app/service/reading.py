"""A submission as a new lead: the phone becomes E.164, and the guards that need not count speak."""

from __future__ import annotations

from collections.abc import Sequence

from app.directory import Site
from app.domain import guards, submission_guards
from app.domain.guards import Hit
from app.domain.lead import NewLead
from app.domain.messages import sentence
from app.domain.phone import Phone, PhoneRefused, read_phone
from app.errors import FieldError, Invalid
from app.ids import new_id
from app.service.callbacks import first_due, read_callback
from app.service.rules import Rules
from app.service.submission import MAX_KEY, Sorted, Submission, fingerprint_text, key_of
from app.service.tokens import Tokens


class NotCallable(Invalid):
    """A guard refuses this number for itself: `guard` names it, `hits` are all that spoke."""

    def __init__(self, guard: str, hits: Sequence[Hit], errors: Sequence[FieldError], message: str) -> None:
        super().__init__(errors, message)
        self.guard = guard
        self.hits = tuple(hits)


def read_submission(
    submission: Submission, site: Site, fields: Sorted, language: str, *, rules: Rules, tokens: Tokens, now: int
) -> tuple[NewLead, list[Hit]]:
    """The lead, and the guards that spoke. Invalid with every mistake; NotCallable."""
    directory = rules.directory
    errors: list[FieldError] = []
    phone: Phone | None = None
    try:
        phone = read_phone(submission.fields.get("phone"), directory.policy.default_country)
    except PhoneRefused as refused:
        errors.append(FieldError("phone", refused.code, sentence(f"phone.{refused.code}", language)))
    asked = fields.get("call_at")
    call_at, mistake = read_callback(asked, now) if asked else (None, None)
    if mistake:
        errors.append(FieldError("call_at", mistake, sentence(f"call_at.{mistake}", language)))
    key = key_of(submission)
    if len(key) > MAX_KEY:
        errors.append(FieldError("submission_id", "too_long", sentence("submission_id.too_long", language)))
    if errors or phone is None:
        raise Invalid(errors, sentence("invalid", language))
    at_number = guards.look_at_number(phone, directory)
    refusing = guards.worst(at_number)
    if refusing is not None and refusing.mode == "refuse":
        refusal = FieldError("phone", "not_callable", sentence("phone.not_callable", language))
        raise NotCallable(refusing.guard, at_number, [refusal], sentence("invalid", language))
    # A trap that refuses says so to nobody: what is in it looks accepted, and is spam.
    trap = submission_guards.honeypot(fields.known, directory.guards.honeypot)
    hits = [*trap, *submission.hits, *at_number]
    decided = guards.worst(hits)
    due, reason, rank, hold = first_due(lambda moment: rules.next_ring(site.key, phone.e164, moment), now, call_at)
    policy = directory.policy
    return (
        NewLead(
            id=new_id(),
            site=site.key,
            source=submission.source,
            phone=phone,
            phone_key=tokens.phone_key(phone.e164),
            client_key=tokens.client_key(submission.client),
            received_at=now,
            due_at=due,
            expires_at=due + policy.expire_after * 1000,
            deadline_at=due + policy.deadline * 1000,
            reason=reason,
            rank=rank,
            hold=decided.guard if decided else hold,
            spam=decided is not None and decided.mode == "refuse",
            delivery=submission.delivery,
            hits=tuple(hits),
            name=fields.get("name"),
            email=fields.get("email"),
            message=fields.get("message"),
            language=language,
            asked_language=fields.get("language") or "",
            consent=fields.get("consent"),
            consent_text=fields.get("consent_text"),
            submission_id=key or None,
            fingerprint=tokens.fingerprint(fingerprint_text(submission.fields)) if key else "",
            extra=fields.extra,
            attribution={**fields.attribution, **submission.attribution},
        ),
        hits,
    )
