"""What each suffix of `-o` writes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from crawler.export.csv_table import CsvTable, csv_kept
from crawler.export.json_array import JsonArray, json_kept
from crawler.export.jsonl import JsonLines, lines_kept
from crawler.export.sheet import Sheet


class Writer(Protocol):
    """Writes items to one file; all methods block, and raise `TargetError`, `OSError`."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Add items, each a JSON object; they may be held back until `flush`."""

    def flush(self) -> bytes:
        """Have all of them be in the file; return what `Sheet.state` needs to go on from there."""

    def close(self) -> None:
        """Close the file as it is."""


class Format(Struct, frozen=True):
    """A file format: how a file of it is opened, and what is kept of one that is appended to.

    `open` raises `Stale` if a file is not as its sheet's state has it, `TargetError` if it cannot
    be opened. `kept` returns the bytes of a file that stay before what is appended, and raises
    `OutputError` if that cannot be; None: never. `is_table`: a file has items of one type only.
    """

    open: Callable[[Sheet], Writer]
    kept: Callable[[Path, Sheet], int] | None = None
    is_table: bool = False


# A format with a dependency of its own imports it when it is opened.
FORMATS: dict[str, Format] = {
    ".jsonl": Format(JsonLines, lines_kept),
    ".json": Format(JsonArray, json_kept),
    ".csv": Format(CsvTable, csv_kept, is_table=True),
}
