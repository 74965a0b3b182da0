"""A new [sources.…] table, and leadring.toml with it: whole and right, or untouched."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.directory import Directory, load_directory, parse_directory
from app.directory_reading import nearest
from app.directory_sites import KEY_MEANS, KEY_PATTERN
from app.errors import ConfigurationError
from app.forms.map_lines import toml_text

TOKEN_BYTES: Final = 24  # 192 bits


@dataclass(frozen=True, slots=True)
class NewTable:
    """The table as it is written, and the token in it."""

    text: str = field(repr=False)
    token: str = field(repr=False)


def new_table(name: str, preset: str, site: str | None, directory: Directory, mapped: Mapping[str, str]) -> NewTable:
    """The table of a source called `name`, with a token of its own. ConfigurationError when it cannot be one."""
    mistakes: list[str] = []
    if not re.fullmatch(KEY_PATTERN, name) or len(name) > 64:
        mistakes.append(f"--name: must be {KEY_MEANS}, at most 64 of them")
    elif name in directory.sources:
        mistakes.append(f"--name: there is a [sources.{name}] already")
    if site is not None and site not in directory.sites:
        mistakes.append(f'--site: there is no site "{site}"{nearest(site, directory.sites)}')
    elif site is None and len(directory.sites) > 1:
        mistakes.append(f"--site: say which of the sites: {', '.join(directory.sites)}")
    if mistakes:
        raise ConfigurationError(mistakes)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    lines = [f"[sources.{name}]", f"preset = {toml_text(preset)}", f"token = {toml_text(token)}"]
    lines.append(f"site = {toml_text(site or next(iter(directory.sites)))}")
    if mapped:
        lines.append(f"map = {{ {', '.join(f'{ours} = {toml_text(theirs)}' for ours, theirs in mapped.items())} }}")
    return NewTable("\n".join(lines) + "\n", token)


def add_source(path: Path, name: str, table: NewTable) -> None:
    """Append the table to the file at `path`. ConfigurationError, and the file as it was, when anything is wrong.

    The new file is written beside the old one and takes its place in one step: whoever reads it meanwhile reads the
    old one or the new one.
    """
    path = path.resolve()  # a link stays one
    if name in load_directory(path).sources:
        raise ConfigurationError([f"{path}: there is a [sources.{name}] already"])
    try:
        before = path.read_bytes()
        after = before.rstrip() + b"\n\n" + table.text.encode()
        parse_directory(after.decode("utf-8-sig"), source=f"{path} with [sources.{name}]")
        _replace(path, before, after)
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be written: {error.strerror}; it is as it was"]) from None


def _replace(path: Path, before: bytes, after: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, temporary)
        if path.read_bytes() != before:
            raise ConfigurationError([f"{path}: was changed by somebody else just now; it is as they left it"])
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
