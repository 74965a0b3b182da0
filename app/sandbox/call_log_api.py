"""The call log's address, `/hub/cdr/`: POST with a JSON object, or GET with a flat query (facts 4).

Errors are ERROR_NUMBER and STATUS_CODE in the body: 1/403 asked too often, 2/403 a wrong code, 4/403 an address
that is not allowed (only when a behaviour says so), 5/404 dates that are missing or no dates. The sentences are
ours. Whether the HTTP status follows STATUS_CODE is not known; `http_status` of the options decides.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request, Response

from .answers import json_answer, respond
from .call_log import Row, Search, lowered, only
from .incoming import read_body
from .journal import Received
from .parameters import RefusedError
from .sandbox import Sandbox

PATH = "/hub/cdr/"
_ERRORS = {
    1: (403, "Rate limit exceeded, wait 5 seconds between requests"),
    2: (403, "Authorization failed"),
    4: (403, "IP not authorized"),
    5: (404, "Date range is not valid"),
}

router = APIRouter()


@router.api_route(PATH, methods=["GET", "POST"], include_in_schema=False)
@router.api_route(PATH.rstrip("/"), methods=["GET", "POST"], include_in_schema=False)
async def call_log(request: Request) -> Response:
    """The records of ended calls within two dates."""
    sandbox: Sandbox = request.app.state.sandbox
    asked = await _read(request)
    behaviour = sandbox.book.take_api("call_log")
    error, answer, rows = _answer(sandbox, asked)
    if behaviour.answer == "refuse":
        error = 1 if behaviour.errorcode is None else behaviour.errorcode
        answer = _error(error, behaviour.message)
    elif error == 0 and behaviour.answer == "empty":
        answer = _found(0, [])
    elif error == 0 and behaviour.answer == "stale":
        old = sandbox.last_lists.setdefault("call_log", rows)
        answer = _found(len(old), old)
    elif error == 0:
        sandbox.last_lists["call_log"] = rows
    sandbox.receive(
        Received(
            at=sandbox.clock.now(),
            api="call_log",
            method=request.method,
            params={name: _shown(name, value) for name, value in asked.items()},
            action="",
            phone="",
            target="",
            answer=behaviour.answer or "normal",
            rang=False,
            errorcode=error,
            call_id="",
        )
    )
    response = await respond(json_answer(answer), behaviour, sandbox.released)
    honest = behaviour.answer not in {"garbage", "http_error"}
    if error and honest and sandbox.call_log.options.http_status and isinstance(answer["STATUS_CODE"], int):
        response.status_code = answer["STATUS_CODE"]
    return response


async def _read(request: Request) -> dict[str, object]:
    """The JSON object, or the query with repeated names as lists; what is neither is as good as nothing."""
    asked: dict[str, object] = {}
    for name in request.query_params:
        asked[name] = request.query_params.getlist(name)
    try:
        data = json.loads(await read_body(request) or b"{}")
    except (ValueError, RefusedError):
        data = {}
    return asked | dict(data) if isinstance(data, Mapping) else asked


def _answer(sandbox: Sandbox, asked: Mapping[str, object]) -> tuple[int, dict[str, object], list[Row]]:
    given = {name.lower(): value for name, value in asked.items()}
    if not hmac.compare_digest(_one(given.get("code")).encode(), sandbox.code.encode()):
        return 2, _error(2), []
    if not sandbox.call_log.may_ask():
        return 1, _error(1), []
    wrapped = given.get("search")
    # A real client puts the dates at the top, and they are flat in a query (facts 4).
    terms = {name.lower(): value for name, value in wrapped.items()} if isinstance(wrapped, Mapping) else given
    since, until = _date(terms.get("fromdate")), _date(terms.get("todate"))
    if since is None or until is None or since > until:
        return 5, _error(5), []
    rows = sandbox.call_log.rows(
        Search(
            since=since,
            until=until,
            phones=frozenset(_many(terms.get("phones"))),
            extensions=frozenset(_many(terms.get("extensions"))),
            call_id=_one(terms.get("callid")),
            cdr_types=frozenset(int(one) for one in _many(terms.get("cdrtypes")) if one.isdecimal()),
            sort=_sort(given.get("sort")),
        )
    )
    shown, fields = rows[: sandbox.call_log.options.most_rows], _many(given.get("fields"))
    listed = [only(row, fields) if fields else lowered(row) for row in shown]
    return 0, _found(len(rows), listed), listed


def _found(total: int, rows: list[Row]) -> dict[str, object]:
    return {
        "ERROR_NUMBER": 0,
        "ERROR_DESCRIPTION": "OK",
        "STATUS_CODE": 200,
        "TOTAL_HITS": total,
        "RETURN_HITS": len(rows),
        "CDR_LIST": rows,
    }


def _error(number: int, message: str | None = None) -> dict[str, object]:
    status, sentence = _ERRORS.get(number, (500, "Refused by the sandbox"))
    return _found(0, []) | {
        "ERROR_NUMBER": number,
        "ERROR_DESCRIPTION": message or sentence,
        "STATUS_CODE": status,
    }


def _many(value: object) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [text for one in values if isinstance(one, str | int) and (text := str(one).strip())]


def _one(value: object) -> str:
    return next(iter(_many(value)), "")


def _date(value: object) -> float | None:
    """ISO 8601; without an offset it is GMT (facts 4)."""
    try:
        read = datetime.fromisoformat(_one(value))
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _sort(value: object) -> list[tuple[str, Literal["asc", "desc"]]]:
    given = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
    wanted: list[tuple[str, Literal["asc", "desc"]]] = [
        (str(one.get("field", "")), "desc" if str(one.get("order", "")).lower() == "desc" else "asc") for one in given
    ]
    return wanted or [("date", "desc")]


def _shown(name: str, value: object) -> str:
    if name.lower() == "code":
        return "***"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
