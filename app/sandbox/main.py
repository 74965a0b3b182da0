"""Making a sandbox: one application, nothing shared with any other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from . import call_log_api, click2call, control, pages, presence
from .behaviour import Behaviour
from .call_log import CallLogOptions
from .cdr_push import CdrOptions
from .clock import Clock
from .json_line import error_line
from .paths import CaseBlindPaths
from .phones import Extensions
from .sandbox import Sandbox


def create_sandbox(
    *,
    code: str = "sandbox",
    cdr_url: str | None = None,
    behaviour: Behaviour | None = None,
    extensions: Extensions | None = None,
    cdr: CdrOptions | None = None,
    clock: Clock | None = None,
    call_log: CallLogOptions | None = None,
) -> FastAPI:
    """A Voicenter that rings nobody; the Sandbox itself is `app.state.sandbox`.

    `behaviour` is the default script (without it people answer on the page), `extensions` the account's
    extensions, perhaps with names, or how many to make up (without it any extension exists), `cdr` how records
    are pushed to `cdr_url`, `call_log` when they appear there.
    """
    options = cdr or CdrOptions()
    if cdr_url is not None:
        options = replace(options, url=cdr_url)
    sandbox = Sandbox(
        code=code, cdr=options, behaviour=behaviour, extensions=extensions, clock=clock, call_log=call_log
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await sandbox.close()

    app = FastAPI(title="Leadring sandbox", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.sandbox = sandbox
    app.add_middleware(CaseBlindPaths)
    for kind in (HTTPException, RequestValidationError):
        app.add_exception_handler(kind, error_line)
    for face in (click2call, presence, call_log_api, control, pages):
        app.include_router(face.router)
    app.mount("/sandbox/assets", StaticFiles(directory=Path(__file__).parent / "assets"), name="assets")
    return app
