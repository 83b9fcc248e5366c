"""A file of text with an end that is rewritten."""

from collections.abc import Sequence

from crawler.export.sheet import Sheet, Stale
from crawler.export.steady_file import SteadyFile


class TextFile:
    """A file that is whole at all times: what is written goes before its `closing`.

    Raises `Stale` if it is not as the sheet's state says, `TargetError`.
    """

    def __init__(self, sheet: Sheet, *, opening: bytes = b"", closing: bytes = b"") -> None:
        self._file = SteadyFile(sheet.path)
        self._durable = sheet.settings.durable == "full"
        self._closing = closing
        try:
            self._end = self._begin(sheet, opening)
        except BaseException:
            self._file.close()
            raise

    @property
    def end(self) -> int:
        """How many bytes there are before the closing."""
        return self._end

    def last(self, size: int) -> bytes:
        """Return the last bytes before the closing."""
        return self._file.read(min(size, self._end), max(0, self._end - size))

    def write(self, pieces: Sequence[bytes], *, between: bytes = b"") -> None:
        """Add some pieces with something between them, all of that or nothing."""
        *most, last = pieces  # joined once: what is copied is megabytes
        data = between.join([*most, last + self._closing])
        self._file.write(data, at=self._end)
        self._end += len(data) - len(self._closing)

    def end_line(self, terminator: bytes = b"\n") -> None:
        """End the last line if somebody else left it open, so that the next one stands alone."""
        if self._end and self.last(1) != b"\n":
            self.write([terminator])

    def flush(self) -> bytes:
        """Return the state to go on from."""
        if self._durable:
            self._file.sync()
        return self._file.seal(self._end)

    def close(self) -> None:
        """Close; again is fine."""
        self._file.close()

    def _begin(self, sheet: Sheet, opening: bytes) -> int:
        """Cut the file to what stays of it; return where that ends."""
        if sheet.state is not None:
            if not self._file.is_sealed(sheet.state):
                raise Stale
            end = int(sheet.state.partition(b" ")[0])
            self._file.write(self._closing, at=end)
            return end
        self._file.cut(sheet.kept)
        self._file.write((b"" if sheet.kept else opening) + self._closing)
        return self._file.length - len(self._closing)
