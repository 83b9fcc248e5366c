"""Which lines are of which type."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from crawler.fields import Fields, join_fields
from crawler.items import ItemLine, key_of, known_fields, stream_of

_HEAD = b'{"_type":"'


class Streams(Struct, frozen=True):
    """The streams of a spool, with their fields, in the order they were declared.

    `keys` are the columns that tell two items of a stream apart, by stream; none: nothing does.
    `tagged`: there are several, and each line begins with its stream's name, as `{"_type":"book",`,
    so that the one line file can be read apart again. Plain values, which a run remembers.
    """

    fields: Mapping[str, Fields]
    keys: Mapping[str, tuple[str, ...]]
    tagged: bool = False

    def line(self, item: ItemLine) -> bytes:
        """Return an item's line for the spool."""
        if not self.tagged:
            return item.line
        rest = item.line[1:] if item.line == b"{}" else b"," + item.line[1:]
        return _HEAD + item.stream.encode() + b'"' + rest

    def split(self, line: bytes) -> tuple[str, bytes]:
        """Return the stream of a spool's line, and its JSON object. Raises `ValueError`."""
        if not self.tagged:
            return next(iter(self.fields)), line
        if not line.startswith(_HEAD):
            raise ValueError(f"a line without its type: {line[:40]!r}")
        name, _, rest = line[len(_HEAD) :].partition(b'"')
        return name.decode(), b"{" + rest.removeprefix(b",")


def streams_of(item_types: Sequence[type]) -> Streams:
    """Return the streams of a spider's item types; no types are one untyped stream."""
    fields: dict[str, Fields] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for item_type in item_types:
        name, found, key = stream_of(item_type), known_fields(item_type), key_of(item_type)
        fields[name] = _joined(fields[name], found) if name in fields else found
        # Two types of one name: only a key of both tells all items of the stream apart.
        keys[name] = key if keys.get(name, key) == key else ()
    return Streams(fields or {"item": None}, keys or {"item": ()}, tagged=len(item_types) > 1)


def _joined(one: Fields, other: Fields) -> Fields:
    """Two types of one name share a stream: all fields of both."""
    return None if one is None or other is None else join_fields(one, other)
