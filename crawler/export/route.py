"""The files of some items, one after the other."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from crawler.export.formats import Format, Writer
from crawler.export.naming import filled, has_gap, whole
from crawler.export.remote import Uploads
from crawler.export.sheet import Sheet
from crawler.oserrors import refused


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


class State(Struct, frozen=True, array_like=True):
    """How far a route is: its part, the items and bytes of lines in it, its writer's state.

    Without a writer's state no file is open. `before` are the items in the parts before it; `skip`
    are those of the next ones that are in them.
    """

    part: int
    items: int = 0
    size: int = 0
    writer: bytes = b""
    before: int = 0
    skip: int = 0

    def anew(self) -> "State":
        """Return the state in which the part is written anew, from the first item of all on."""
        return State(self.part, before=self.before, skip=self.before)

    def next(self) -> "State":
        """Return the state of the part behind this one."""
        return State(self.part + 1, before=self.before + self.items)


class Route:
    """The files that some items go to, one after the other where there are parts."""

    def __init__(self, path: str, place: Place, *, sheet: Sheet, state: State | None) -> None:
        self._path = path
        self._place = place
        self._sheet = sheet
        self._has_parts = has_gap(path, "part")
        self._state = state or State(place.part)
        self._writer: Writer | None = None
        if self._state.writer or not self._has_parts:
            self._writer = self._open(self._state.writer or None)

    @property
    def part(self) -> int:
        """The number of the part that is written to."""
        return self._state.part

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines, to the next part where one is full."""
        if skipped := min(self._state.skip, len(lines)):
            self._state = structs.replace(self._state, skip=self._state.skip - skipped)
            lines = lines[skipped:]
        if not lines:
            return
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

    def flush(self) -> State:
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

    def drop_surplus(self) -> None:
        """Remove uploaded parts of others behind the last one, where they are replaced."""
        if self._place.uploads is not None:
            last = self.part if self._writer is not None else self.part - 1
            self._place.uploads.drop_parts(self._path, beyond=last)

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
        self._state = self._state.next()

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
