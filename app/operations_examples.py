"""`leadring sources example`: a builder's payload without an account there, and the line that posts it."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Annotated

import typer

from app.clock import SystemClock
from app.directory_reading import nearest
from app.directory_types import PRESETS
from app.errors import ConfigurationError
from app.forms.captured import MULTIPART
from app.forms.examples import Example, examples
from app.forms.multipart import read_parts
from app.forms.payload import MAX_FIELDS
from app.forms.signatures import Delivery, can_sign, sign


def example(
    preset: Annotated[str, typer.Argument(help="The builder.")],
    curl: Annotated[
        str | None, typer.Option("--curl", metavar="URL", help="Print the line that posts it to this address.")
    ] = None,
    secret: Annotated[str | None, typer.Option(help="With --curl: prove it by this signing_secret.")] = None,
) -> None:
    """Print a payload as this builder sends it, to be tried with `leadring map -`; or the line that posts it."""
    if preset not in PRESETS:
        raise ConfigurationError(
            [f"{preset}: there is no such builder{nearest(preset, PRESETS)}: {', '.join(PRESETS)}"]
        )
    found = examples()[preset]
    if secret is not None and (curl is None or not can_sign(preset)):
        why = f"{preset} cannot sign" if not can_sign(preset) else "it is for --curl, and there is none"
        raise ConfigurationError([f"--secret: {why}"])
    if curl is None:
        sys.stdout.buffer.write(found.body)
        sys.stdout.flush()
        return
    if preset == "meta":
        told = "meta posts only the id of a lead, and this is what it answers when asked for it"
        raise ConfigurationError([f"--curl: {told}: pipe it into `leadring map - --preset meta`"])
    print(_line(found, curl, secret, SystemClock().now()))


def _line(found: Example, url: str, secret: str | None, now: int) -> str:
    """The command for a shell. What is signed with a time in it is good for five minutes."""
    body = found.body
    if secret is not None and found.preset == "google_ads":
        body = json.dumps(json.loads(body) | {"google_key": secret}, ensure_ascii=False).encode()
    words = ["curl"]
    if found.content_type.startswith(MULTIPART):
        # curl makes the same parts with a boundary of its own: line ends do not survive in a line to be copied.
        for name, value in read_parts(body, _boundary(body), MAX_FIELDS):
            words += ["--form-string", f"{name}={value}"]
    else:
        words += ["-H", f"Content-Type: {found.content_type}"]
        if secret is not None:
            headers = sign(found.preset, Delivery("POST", url, {}, body), secret, now)
            words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        words += ["--data-binary", body.decode()]
    return shlex.join([*words, url])


def _boundary(body: bytes) -> bytes:
    return body.split(b"\r\n", 1)[0].removeprefix(b"--")
