"""Files of items, one or many, as a follower."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import structs

from crawler.errors import TargetUnfit
from crawler.export.naming import filled, has_gap, parts_there, whole
from crawler.export.route import Place, Route, State
from crawler.export.sheet import Stale
from crawler.fields import Fields
from crawler.file_thread import FileThread
from crawler.outcome import Mark
from crawler.records.streams import Streams

_ALL = ""
"""The name under which all types of items share a file."""


class FileTarget:
    """Writes items to their files. What was flushed is found again by the mark's state."""

    def __init__(
        self, routes: Mapping[str, Route], streams: Streams, *, mark: Mark, thread: FileThread
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

        Files that are not any more as the mark has them are written anew; parts that were full stay
        as they are, or wherever they are by now. Raises `TargetError`.
        """
        thread = FileThread("target")
        try:
            if mark is None:
                await thread.run(_make_room, place, streams)
            states = _states_of(mark)
            await thread.run(_drop_later, place, states)
            try:
                routes = await thread.run(_opened, place, streams, states)
                mark = mark or Mark(begin)
            except Stale:
                states = {name: state.anew() for name, state in states.items()}
                routes, mark = await thread.run(_opened, place, streams, states), Mark(begin)
        except BaseException:
            thread.close()
            raise
        return cls(routes, streams, mark=mark, thread=thread)

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        """Write each line to the file it belongs to; a part that is full is flushed."""
        before = self._parts
        await self._thread.run(self._write, lines)
        self._cursor = cursor
        if self._parts != before:  # it may be gone soon: who reads it need not wait for the rest
            await self.flush()

    async def flush(self) -> None:
        """Have all lines be in the files, as readers find them."""
        state = await self._thread.run(self._flush)
        self.mark = Mark(self._cursor, state)

    async def finish(self) -> None:
        """Flush: a file that is flushed is complete, and may be uploaded."""
        await self.flush()
        for route in self._routes.values():
            await self._thread.run(route.publish)
            await self._thread.run(route.drop_surplus)

    async def aclose(self) -> None:
        """Close the files as they are."""
        try:
            for route in self._routes.values():
                await self._thread.run(route.close)
        finally:
            self._thread.close()

    @property
    def _parts(self) -> list[int]:
        return [route.part for route in self._routes.values()]

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


def parts_of(path: str, streams: Streams) -> list[Path]:
    """Return the parts of a target that are there; none if it has no parts."""
    if not has_gap(path, "part"):
        return []
    items = list(streams.fields) if has_gap(path, "item") else [_ALL]
    return [part for item in items for part in parts_there(filled(path, item=item)).values()]


def _make_room(place: Place, streams: Streams) -> None:
    """See that nothing of others is in the way of what is begun. Raises `OutputError`."""
    if place.uploads is not None:
        for name in streams.fields if has_gap(place.path, "item") else [_ALL]:
            place.uploads.check_absent(filled(place.path, item=name))
    elif place.replaces:
        for path in parts_of(place.path, streams):
            path.unlink()


def _states_of(mark: Mark | None) -> dict[str, State]:
    if mark is None or not mark.state:
        return {}
    return msgspec.msgpack.decode(mark.state, type=dict[str, State])


def _drop_later(place: Place, states: Mapping[str, State]) -> None:
    """Remove parts behind the open one: written after the mark, and perhaps of another size."""
    if not has_gap(place.path, "part"):
        return
    for name, state in states.items():
        for number, path in parts_there(filled(place.path, item=name)).items():
            if number > state.part:
                path.unlink()


def _opened(place: Place, streams: Streams, states: Mapping[str, State]) -> dict[str, Route]:
    """Open every route. Raises `Stale` with none of them open."""
    names = list(streams.fields) if has_gap(place.path, "item") else [_ALL]
    with ExitStack() as stack:
        routes = {}
        for name in names:
            fields = streams.fields[name] if name else _of_all(streams)
            tagged = not name and streams.tagged
            sheet = structs.replace(place.sheet, fields=fields, tagged=tagged)
            path = filled(place.path, item=name)
            routes[name] = Route(path, place, sheet=sheet, state=states.get(name))
            stack.callback(routes[name].close)
        stack.pop_all()  # all are open: they stay so
        return routes


def _of_all(streams: Streams) -> Fields:
    """Return the fields of a file that all items share: known if they are of one type."""
    return None if streams.tagged else next(iter(streams.fields.values()))
