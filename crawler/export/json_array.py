"""One JSON array, valid at all times."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from crawler.errors import OutputError
from crawler.export.steady_file import SteadyFile
from crawler.file_thread import FileThread
from crawler.protocols import Follower
from crawler.records.streams import Streams

_CLOSING = b"\n]\n"
_WINDOW = 4096


class JsonArray:
    """A file that holds the items as one array, one to a line; new ones replace its closing."""

    def __init__(self, thread: FileThread, file: SteadyFile) -> None:
        self._thread = thread
        self._file = file

    @staticmethod
    def files(path: Path, streams: Streams) -> Sequence[Path]:  # noqa: ARG004
        """Return the one file this format writes."""
        return [path]

    @staticmethod
    def keep(path: Path, streams: Streams) -> Mapping[str, int]:  # noqa: ARG004
        """Return what `--append` keeps: all but the closing. Raises `OutputError`."""
        return {str(path): _inside(path)} if path.exists() and path.stat().st_size else {}

    @classmethod
    async def open(cls, path: Path, *, kept: Mapping[str, int], **_: object) -> Follower:
        """Open the target, cut to the bytes of it that are `kept`. Raises `TargetError`."""
        thread = FileThread("json")
        return cls(thread, await thread.run(_opened, path, kept.get(str(path), 0)))

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:  # noqa: ARG002
        """Add `lines` to the array."""
        await self._thread.run(self._add, lines)

    async def aclose(self) -> None:
        """Close the file; it is complete as it is."""
        await self._thread.run(self._file.close)
        self._thread.close()

    def _add(self, lines: Sequence[bytes]) -> None:
        end = self._file.length - len(_CLOSING)
        # An element never ends with a bracket that opens.
        before = b"\n" if self._file.read(1, end - 1) == b"[" else b",\n"
        self._file.write(before + b",\n".join(lines) + _CLOSING, at=end)


def _opened(path: Path, kept: int) -> SteadyFile:
    file = SteadyFile(path)
    file.cut(kept)
    file.write(_CLOSING if kept else b"[" + _CLOSING)
    return file


def _inside(path: Path) -> int:
    """Return the length of an array's file up to its last element's end, or its `[`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        opening = file.read(_WINDOW).lstrip()
        file.seek(max(0, size - _WINDOW))
        tail = file.read()
    inner = tail.rstrip()
    inside = inner[:-1].rstrip()
    if not (opening.startswith(b"[") and inner.endswith(b"]") and inside):
        raise OutputError(f"{path}: --append needs a JSON array, and this is none")
    return size - len(tail) + len(inside)
