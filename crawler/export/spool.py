"""The run's line files."""

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from crawler.errors import TargetError
from crawler.export.following import Following
from crawler.export.space import FreeSpace
from crawler.export.steady_file import SteadyFile
from crawler.export.tail import Tail
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.outcome import Position
from crawler.owned import Opener, own

_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")
"""C1, as UTF-8 has it."""


class FileSpool:
    """A run's JSONL files, cut back when they are opened to what was last committed.

    Lines after the last committed position may stand in the files when the crawl ends or dies;
    closing leaves them, because a commit may be true without having been heard here. The next
    opening cuts them off.
    """

    def __init__(
        self, files: Mapping[str, SteadyFile], *, min_free_bytes: int = 0, durable: bool = False
    ) -> None:
        self._files = dict(files)
        self._durable = durable
        self.tail = Tail()
        self._following: list[Following] = []
        self._thread = FileThread("spool")
        folders = {file.path.parent for file in files.values()}
        self._spaces = [FreeSpace(folder, min_free_bytes=min_free_bytes) for folder in folders]

    @classmethod
    async def open(
        cls,
        paths: Mapping[str, Path],
        *,
        position: Position | None = None,
        resumed: bool = False,
        openers: Mapping[str, Opener] | None = None,
        min_free_bytes: int = 0,
        durable: bool = False,
    ) -> "FileSpool":
        """Open the files by name, each cut to its bytes in `position` (a name not in it: empty).

        They are our `own`, but for those that have other `openers`.
        `durable`: what is appended survives power loss. Raises `TargetError`, with no file changed,
        if one is shorter than its position; one of a run that is `resumed` has a line end there.
        """
        files = await _opening(paths, position or {}, openers=openers or {}, resumed=resumed)
        return cls(files, min_free_bytes=min_free_bytes, durable=durable)

    async def __aenter__(self) -> "FileSpool":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def position(self) -> Position:
        """How long each file is now; the first one to commit, before there is any line."""
        return {name: file.length for name, file in self._files.items()}

    def follow(self, following: Following) -> None:
        """Let `following` hear of commits; it is closed with the spool."""
        self._following.append(following)

    async def append(self, lines: Mapping[str, Sequence[bytes]]) -> Position:
        """Append lines (without newline) to files by name; return every file's length then.

        All or nothing: on `TargetError` no file has changed, and the same call may be made again.
        """
        some = {name: lines[name] for name in lines if lines[name]}
        return await self._thread.run(self._append, some) if some else self.position

    def _append(self, lines: Mapping[str, Sequence[bytes]]) -> Position:
        for space in self._spaces:
            space.check()
        before = self.position
        joined = {name: _joined(some) for name, some in lines.items()}
        try:
            for name, data in joined.items():
                self._files[name].write(data)
                if self._durable:
                    self._files[name].sync()
        except TargetError:
            for name in lines:
                # One that cannot be cut now is cut before its next write.
                with suppress(TargetError):
                    self._files[name].cut(before[name])
            raise
        for name, data in joined.items():
            self.tail.append(name, before[name], data)
        return self.position

    async def committed(self, position: Position, items: Sequence[object]) -> None:  # noqa: ARG002
        """Hear that everything up to `position` is committed, and let the followers have it."""
        for following in self._following:
            following.advance(position.get(following.name, 0))

    async def aclose(self) -> None:
        """Let the followers catch up, close them, and the files; again is fine."""
        try:
            following, self._following = self._following, []
            try:
                async with asyncio.TaskGroup() as group:  # none waits for another that is down
                    for each in following:
                        group.create_task(each.aclose())
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None
        finally:
            files, self._files = self._files, {}
            for file in files.values():
                await self._thread.run(file.close)
            self._thread.close()


async def _opening(
    paths: Mapping[str, Path],
    position: Position,
    *,
    openers: Mapping[str, Opener],
    resumed: bool,
) -> dict[str, SteadyFile]:
    thread = FileThread("spool-open")
    try:
        return await thread.run(_open_all, paths, position, openers=openers, resumed=resumed)
    finally:
        thread.close()


def _open_all(
    paths: Mapping[str, Path],
    position: Position,
    *,
    openers: Mapping[str, Opener],
    resumed: bool,
) -> dict[str, SteadyFile]:
    """Open every file and look at it before the first is cut."""
    files: dict[str, SteadyFile] = {}
    try:
        for name, path in paths.items():
            opener = openers.get(name, own)
            _check(path, position.get(name, 0), opener=opener, resumed=resumed)
            path.parent.mkdir(parents=True, exist_ok=True)
            files[name] = SteadyFile(path, opener=opener)
        for name, file in files.items():
            file.cut(position.get(name, 0))
            file.end_line()
    except TargetError:
        for file in files.values():
            file.close()
        raise
    return files


def _check(path: Path, committed: int, *, opener: Opener, resumed: bool) -> None:
    """Raise `TargetError` if a file is not the one that lines were committed to."""
    if not committed:
        return
    try:
        with open(path, "rb", opener=opener) as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(min(length, committed) - 1 if length else 0)
            ends = file.read(1) == b"\n"
    except FileNotFoundError:
        raise TargetError(
            f"{path}: is gone, with {committed:,} bytes that were committed"
        ) from None
    except OSError as error:
        raise refused(path, error) from None
    if length < committed:
        raise TargetError(
            f"{path}: {committed:,} bytes were committed, but the file has {length:,}; "
            "was it edited, or is it an older copy?"
        )
    if resumed and not ends:
        raise TargetError(f"{path}: was edited: no line ends at byte {committed:,} any more")


def _joined(lines: Sequence[bytes]) -> bytes:
    """Return the lines with their newlines.

    JSON has a raw newline only between tokens (an item's `msgspec.Raw` may bring some), where a
    space means the same. What some programs take for the end of a line (`str.splitlines`: NEL,
    U+2028, U+2029) is escaped, and with NEL the other controls that JSON leaves as they are.
    """
    data = b"\n".join([*lines, b""])
    if data.count(b"\n") != len(lines):
        data = b"\n".join([*(line.replace(b"\n", b" ") for line in lines), b""])
    if data.isascii():
        return data
    if b"\xc2" in data:
        data = _CONTROL.sub(_escape, data)
    return data.replace(b"\xe2\x80\xa8", rb"\u2028").replace(b"\xe2\x80\xa9", rb"\u2029")


def _escape(found: re.Match[bytes]) -> bytes:
    return b"\\u00%02x" % found[0][1]
