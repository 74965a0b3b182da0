"""The widget and the pages' own files: read once, compressed once, served with the right cache and origin headers."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.errors import NotFound
from app.web.desk import desk

router = APIRouter(include_in_schema=False)

EVERGREEN: Final = "public, max-age=300, stale-while-revalidate=86400"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
ANYWHERE: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in memory: as it is, and compressed when that is smaller."""

    content: bytes
    packed: bytes | None
    media_type: str
    etag: str

    @property
    def hash(self) -> str:
        """The short name of this exact content, as in /widget/v1.<hash>.js."""
        return self.etag.strip('"')[:8]

    @property
    def integrity(self) -> str:
        """What `integrity=` must say for this exact content."""
        return "sha384-" + b64encode(hashlib.sha384(self.content).digest()).decode()


def load(path: Path) -> Asset:
    """Read a file; FileNotFoundError when it is not there."""
    content = path.read_bytes()
    packed = gzip.compress(content, 9, mtime=0) if path.suffix in (".js", ".json", ".css", ".svg", ".html") else None
    media_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(
        content=content,
        packed=packed if packed is not None and len(packed) < len(content) else None,
        media_type=media_type,
        etag=f'"{hashlib.sha256(content).hexdigest()[:16]}"',
    )


class Assets:
    """Files below one folder, loaded when first asked for; only names that are really there exist."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._loaded: dict[str, Asset] = {}

    def get(self, name: str) -> Asset:
        """NotFound for anything that is not a plain file of this folder."""
        if name not in self._loaded:
            path = self._root / name
            try:
                ours = path.is_file() and path.resolve().parent == self._root.resolve()
            except OSError:  # a name longer than a file's may be
                ours = False
            if not ours:
                raise NotFound
            self._loaded[name] = load(path)
        return self._loaded[name]


def serve(request: Request, asset: Asset, cache: str, headers: dict[str, str] | None = None) -> Response:
    """The asset, or 304 when the browser has it."""
    out = {"Cache-Control": cache, "ETag": asset.etag, "Vary": "Accept-Encoding", **(headers or {})}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if asset.etag in known or known == ["*"]:
        return Response(status_code=304, headers=out)
    if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, 200, out | {"Content-Encoding": "gzip"}, asset.media_type)
    return Response(asset.content, 200, out, asset.media_type)


@router.api_route("/widget/v1.js", methods=["GET", "HEAD"])
async def widget(request: Request) -> Response:
    """The evergreen widget: fixes arrive by themselves."""
    return serve(request, request.app.state.files.get("widget.js"), EVERGREEN, ANYWHERE)


@router.api_route("/widget/v1.{digest}.js", methods=["GET", "HEAD"])
async def pinned_widget(request: Request, digest: str) -> Response:
    """This exact widget for ever, for sites whose policy demands `integrity`."""
    asset: Asset = request.app.state.files.get("widget.js")
    if digest != asset.hash:
        raise NotFound
    return serve(request, asset, IMMUTABLE, ANYWHERE)


@router.api_route("/widget/words/{name}", methods=["GET", "HEAD"])
async def words(request: Request, name: str) -> Response:
    """A language that is not inside the widget; it is asked for by pages of every origin."""
    return serve(request, request.app.state.words_files.get(name), EVERGREEN, ANYWHERE)


@router.get("/static/{name}")
async def static_file(request: Request, name: str) -> Response:
    """Style sheets and pictures of our own pages."""
    return serve(request, request.app.state.files.get(name), EVERGREEN)


@router.get("/docs")
async def docs() -> Response:
    """The API for people, with the page's own copy of Swagger UI: no other host is asked."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Leadring API",
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url="/demo/assets/sun.svg",
    )


@router.get("/docs/assets/{name}")
async def docs_file(request: Request, name: str) -> Response:
    """What the API page needs."""
    return serve(request, request.app.state.docs_files.get(name), EVERGREEN)


@router.get("/demo/assets/{name}")
async def demo_file(request: Request, name: str) -> Response:
    """What the demo pages need."""
    return serve(request, request.app.state.demo_files.get(name), "no-cache")


@router.get("/")
async def home(request: Request) -> Response:
    """The demo where there is a sandbox; else one line for whoever wonders what answers here."""
    at = desk(request)
    if at.sandbox_url:
        return RedirectResponse("/demo", 307)
    return PlainTextResponse(f"Leadring {at.version} is running. The API is described at /docs.\n")


@router.get("/demo")
async def demo(request: Request, lang: Annotated[str, Query(max_length=8)] = "en") -> Response:
    """A believable landing page with the widget and a plain form, and the sandbox's telephones when there are any."""
    return _demo_page(request, "he" if lang.lower().startswith("he") else "en")


@router.get("/demo/{lang}")
async def demo_in(request: Request, lang: str) -> Response:
    """The same by path."""
    if lang not in ("en", "he"):
        raise NotFound
    return _demo_page(request, lang)


def _demo_page(request: Request, lang: str) -> Response:
    page: Asset = request.app.state.demo_files.get(f"{lang}.html")
    sandbox = desk(request).sandbox_url or ""
    # Two truths are written in the page: with a sandbox nobody is phoned, without one agents are.
    drop = "live" if sandbox else "sandbox"
    html = re.sub(rf"<!--{drop}-->.*?<!--/{drop}-->", "", page.content.decode(), flags=re.DOTALL)
    html = html.replace("__SANDBOX_URL__", sandbox)
    policy = (
        f"default-src 'self'; frame-src {sandbox or chr(39) + 'none' + chr(39)}; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; img-src 'self' data:; base-uri 'none'; require-trusted-types-for 'script'"
    )
    return HTMLResponse(html, 200, {"Content-Security-Policy": policy, "Cache-Control": "no-cache"})
