"""Several services on one database, and what they use together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.service import Service


@dataclass(frozen=True)
class Replicas:
    """The running services. Requests are handed out in turn, as a proxy would."""

    services: Sequence[Service]

    @property
    def ports(self) -> list[int]:
        return [service.port for service in self.services]

    def cpu(self) -> float:
        """Seconds of CPU so far, of all of them."""
        return sum(service.cpu()["all"] for service in self.services)
