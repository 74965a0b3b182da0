"""The operator's table: what a real account answered, with nothing in it that is secret."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .provider import Exchange

HEAD = ("test", "says", "held", "asked", "http", "content type", "kind", "code", "message", "call id", "ms")


def table_of(exchanges: Sequence[Exchange], standing: Mapping[str, str], failed: Collection[str]) -> list[str]:
    """Lines of a Markdown table. `standing`: test → page or guess; `failed`: tests that did not hold."""
    rows = [HEAD, tuple("-" * len(name) for name in HEAD)]
    rows += [_row(one, standing.get(one.test, "page"), one.test not in failed) for one in exchanges]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]


def _row(one: Exchange, standing: str, held: bool) -> tuple[str, ...]:
    answer = one.answer
    return (
        one.test.rpartition("::")[2],
        standing,
        "yes" if held else "NO",
        f"{one.api} {one.method} {one.asked}".strip(),
        str(answer.status) if answer else one.failure,
        _cell(answer.content_type + (" +BOM" if answer.bom else "")) if answer else "",
        answer.kind if answer else "",
        str(answer.code) if answer and answer.code is not None else "-",
        _cell(answer.message) if answer else "",
        f"{len(answer.call_id)} characters" if answer and answer.call_id else "-",
        f"{answer.seconds * 1000:.0f}" if answer else "",
    )


def _cell(text: str) -> str:
    return text.replace("|", "/")
