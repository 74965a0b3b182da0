"""JSON that ends with its line: answers read in a terminal leave the prompt where it belongs."""

from fastapi import Request
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response


class JsonLine(JSONResponse):
    """JSON and a newline."""

    def render(self, content: object) -> bytes:
        return super().render(content) + b"\n"


async def error_line(request: Request, error: Exception) -> Response:
    """The framework's own error, `{"detail": …}`, as a line; for HTTPException and RequestValidationError."""
    if isinstance(error, RequestValidationError):
        answer: Response = await request_validation_exception_handler(request, error)
    elif isinstance(error, HTTPException):
        answer = await http_exception_handler(request, error)
    else:
        raise error
    if answer.body:
        answer.body = bytes(answer.body) + b"\n"
        answer.headers["content-length"] = str(len(answer.body))
    return answer
