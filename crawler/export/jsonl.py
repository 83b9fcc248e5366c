"""JSON lines."""

from collections.abc import Sequence
from pathlib import Path

from crawler.export.sheet import Sheet
from crawler.export.text_file import TextFile, text_kept


class JsonLines:
    """A line file: each item as it is."""

    def __init__(self, sheet: Sheet) -> None:
        self._file = TextFile(sheet)
        if sheet.state is None:
            self._file.end_line()

    def write(self, lines: Sequence[bytes]) -> None:
        """Add `lines`."""
        self._file.write([*lines, b""], between=b"\n")

    def flush(self) -> bytes:
        """Return the state to go on from."""
        return self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def lines_kept(path: Path, sheet: Sheet) -> int:
    """Return what stays of a file that is appended to: all of it. Raises `OutputError`."""
    return text_kept(path, sheet)
