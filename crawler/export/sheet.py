"""What a file of items is opened with."""

from pathlib import Path

from msgspec import Struct

from crawler.export.packing import PLAIN, Packing
from crawler.fields import Fields
from crawler.settings import Settings


class Sheet(Struct, frozen=True):
    """A file to be written: `path`, and the `fields` of its items (None: only they can tell).

    `kept` are the bytes that other runs left in it. `state` is what the writer returned when it was
    flushed: what follows that is cut off; None: all that is not `kept` is. `tagged`: items of
    several types share the file, each of which says its own.
    """

    path: Path
    fields: Fields = None
    kept: int = 0
    state: bytes | None = None
    settings: Settings = Settings()
    packing: Packing = PLAIN
    tagged: bool = False


class Stale(Exception):
    """A file is not, any more, what its state says: it is to be written anew from its beginning."""
