"""What every test may use: real servers, started when first asked for."""

from __future__ import annotations

pytest_plugins = ["tests.servers"]
