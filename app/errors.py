"""The house's errors, one tree; the edge (app/web/problems.py) turns them into RFC 9457 answers.

LeadringError
├── ConfigurationError      settings or directory are wrong; carries every mistake at once
├── StorageUnavailable      the database cannot be reached or refused to commit; try again later
│   └── NotWritable           it answers, and nothing can be written to it
└── Refusal                 the caller's request is refused, with an HTTP status and a stable code
    ├── Malformed             400 malformed
    ├── Unauthorized          401 unauthorized
    ├── ForbiddenOrigin       403 origin_not_allowed
    ├── UnknownSite           404 unknown_site
    ├── NotFound              404 not_found
    ├── InFlight              409 in_flight
    ├── Conflict              409 conflict
    ├── TooLarge              413 too_large
    ├── HeadTooLarge          431 too_large
    ├── UnsupportedMediaType  415 unsupported_media_type
    ├── Invalid               422 invalid, with field errors
    ├── Unreadable            422 unreadable
    ├── IdempotencyMismatch   422 idempotency_mismatch
    ├── RateLimited           429 rate_limited
    ├── NotTaking             503 not_taking
    └── Unavailable           503 storage_unavailable
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class LeadringError(Exception):
    """Something in Leadring went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigurationError(LeadringError):
    """Settings or directory are wrong."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(self.mistakes))


class StorageUnavailable(LeadringError):
    """The database cannot be reached."""


class NotWritable(StorageUnavailable):
    """Nothing can be written to the database: its disk is full, or fails."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake in one field: `code` is stable, `message` is a sentence in the lead's language."""

    field: str
    code: str
    message: str


class Refusal(LeadringError):
    """The request is refused."""

    status = 400
    code = "malformed"
    title = "The request cannot be read"
    retry_after: int | None = None
    errors: tuple[FieldError, ...] = ()


class Malformed(Refusal):
    """The body cannot be read as what its content type says."""


class Unauthorized(Refusal):
    """This needs the right bearer token."""

    status = 401
    code = "unauthorized"
    title = "Unauthorized"


class ForbiddenOrigin(Refusal):
    """This web address may not send leads to this site."""

    status = 403
    code = "origin_not_allowed"
    title = "Origin not allowed"


class UnknownSite(Refusal):
    """There is no such site here."""

    status = 404
    code = "unknown_site"
    title = "Unknown site"


class NotFound(Refusal):
    """There is nothing here, or the token does not open it."""

    status = 404
    code = "not_found"
    title = "Not found"


class InFlight(Refusal):
    """The same submission is being handled right now; ask again in a moment."""

    status = 409
    code = "in_flight"
    title = "Already being handled"
    retry_after = 1


class Conflict(Refusal):
    """The lead is in a state that does not allow this."""

    status = 409
    code = "conflict"
    title = "Not possible now"


class TooLarge(Refusal):
    """The body is larger than this address takes."""

    status = 413
    code = "too_large"
    title = "Too large"


class HeadTooLarge(TooLarge):
    """The request line and the headers are larger than anything that is understood here."""

    status = 431


class UnsupportedMediaType(Refusal):
    """The content type is none of those that are understood here."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class Invalid(Refusal):
    """Some fields need another look."""

    status = 422
    code = "invalid"
    title = "Some fields need another look"

    def __init__(self, errors: Sequence[FieldError], message: str | None = None) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class Unreadable(Refusal):
    """Nothing in it can be read as a request to be called."""

    status = 422
    code = "unreadable"
    title = "Cannot be read"


class IdempotencyMismatch(Refusal):
    """This submission id was used before with other content."""

    status = 422
    code = "idempotency_mismatch"
    title = "Submission id used before"


class RateLimited(Refusal):
    """Too many requests; please try again later."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = max(1, retry_after)


class NotTaking(Refusal):
    """No requests are taken just now; please try again later."""

    status = 503
    code = "not_taking"
    title = "No requests are taken just now"
    retry_after = 60


class Unavailable(Refusal):
    """The lead could not be stored just now; please try again."""

    status = 503
    code = "storage_unavailable"
    title = "Storage unavailable"
    retry_after = 2
