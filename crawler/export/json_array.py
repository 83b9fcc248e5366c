"""One JSON array, valid at all times."""

from collections.abc import Sequence
from pathlib import Path

from crawler.errors import OutputError
from crawler.export.sheet import Sheet
from crawler.export.text_file import TextFile, text_kept

_OPENING = b"["
_CLOSING = b"\n]\n"
_WINDOW = 4096


class JsonArray:
    """A file that holds the items as one array, one to a line; new ones replace its closing."""

    def __init__(self, sheet: Sheet) -> None:
        self._file = TextFile(sheet, opening=_OPENING, closing=_CLOSING)

    def write(self, lines: Sequence[bytes]) -> None:
        """Add `lines` to the array."""
        # An element never ends with a bracket that opens.
        before = b"\n" if self._file.last == _OPENING else b",\n"
        first, *others = lines
        self._file.write([before + first, *others], between=b",\n")

    def flush(self) -> bytes:
        """Return the state to go on from."""
        return self._file.flush()

    def close(self) -> None:
        """Close the file; it is complete as it is."""
        self._file.close()


def json_kept(path: Path, sheet: Sheet) -> int:
    """Return what stays of a file that is appended to: all but the closing. Raises `OutputError`.

    That is its length up to its last element's end, or to its `[`.
    """
    if sheet.packing.frame_bytes:
        return text_kept(path, sheet, opening=_OPENING, closing=_CLOSING)
    size = path.stat().st_size
    with path.open("rb") as file:
        opening = file.read(_WINDOW).lstrip()
        file.seek(max(0, size - _WINDOW))
        tail = file.read()
    inner = tail.rstrip()
    inside = inner[:-1].rstrip()
    if not (opening.startswith(_OPENING) and inner.endswith(b"]") and inside):
        raise OutputError(f"{path}: --append needs a JSON array, and this is none")
    return size - len(tail) + len(inside)
