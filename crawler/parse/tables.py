"""Tables into rows.

Source: the HTML standard, 4.9.12.1 "Forming a table".
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from selectolax.lexbor import LexborNode

from crawler.errors import CallbackError
from crawler.parse.visible import seen

Row = dict[str, str]

_MOST_COLUMNS: Final = 1_000
_MOST_ROWS: Final = 65_534
# A cell says in a few bytes that it spans thousands; a table may grow to so many cells, and as many
# for each that is there.
_SURELY_FINE: Final = 100_000
_TIMES: Final = 4


class _Cell(Struct, frozen=True, eq=False, gc=False):
    text: str
    is_head: bool


_Cells = dict[int, _Cell]
_NONE: Final = _Cell("", is_head=False)


def rows_of(table: LexborNode, url: str) -> list[Row]:
    """Return the rows of a `<table>` of the page at `url` by its headings, as `Node.table` does.

    Headings are the rows of `<thead>`; else, if the first cell of each row is its only `<th>`,
    these, and likewise if `<th>` and `<td>` take turns in each row; else the first rows that have
    nothing but `<th>`; else the first row.
    """
    grid = _Grid(url)
    grid.read(table)
    rows, heads = grid.rows, grid.heads
    if not heads and (upright := [row for row in rows if not _is_title(row, grid.width)]):
        if all(map(_is_upright, upright)):
            return _columns(upright, grid.width)
        if all(map(_is_paired, upright)):
            return [_pairs(upright)]
        while heads < len(rows) and _is_heading(rows[heads]):
            heads += 1
    heads = heads if 0 < heads < len(rows) or grid.heads else 1
    names = _names(_without_titles(rows[:heads], grid.width), grid.width)
    return [
        {name: row.get(column, _NONE).text for column, name in enumerate(names)}
        for row in rows[heads:]
    ]


def without_tables(found: Sequence[LexborNode]) -> list[LexborNode]:
    """Return the tables among some elements, but for those that hold others: they are layout."""
    tables = [node for node in found if node.tag == "table"]
    outer = set()
    for table in tables:
        parent = table.parent
        while parent is not None and parent.tag != "table":
            parent = parent.parent
        if parent is not None:
            outer.add(parent.mem_id)
    return [table for table in tables if table.mem_id not in outer]


class _Grid:
    """The cells of a table, each in every row and column that it reaches over."""

    def __init__(self, url: str) -> None:
        self.rows: list[_Cells] = []
        self.heads = 0
        """How many rows at its beginning stand in a `<thead>`."""
        self.width = 0
        self._url = url
        self._elements = self._cells = 0

    def read(self, table: LexborNode) -> None:
        """Take the table's own rows, not those of tables in its cells."""
        spans: dict[int, tuple[_Cell, int]] = {}
        for child in table.iter():
            if child.tag not in ("thead", "tbody", "tfoot"):
                continue
            spans.clear()  # no cell reaches out of its group
            is_first = not self.rows
            for row in child.iter():
                if row.tag == "tr":
                    self._add(row, spans)
            if is_first and child.tag == "thead":
                self.heads = len(self.rows)

    def _add(self, row: LexborNode, spans: dict[int, tuple[_Cell, int]]) -> None:
        """Add a row; `spans` are the cells that reach into it, and for how many rows."""
        cells = {column: cell for column, (cell, _) in spans.items()}
        for column, (cell, left) in list(spans.items()):
            if left > 1:
                spans[column] = (cell, left - 1)
            else:
                del spans[column]
        column = 0
        for node in row.iter():
            if node.tag not in ("td", "th"):
                continue
            while column in cells:
                column += 1
            cell = _Cell(seen(node), is_head=node.tag == "th")
            wide = _number(node, "colspan", _MOST_COLUMNS) or 1
            high = _number(node, "rowspan", _MOST_ROWS) or _MOST_ROWS  # 0: to the group's end
            reach = range(column, column + wide)
            cells |= dict.fromkeys(reach, cell)
            if high > 1:
                spans |= dict.fromkeys(reach, (cell, high - 1))
            column += wide
            self._elements += 1
            self._refuse_bomb(len(cells))
        if cells:
            self._cells += len(cells)
            self.rows.append(cells)
            self.width = max(self.width, max(cells) + 1)
            self._refuse_bomb(0)

    def _refuse_bomb(self, more: int) -> None:
        most = _SURELY_FINE + _TIMES * self._elements
        if max(self._cells + more, len(self.rows) * self.width) > most:
            raise CallbackError(
                f"a table on {self._url} has {self._elements:,} cells that span more than {most:,}"
            )


def _number(cell: LexborNode, name: str, most: int) -> int:
    """Return an attribute that says over how much a cell reaches, 1 for what is no number."""
    text = (cell.attributes.get(name) or "").strip()[:6]
    return min(int(text), most) if text.isascii() and text.isdecimal() else 1


def _is_title(row: _Cells, width: int) -> bool:
    """True for one heading over all columns."""
    return len(row) == width > 1 and row[0].is_head and len(set(row.values())) == 1


def _is_upright(row: _Cells) -> bool:
    first, *others = row.values()
    return first.is_head and bool(others) and not any(cell.is_head for cell in others)


def _is_paired(row: _Cells) -> bool:
    """True for names with a value behind each."""
    cells = _once(row)
    return len(cells) % 2 == 0 and all(
        cell.is_head is not bool(place % 2) for place, cell in enumerate(cells)
    )


def _once(row: _Cells) -> list[_Cell]:
    """Return a row's cells in order, each once, however many columns it spans."""
    return list(dict.fromkeys(row[column] for column in sorted(row)))


def _is_heading(row: _Cells) -> bool:
    return all(cell.is_head for cell in row.values())


def _without_titles(rows: list[_Cells], width: int) -> list[_Cells]:
    return [row for row in rows if not _is_title(row, width)] or rows


def _columns(rows: list[_Cells], width: int) -> list[Row]:
    names = _unique([row[0].text for row in rows])
    return [
        {name: row.get(column, _NONE).text for name, row in zip(names, rows, strict=True)}
        for column in range(1, width)
    ]


def _pairs(rows: list[_Cells]) -> Row:
    cells = [cell for row in rows for cell in _once(row)]
    names = _unique([cell.text for cell in cells[::2]])
    return dict(zip(names, (cell.text for cell in cells[1::2]), strict=True))


def _names(heads: list[_Cells], width: int) -> list[str]:
    """Return each column's headings, one behind the other; once what spans several rows."""
    found: list[dict[_Cell, None]] = [{} for _ in range(width)]
    for row in heads:
        for column, cell in row.items():
            found[column][cell] = None
    return _unique([" ".join(cell.text for cell in cells if cell.text) for cells in found])


def _unique(names: list[str]) -> list[str]:
    """Number what is there twice, and call what has no name by its place."""
    taken: dict[str, None] = {}
    times: dict[str, int] = {}
    for place, text in enumerate(names, start=1):
        own = name = text or str(place)
        while own in taken:
            times[name] = times.get(name, 1) + 1
            own = f"{name} ({times[name]})"
        taken[own] = None
    return list(taken)
