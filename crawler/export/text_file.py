"""A file of text with an end that is rewritten."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from crawler.errors import OutputError, TargetUnfit
from crawler.export.packing import BROKEN, UNREADABLE
from crawler.export.sheet import Sheet, Stale
from crawler.export.steady_file import SteadyFile
from crawler.oserrors import refused
from crawler.owned import beside, fresh

_STEP_BYTES = 1_000_000


class TextFile:
    """A file that is whole at all times: what is written goes before its `closing`.

    Where it is compressed, opening and closing are frames of their own, and what is written is held
    back until there is enough for a frame, or it is flushed. Raises `Stale` if it is not as the
    sheet's state says, `TargetError`.
    """

    def __init__(self, sheet: Sheet, *, opening: bytes = b"", closing: bytes = b"") -> None:
        self._sheet = sheet
        self._packing = sheet.packing
        self._file = SteadyFile(sheet.path)
        self._closing = self._packing.pack(closing) if closing else b""
        self._held: list[bytes] = []
        self._size = 0
        try:
            self._end, self._last = self._begin(opening)
        except BaseException:
            self._file.close()
            raise

    @property
    def path(self) -> Path:
        """Its path."""
        return self._file.path

    @property
    def last(self) -> bytes:
        """The last byte before the closing; none if there is none."""
        return self._last

    def write(self, pieces: Sequence[bytes], *, between: bytes = b"") -> None:
        """Add some pieces with something between them, all of that or nothing."""
        if self._packing.frame_bytes:
            self._hold(between.join(pieces))
        else:
            *most, last = pieces  # joined once: what is copied is megabytes
            data = between.join([*most, last + self._closing])
            self._file.write(data, at=self._end)
            self._end += len(data) - len(self._closing)
        self._last = (pieces[-1] or between)[-1:] or self._last

    def end_line(self, terminator: bytes = b"\n") -> None:
        """End the last line if somebody else left it open, so that the next one stands alone."""
        if self._last not in (b"", b"\n"):
            self.write([terminator])

    def flush(self) -> bytes:
        """Return the state to go on from."""
        self._put_held()
        if self._sheet.settings.durable == "full":
            self._file.sync()
        return self._file.seal(self._end) + b" " + self._last.hex().encode()

    def rewrite(self, change: Callable[[Iterator[bytes]], Iterable[bytes]]) -> None:
        """Replace the file by what `change` makes of its lines; it has no closing."""
        self._put_held()
        # The file itself: `replace` would put a file in the place of a link that -o names.
        path = Path(os.path.realpath(self.path))
        made = beside(path)
        try:
            with self._packing.reading(path) as lines, open(made, "xb", opener=fresh) as file:
                pieces = _gathered(change(iter(lines)), self._packing.frame_bytes)
                file.writelines(map(self._packing.pack, pieces))
            made.replace(path)
        except OSError as error:
            made.unlink(missing_ok=True)
            raise refused(path, error) from None
        except BROKEN as error:
            made.unlink(missing_ok=True)
            raise TargetUnfit(f"{path}: is broken: {error}") from None
        self._file.close()
        self._file = SteadyFile(self.path)
        self._end = self._file.length

    def close(self) -> None:
        """Close the file as it is; again is fine."""
        self._file.close()

    def _hold(self, data: bytes) -> None:
        if self._size + len(data) > self._packing.frame_bytes:
            self._put_held()
        if data:
            self._held.append(data)
            self._size += len(data)

    def _put_held(self) -> None:
        if self._held:
            packed = self._packing.pack(b"".join(self._held))
            self._file.write(packed + self._closing, at=self._end)
            self._end += len(packed)
            self._held, self._size = [], 0

    def _begin(self, opening: bytes) -> tuple[int, bytes]:
        """Cut the file to what stays of it; return where that ends, and what its last byte is."""
        sheet = self._sheet
        if sheet.state is not None:
            seal, _, last = sheet.state.rpartition(b" ")
            if not self._file.is_sealed(seal):
                raise Stale
            end = int(seal.partition(b" ")[0])
            self._file.write(self._closing, at=end)
            return end, bytes.fromhex(last.decode())
        self._file.cut(sheet.kept)
        if sheet.kept:
            last = self._last_kept()
            self._file.write(self._closing)
            return sheet.kept, last
        # Also one of nothing: a compressed file without a frame is none.
        packed = self._packing.pack(opening)
        self._file.write(packed + self._closing)
        return len(packed), opening[-1:]

    def _last_kept(self) -> bytes:
        """Return the last byte that other runs left in the file."""
        if not self._packing.frame_bytes:
            return self._file.read(1, self._file.length - 1)
        last = b""
        try:
            with self._packing.reading(self.path) as file:
                while data := file.read(_STEP_BYTES):
                    last = data[-1:]
        except OSError as error:
            raise refused(self.path, error) from None
        except BROKEN as error:
            raise TargetUnfit(f"{self.path}: is broken: {error}") from None
        return last


def text_kept(path: Path, sheet: Sheet, *, opening: bytes = b"", closing: bytes = b"") -> int:
    """Return what stays of a file that is appended to: all but a closing of ours.

    Raises `OutputError` if it was not written with these, or is not compressed as its name says.
    """
    packing = sheet.packing
    end = packing.pack(closing) if closing else b""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            file.seek(max(0, size - len(end)))
            is_ours = file.read() == end or not end
        with packing.reading(path) as text:
            is_ours = is_ours and text.read(len(opening)) == opening
            while packing.frame_bytes and text.read(_STEP_BYTES):
                pass
    except UNREADABLE as error:
        raise OutputError(f"{path}: --append cannot read it: {error}") from None
    if not is_ours:
        raise OutputError(f"{path}: --append needs a file that crawl wrote, and this is none")
    return size - len(end)


def _gathered(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Join pieces to ones of about `size` bytes."""
    some: list[bytes] = []
    length = 0
    for piece in pieces:
        some.append(piece)
        length += len(piece)
        if length >= size:
            yield b"".join(some)
            some, length = [], 0
    if some:
        yield b"".join(some)
