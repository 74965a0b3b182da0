"""The provider's paths are not case-sensitive: official pages spell them in several ways (facts 1.1)."""

from starlette.types import ASGIApp, Receive, Scope, Send

_VENDOR_PREFIXES = ("/forwarddialer/", "/comet/", "/hub/")


class CaseBlindPaths:
    """Lowers the vendor's paths before routing; everything else passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = str(scope["path"]).lower()
            if path.startswith(_VENDOR_PREFIXES):
                scope = {**scope, "path": path}
        await self._app(scope, receive, send)
