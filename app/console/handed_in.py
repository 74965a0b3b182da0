"""What was handed in to be read: pasted, uploaded, or a kept delivery or an example that was chosen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.errors import Malformed, UnsupportedMediaType
from app.forms.captured import LONGEST
from app.web.bodies import MULTIPART, read_body

FORM_BYTES: Final = 2 * LONGEST  # of the whole form: a file that is somewhat too long is still told from a flood
MAX_FIELDS: Final = 10


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The form as it was sent. `file` is None where none was chosen."""

    read_as: str = ""
    content_type: str = ""
    delivery: str = ""
    example: str = ""
    text: str = ""
    file: bytes | None = None

    @property
    def ways(self) -> int:
        """In how many ways a payload was handed in."""
        return sum((bool(self.delivery), bool(self.example), bool(self.text.strip()), self.file is not None))


async def read_handed_in(request: Request) -> HandedIn:
    """The form, with a file in it or without. TooLarge, Malformed, UnsupportedMediaType."""
    header = request.headers.get("content-type", "")
    kind, options = parse_options_header(header)
    if kind != MULTIPART.encode():
        raise UnsupportedMediaType("The form of this page is sent as multipart/form-data.")
    if not options.get(b"boundary"):
        raise Malformed("The multipart body has no boundary.")
    body = await read_body(request, FORM_BYTES)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        Headers({"content-type": header}), stream(), max_files=1, max_fields=MAX_FIELDS, max_part_size=FORM_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, FormParserError, ValueError, LookupError) as error:
        raise Malformed("The form cannot be read.") from error
    told = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    # Browsers send an empty one, without a name, where none was chosen.
    files = [one for one in form.getlist("file") if isinstance(one, UploadFile) and one.filename]
    content = [await one.read() for one in files]
    await form.close()
    return HandedIn(
        read_as=told.get("as", ""),
        content_type=told.get("content_type", ""),
        delivery=told.get("delivery_id", "").strip() or told.get("delivery", ""),
        example=told.get("example", ""),
        text=told.get("payload", ""),
        file=content[0] if content else None,
    )
