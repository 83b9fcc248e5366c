"""Files of items, one or many, as a follower."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from crawler.errors import TargetUnfit
from crawler.export.formats import Format, Writer
from crawler.export.naming import filled, has_gap, parts_there, whole
from crawler.export.remote import Uploads
from crawler.export.sheet import Sheet, Stale
from crawler.fields import Fields
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.outcome import Mark
from crawler.records.streams import Streams

_ALL = ""
"""The name under which all types of items share a file."""


class Place(Struct, frozen=True):
    """Where the files of a target go: `path` is a name with gaps for `item` and `part`.

    `kept` are the bytes that other runs left in a file, by path; `part` is the first one's number.
    `sheet` is what all of them are opened with, but for what is their own. `replaces`: further
    parts of an earlier run go. `uploads`: each is made here and goes to its place when it is
    complete.
    """

    path: str
    format: Format
    sheet: Sheet
    kept: Mapping[str, int] = {}
    part: int = 1
    replaces: bool = False
    uploads: Uploads | None = None


class FileTarget:
    """Writes items to their files. What was flushed is found again by the mark's state."""

    def __init__(
        self, routes: Mapping[str, "_Route"], streams: Streams, *, mark: Mark, thread: FileThread
    ) -> None:
        self.mark = mark
        self._routes = routes
        self._streams = streams
        self._cursor = mark.cursor
        self._thread = thread

    @classmethod
    async def open(
        cls, place: Place, streams: Streams, *, begin: int, mark: Mark | None
    ) -> "FileTarget":
        """Open the files as they were at `mark`, or for lines from byte `begin` on.

        Files that are not any more as the mark has them are written anew. Raises `TargetError`.
        """
        thread = FileThread("target")
        try:
            if mark is None:
                await thread.run(_make_room, place, streams)
            try:
                routes = await thread.run(_opened, place, streams, mark.state if mark else b"")
                mark = mark or Mark(begin)
            except Stale:
                routes, mark = await thread.run(_opened, place, streams, b""), Mark(begin)
        except BaseException:
            thread.close()
            raise
        return cls(routes, streams, mark=mark, thread=thread)

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        """Write each line to the file it belongs to."""
        await self._thread.run(self._write, lines)
        self._cursor = cursor

    async def flush(self) -> None:
        """Have all lines be in the files, as readers find them."""
        state = await self._thread.run(self._flush)
        self.mark = Mark(self._cursor, state)

    async def finish(self) -> None:
        """Flush: a file that is flushed is complete, and may be uploaded."""
        await self.flush()
        for route in self._routes.values():
            await self._thread.run(route.publish)

    async def aclose(self) -> None:
        """Close the files as they are."""
        try:
            for route in self._routes.values():
                await self._thread.run(route.close)
        finally:
            self._thread.close()

    def _write(self, lines: Sequence[bytes]) -> None:
        if _ALL in self._routes:
            self._routes[_ALL].write(lines)
            return
        sorted_out: dict[str, list[bytes]] = {}
        for line in lines:
            try:
                stream, item = self._streams.split(line)
            except ValueError as error:
                raise TargetUnfit(f"no item that fits a file: {error}") from None
            sorted_out.setdefault(stream, []).append(item)
        for stream, items in sorted_out.items():
            if stream not in self._routes:
                raise TargetUnfit(f"no file for items of type {stream!r}")
            self._routes[stream].write(items)

    def _flush(self) -> bytes:
        return msgspec.msgpack.encode({name: route.flush() for name, route in self._routes.items()})


def begins_with(path: str, streams: Streams, *, part: int = 1) -> Iterator[Path]:
    """Yield the files of a target: one, or one a type; the first part if there are parts."""
    items = list(streams.fields) if has_gap(path, "item") else [_ALL]
    for item in items:
        name = filled(path, item=item, part=part)
        yield Path(name if has_gap(name, "run") else whole(name))


class _State(Struct, frozen=True, array_like=True):
    """How far a route is: its part, the items and bytes of lines in it, its writer's state.

    Without a writer's state no file is open.
    """

    part: int
    items: int = 0
    size: int = 0
    writer: bytes = b""


class _Route:
    """The files that some items go to, one after the other where there are parts."""

    def __init__(self, path: str, place: Place, *, sheet: Sheet, state: _State | None) -> None:
        self._path = path
        self._place = place
        self._sheet = sheet
        self._has_parts = has_gap(path, "part")
        self._state = state or _State(place.part)
        self._writer: Writer | None = None
        if self._state.writer or not self._has_parts:
            self._writer = self._open(self._state.writer or None)

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines, to the next part where one is full."""
        if not self._has_parts:
            assert self._writer is not None, "a file without parts is open"
            self._writer.write(lines)
            return
        for some in self._portions(lines):
            if self._writer is None:
                self._writer = self._open(None)
            self._writer.write(some)
            state = self._state
            self._state = structs.replace(
                state,
                items=state.items + len(some),
                size=state.size + sum(map(len, some)),
            )
            if self._is_full(self._state.items, self._state.size):
                self._end_part()

    def flush(self) -> _State:
        """Return the state to go on from."""
        writer = self._writer.flush() if self._writer is not None else b""
        return structs.replace(self._state, writer=writer)

    def close(self) -> None:
        """Close the file that is open."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def publish(self) -> None:
        """Have the file that is open in its place; all of it is flushed."""
        if self._writer is not None and self._place.uploads is not None:
            self._place.uploads.upload(self._file)

    @property
    def _file(self) -> Path:
        return Path(whole(filled(self._path, part=self._state.part)))

    def _open(self, state: bytes | None) -> Writer:
        path = self._file
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refused(path.parent, error) from None
        kept = self._place.kept.get(str(path), 0)
        return self._place.format.open(
            structs.replace(self._sheet, path=path, kept=kept, state=state)
        )

    def _end_part(self) -> None:
        if self._writer is not None:
            self._writer.flush()
        self.publish()
        self.close()
        if self._place.uploads is not None:
            self._place.uploads.discard(self._file)
        self._state = _State(self._state.part + 1)

    def _is_full(self, items: int, size: int) -> bool:
        settings = self._sheet.settings
        most = settings.part_items
        return (most is not None and items >= most) or size >= settings.part_bytes

    def _portions(self, lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
        """Yield the lines of one part after the other: the same ones, however they come."""
        start, items, size = 0, self._state.items, self._state.size
        for end, line in enumerate(lines, 1):
            items, size = items + 1, size + len(line)
            if self._is_full(items, size):
                yield lines[start:end]
                start, items, size = end, 0, 0
        if start < len(lines):
            yield lines[start:]


def _make_room(place: Place, streams: Streams) -> None:
    """See that nothing of others is in the way of what is begun. Raises `OutputError`."""
    for path in begins_with(place.path, streams, part=place.part):
        if place.uploads is not None:
            place.uploads.check_absent(path)
    if place.replaces and place.uploads is None and has_gap(place.path, "part"):
        for name in streams.fields if has_gap(place.path, "item") else [_ALL]:
            for path in parts_there(filled(place.path, item=name)).values():
                path.unlink()


def _opened(place: Place, streams: Streams, state: bytes) -> dict[str, _Route]:
    """Open every route. Raises `Stale` with none of them open."""
    states = msgspec.msgpack.decode(state, type=dict[str, _State]) if state else {}
    names = list(streams.fields) if has_gap(place.path, "item") else [_ALL]
    with ExitStack() as stack:
        routes = {}
        for name in names:
            fields = streams.fields[name] if name else _of_all(streams)
            tagged = not name and streams.tagged
            sheet = structs.replace(place.sheet, fields=fields, tagged=tagged)
            path = filled(place.path, item=name)
            routes[name] = _Route(path, place, sheet=sheet, state=states.get(name))
            stack.callback(routes[name].close)
        stack.pop_all()  # all are open: they stay so
        return routes


def _of_all(streams: Streams) -> Fields:
    """Return the fields of a file that all items share: known if they are of one type."""
    return None if streams.tagged else next(iter(streams.fields.values()))
