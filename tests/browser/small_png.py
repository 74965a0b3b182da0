"""PNG with a palette of few colours: small enough for a repository. Written and read as Chromium writes them."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of RGB of an 8-bit PNG, as Chromium writes it."""
    parts = list(chunks(png))
    width, height, _, kind = struct.unpack(">IIBB", parts[0][1][:10])
    step = {2: 3, 6: 4}[kind]
    raw = zlib.decompress(b"".join(data for name, data in parts if name == b"IDAT"))
    rows, above = [], bytearray(width * step)
    for y in range(height):
        begin = y * (width * step + 1)
        how, row = raw[begin], bytearray(raw[begin + 1 : begin + 1 + width * step])
        for i in range(width * step):
            left = row[i - step] if i >= step else 0
            up, corner = above[i], above[i - step] if i >= step else 0
            if how == 1:
                row[i] = (row[i] + left) & 255
            elif how == 2:
                row[i] = (row[i] + up) & 255
            elif how == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            elif how == 4:
                guess = left + up - corner
                near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
                row[i] = (row[i] + near[2]) & 255
        above = row
        rows.append(bytes(row) if step == 3 else b"".join(row[i : i + 3] for i in range(0, len(row), 4)))
    return width, height, rows


def with_few_colours(png: bytes, many: int) -> bytes:
    """The same picture with a palette: the commonest colours, and for every other the nearest of them."""
    width, height, rows = pixels(png)
    counted = Counter(row[i : i + 3] for row in rows for i in range(0, len(row), 3))
    palette: list[bytes] = []
    for colour, _ in counted.most_common():
        if all(sum(abs(a - b) for a, b in zip(colour, kept, strict=True)) > 640 // many for kept in palette):
            palette.append(colour)
        if len(palette) == many:
            break
    nearest = {
        colour: min(
            range(len(palette)), key=lambda n: sum((a - b) ** 2 for a, b in zip(colour, palette[n], strict=True))
        )
        for colour in counted
    }
    lines = []
    for row in rows:
        line = bytes(nearest[row[i : i + 3]] for i in range(0, len(row), 3))
        if many <= 16:  # two pixels a byte
            line = bytes((line[i] << 4) | (line[i + 1] if i + 1 < width else 0) for i in range(0, width, 2))
        lines.append(b"\0" + line)
    packed = zlib.compress(b"".join(lines), 9)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 4 if many <= 16 else 8, 3, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"PLTE", b"".join(palette)) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
