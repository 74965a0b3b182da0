"""What the page says of a payload, read back into the lines that the command prints."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.console.visiting import told


class ToldPage(HTMLParser):
    """The section's texts: the headline, the items, the rows of each table, what is to be written."""

    def __init__(self, section: str) -> None:
        super().__init__()
        self.headline = ""
        self.advice = ""
        self.items: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.instead = ""
        self.to_write = ""
        self._in: list[str] = []
        self._rows: list[list[str]] = []
        self.feed(section)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self._in.append(told.get("class") or told.get("id") or tag)
        match tag:
            case "li":
                self.items.append("")
            case "caption":
                self._rows = self.tables.setdefault(told["id"] or "", [])
            case "tr":
                self._rows.append([])
            case "td" | "th":
                self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in.pop()

    def handle_data(self, data: str) -> None:
        where = self._in
        if "told" in where[1:]:
            self.headline += data
        elif "problems" in where:
            self.advice += data
        elif "number" in where:
            self._rows[-1].append(data)
        elif "pre" in where or "code" in where:
            self.to_write += data
        elif "not-rung" in where and len(where) > 2:
            self.items[-1] += data
        elif ("td" in where or "th" in where) and self._rows:
            self._rows[-1][-1] += data
        elif "quiet" in where:
            self.instead = data

    @property
    def lines(self) -> list[str]:
        """As `leadring map` prints it."""
        found = [self.headline]
        for row in self.tables.get("fields", [])[1:]:
            name, value, *number, where, by, surely = row
            found += [f"  {name}: {value}", f"      from {where} ({by}), {surely}", *(f"      {one}" for one in number)]
        if "fields" not in self.tables:
            found.append("  nothing")
        if beside := self.tables.get("beside", [])[1:]:
            found += ["", "kept beside them, for the agent:", *(f"  {name}: {value}" for name, value in beside)]
        found += ["", *(f"{what}: {said}" for what, said in self.tables["facts"]), *self.items]
        if self.to_write:
            found += ["", self.instead, "", *self.to_write.rstrip().split("\n")]
        return found


def read_page(html: str) -> ToldPage:
    return ToldPage(told(html))
