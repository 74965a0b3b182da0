"""What was tried for a target that is missed, and what its profile says; printed below the table."""

from __future__ import annotations

from typing import Final

TRIED: Final[dict[str, str]] = {}
