"""What each suffix of `-o` writes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct, structs

from crawler.export.csv_table import CsvTable, csv_kept
from crawler.export.json_array import JsonArray, json_kept
from crawler.export.jsonl import JsonLines, lines_kept
from crawler.export.packing import PACKINGS, Packing
from crawler.export.sheet import Sheet
from crawler.export.xml_items import XmlItems, xml_kept
from crawler.extras import require


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
    `extra` installs what writes it, if that is not ours.
    """

    open: Callable[[Sheet], Writer]
    kept: Callable[[Path, Sheet], int] | None = None
    is_table: bool = False
    extra: str = ""

    def check_installed(self, name: str) -> None:
        """Raise `MissingExtra` if what writes the file is not installed."""
        if self.extra:
            require(name, self.extra)


def _packed(form: Format, packing: Packing) -> Format:
    """Return a format of text whose files are compressed."""

    def with_packing(sheet: Sheet) -> Sheet:
        return structs.replace(sheet, packing=packing)

    def opened(sheet: Sheet) -> Writer:
        return form.open(with_packing(sheet))

    def kept(path: Path, sheet: Sheet) -> int:
        assert form.kept is not None, "text can be appended to"
        return form.kept(path, with_packing(sheet))

    return structs.replace(form, open=opened, kept=kept)


def _parquet(sheet: Sheet) -> Writer:
    # A format with a dependency of its own imports it when it is opened.
    from crawler.export.parquet import ParquetFile

    return ParquetFile(sheet)


_TEXT = {
    ".jsonl": Format(JsonLines, lines_kept),
    ".json": Format(JsonArray, json_kept),
    ".csv": Format(CsvTable, csv_kept, is_table=True),
    ".xml": Format(XmlItems, xml_kept),
}
_PACKED = {
    suffix + ending: _packed(form, packing)
    for ending, packing in PACKINGS.items()
    for suffix, form in _TEXT.items()
}
FORMATS: dict[str, Format] = {
    **_TEXT,
    ".parquet": Format(_parquet, is_table=True, extra="parquet"),
    **_PACKED,
}
