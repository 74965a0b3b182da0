"""One error shape: RFC 9457 problem+json with a stable code, the request id, and never a word of the input."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from slowapi.errors import RateLimitExceeded
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.languages import preferred_language
from app.domain.messages import has, sentence
from app.errors import FieldError, Invalid, RateLimited, Refusal, StorageUnavailable, Unavailable
from app.web.addresses import base_url
from app.web.limits import retry_after

MEDIA_TYPE = "application/problem+json"
log = structlog.get_logger("leadring.web")

CODES = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "rate_limited",
    500: "internal",
    503: "storage_unavailable",
}


def problem(request: Request, refusal: Refusal) -> Response:
    """The refusal as an answer."""
    return build(
        request,
        status=refusal.status,
        code=refusal.code,
        title=refusal.title,
        detail=str(refusal),
        retry_after=refusal.retry_after,
        errors=refusal.errors,
    )


def build(
    request: Request,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    retry_after: int | None = None,
    errors: tuple[FieldError, ...] = (),
) -> Response:
    """A problem+json answer with exactly the members of the contract."""
    request_id = request.scope.get("leadring.request_id", "")
    content = document(base_url(request), request_id, status, code, title, detail, errors)
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(content, status, headers, MEDIA_TYPE)


def document(
    base: str, request_id: str, status: int, code: str, title: str, detail: str, errors: tuple[FieldError, ...] = ()
) -> bytes:
    """The body of a problem; `base` is our address, without a trailing slash."""
    body: dict[str, Any] = {
        "type": f"{base}/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    if errors or status == 422:
        body["errors"] = [{"field": e.field, "code": e.code, "message": e.message} for e in errors]
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def install(app: FastAPI) -> None:
    """Every error of this application leaves in the one shape."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return problem(request, error)

    @app.exception_handler(StorageUnavailable)
    async def unavailable(request: Request, _error: StorageUnavailable) -> Response:
        return problem(request, Unavailable())

    @app.exception_handler(RateLimitExceeded)
    def limited(request: Request, _error: RateLimitExceeded) -> Response:
        # A plain function: it asks the limiter's storage, and so belongs in the thread pool.
        request.app.state.desk.metrics.rate_limited.inc()
        language = preferred_language(request.headers.get("accept-language", ""))
        return problem(request, RateLimited(retry_after(request), sentence("rate_limited", language)))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        code = CODES.get(error.status_code, "error")
        phrase = HTTPStatus(error.status_code).phrase
        answer = build(request, status=error.status_code, code=code, title=phrase, detail=phrase + ".")
        for name, value in (error.headers or {}).items():
            answer.headers[name] = value
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        fields = [
            FieldError(str(item["loc"][-1]) if item["loc"] else "", str(item["type"]), "This value is not valid.")
            for item in error.errors()
        ]
        return problem(request, Invalid(fields))


class Caught:
    """The innermost middleware: what no handler expected becomes a 500 that the other middlewares still see.

    Starlette's own place for it is outermost, where the answer would leave without request id and CORS headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            log.exception("request.failed", error=type(error).__name__)
            answer = build(
                Request(scope),
                status=500,
                code="internal",
                title="Something went wrong here",
                detail="It has been noted. Please try again in a moment.",
            )
            await answer(scope, receive, send)


def localized(refusal: Refusal, language: str) -> str:
    """What a visitor is told about a refusal, in their language."""
    return sentence(refusal.code if has(refusal.code) else "problem", language)
