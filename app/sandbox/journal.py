"""Everything the sandbox received, for tests and for the curious; the account code is never kept."""

from collections import deque
from dataclasses import asdict, dataclass

MOST_KEPT = 5000


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request. `answer` names how it was answered, `rang` whether a call started; `at` is epoch seconds.

    `unknown`: names of parameters that the vendor's page does not have.
    """

    at: float
    api: str
    method: str
    params: dict[str, str]
    action: str
    phone: str
    target: str
    answer: str
    rang: bool
    errorcode: int
    call_id: str
    unknown: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class Journal:
    """The requests received, oldest first."""

    def __init__(self) -> None:
        self._received: deque[Received] = deque(maxlen=MOST_KEPT)

    def add(self, received: Received) -> None:
        self._received.append(received)

    def clear(self) -> None:
        self._received.clear()

    def of(self, api: str | None) -> list[Received]:
        """The requests to one API (`click2call`, `active_calls`, `roster`, `call_log`), or all."""
        return [one for one in self._received if api is None or one.api == api]


def redacted(params: dict[str, str]) -> dict[str, str]:
    """The parameters without the account code."""
    return {name: "***" if name.lower() == "code" else value for name, value in params.items()}
