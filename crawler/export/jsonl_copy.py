"""JSON lines, once more."""

import os
import select
from collections.abc import Mapping, Sequence
from pathlib import Path

from crawler.export.steady_file import SteadyFile
from crawler.file_thread import FileThread
from crawler.protocols import Follower
from crawler.records.streams import Streams


class JsonlCopy:
    """A line file beside the spool: the same lines."""

    def __init__(self, thread: FileThread, file: SteadyFile) -> None:
        self._thread = thread
        self._file = file

    @staticmethod
    def files(path: Path, streams: Streams) -> Sequence[Path]:  # noqa: ARG004
        """Return the one file this format writes."""
        return [path]

    @staticmethod
    def keep(path: Path, streams: Streams) -> Mapping[str, int]:  # noqa: ARG004
        """Return what `--append` keeps: all of it."""
        return {str(path): path.stat().st_size} if path.exists() else {}

    @classmethod
    async def open(cls, path: Path, *, kept: Mapping[str, int], **_: object) -> Follower:
        """Open the target, cut to the bytes of it that are `kept`. Raises `TargetError`."""
        thread = FileThread("jsonl")
        return cls(thread, await thread.run(_opened, path, kept.get(str(path), 0)))

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:  # noqa: ARG002
        """Write `lines`."""
        await self._thread.run(self._file.write, b"\n".join([*lines, b""]))

    async def aclose(self) -> None:
        """Close the file."""
        await self._thread.run(self._file.close)
        self._thread.close()


class StandardOutput:
    """JSON lines to a pipe or a terminal, at least once: what was read cannot be taken back."""

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self._thread = FileThread("stdout")

    @staticmethod
    def files(path: Path, streams: Streams) -> Sequence[Path]:  # noqa: ARG004
        """Return no file."""
        return []

    @staticmethod
    def keep(path: Path, streams: Streams) -> Mapping[str, int]:  # noqa: ARG004
        """Return nothing: there is nothing to keep."""
        return {}

    @classmethod
    async def open(cls, path: Path, **_: object) -> Follower:  # noqa: ARG003
        """Return the process's standard output as a target."""
        return cls()

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:  # noqa: ARG002
        """Write `lines`; `OSError` once nobody reads."""
        await self._thread.run(self._write, b"\n".join([*lines, b""]))

    async def aclose(self) -> None:
        """Leave the descriptor open; it belongs to the process."""
        self._thread.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                # A pipe that another program made non-blocking.
                select.select([], [self._fd], [])


def _opened(path: Path, kept: int) -> SteadyFile:
    file = SteadyFile(path)
    file.cut(kept)
    file.end_line()
    return file
