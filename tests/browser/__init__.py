"""Stories told by a real Chromium; run in their own process: ``pytest tests/browser``."""
