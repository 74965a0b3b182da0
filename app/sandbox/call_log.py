"""The provider's memory of calls: rows made of the records of ended calls, visible some time after the end.

Names of the fields: facts 4 and Voicenter's own description of its Call Log in public. `Date` is UTC (facts
2.6), unlike the `time` of a pushed record.
"""

import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import ConfigDict

from .cdr import Recorded
from .clock import Clock

MOST_KEPT = 20_000
FIELDS = (
    "CallerNumber",
    "TargetNumber",
    "Date",
    "DateEpoch",
    "Duration",
    "CallID",
    "Type",
    "CdrType",
    "DialStatus",
    "TargetExtension",
    "CallerExtension",
    "DID",
    "QueueName",
    "RecordURL",
    "RecordExpect",
    "Price",
    "RingTime",
    "RepresentativeName",
    "RepresentativeCode",
    "UserName",
    "UserId",
    "DTMFData",
    "CustomData",
    "DepartmentName",
    "DepartmentId",
    "TargetPrefixName",
)

Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class CallLogOptions:
    """How the call log answers. `delay`: seconds after the end of a call until its rows are there (minutes at
    the provider, facts 4). `per_minute`: requests answered in any 60 seconds, 0 for no limit. `most_rows`: in
    one answer. `variables`: whether the var_* are in CustomData. `http_status`: an error's STATUS_CODE is the
    HTTP status, too. Raises ValueError for impossible values.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    delay: float = 1.0
    per_minute: int = 30
    most_rows: int = 10_000
    variables: bool = True
    http_status: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.delay < 100_000 or self.per_minute < 0 or self.most_rows < 1:
            raise ValueError("delay and per_minute must be 0 or more, most_rows 1 or more")


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is asked for; `since` and `until` are epoch seconds, both included; empty filters let everything by."""

    since: float
    until: float
    phones: frozenset[str] = frozenset()
    extensions: frozenset[str] = frozenset()
    call_id: str = ""
    cdr_types: frozenset[int] = frozenset()
    sort: Sequence[tuple[str, Literal["asc", "desc"]]] = field(default=(("date", "desc"),))


class CallLog:
    """All records, oldest first, and the rate limit of those who ask."""

    def __init__(self, options: CallLogOptions, clock: Clock) -> None:
        self.options = options
        self._clock = clock
        self._kept: deque[tuple[float, Recorded]] = deque(maxlen=MOST_KEPT)
        self._asked: deque[float] = deque()

    def keep(self, recorded: Iterable[Recorded]) -> None:
        """The records of a call that ends now."""
        now = self._clock.now()
        self._kept.extend((now, one) for one in recorded)

    def forget(self) -> None:
        """No records, and nobody has asked yet."""
        self._kept.clear()
        self._asked.clear()

    def may_ask(self) -> bool:
        """Whether one more request is within the limit; if so, it counts."""
        now, most = self._clock.now(), self.options.per_minute
        while self._asked and self._asked[0] <= now - 60:
            self._asked.popleft()
        if most and len(self._asked) >= most:
            return False
        self._asked.append(now)
        return True

    def rows(self, search: Search) -> list[Row]:
        """The rows that are there by now and fit, sorted, with all their fields."""
        rows = [row for row in self._visible() if _fits(row, search)]
        for name, order in reversed(search.sort):
            key = _FIELD_BY_LOWER.get(name.lower(), "Date")
            rows.sort(key=lambda row: _sortable(row[key]), reverse=order == "desc")
        return rows

    def _visible(self) -> Iterator[Row]:
        seen_until = self._clock.now() - self.options.delay
        for ended_at, one in self._kept:
            if ended_at <= seen_until:
                yield _row(one, variables=self.options.variables)


_FIELD_BY_LOWER = {name.lower(): name for name in FIELDS}


def only(row: Row, fields: Iterable[str]) -> Row:
    """These fields of a row; names are compared without regard to case, unknown ones are left out."""
    wanted = {name.lower() for name in fields}
    return {name: value for name, value in row.items() if name.lower() in wanted}


def lowered(row: Row) -> Row:
    """The row as it comes when no fields are named: lower-case names, system keys among the variables (facts 4)."""
    custom = row["CustomData"]
    assert isinstance(custom, Mapping)
    return {name.lower(): value for name, value in row.items()} | {"customdata": {**custom, "AiExists": False}}


def _row(one: Recorded, *, variables: bool) -> Row:
    record = one.record
    custom: dict[str, object] = {}
    if variables and isinstance(record["CustomData"], Mapping):
        custom |= record["CustomData"]
    if "OriginalIvrUniqueID" in record:
        custom["OriginalIvrUniqueID"] = record["OriginalIvrUniqueID"]
    user = str(record["representative_name"])
    return {
        "CallerNumber": record["caller"],
        "TargetNumber": record["target"],
        "Date": datetime.fromtimestamp(int(one.at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "DateEpoch": int(one.at),
        "Duration": record["duration"],
        "CallID": record["ivruniqueid"],
        "Type": record["type"],
        "CdrType": one.cdr_type,
        "DialStatus": record["status"],
        "TargetExtension": record["targetextension"],
        "CallerExtension": record["callerextension"],
        "DID": record["did"],
        "QueueName": record["queuename"],
        "RecordURL": record["record"],
        "RecordExpect": bool(record["record"]),
        "Price": record["price"],
        "RingTime": record["dialtime"],
        "RepresentativeName": user,
        "RepresentativeCode": record["representative_code"],
        "UserName": user,
        "UserId": 10_000_000 + zlib.crc32(user.encode()) % 90_000_000 if user else 0,
        "DTMFData": [],
        "CustomData": custom,
        "DepartmentName": "Sandbox",
        "DepartmentId": 10_000_001,
        "TargetPrefixName": record["target_country"],
    }


def _fits(row: Row, search: Search) -> bool:
    at, cdr_type = row["DateEpoch"], row["CdrType"]
    assert isinstance(at, int)
    numbers = {_last_digits(str(row[name])) for name in ("CallerNumber", "TargetNumber")}
    codes = {str(row[name]) for name in ("CallerNumber", "CallerExtension", "TargetNumber", "TargetExtension")}
    return (
        int(search.since) <= at <= search.until
        and (not search.cdr_types or cdr_type in search.cdr_types)
        and (not search.call_id or row["CallID"] == search.call_id)
        and (not search.extensions or not codes.isdisjoint(search.extensions))
        and (not search.phones or not numbers.isdisjoint(map(_last_digits, search.phones)))
    )


def _last_digits(number: str) -> str:
    return number[-9:] if number.isdecimal() else number


def _sortable(value: object) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return (0, value, "")
    return (1, 0, str(value))
