"""What a database is opened with."""

from typing import Literal

from msgspec import Struct

from crawler.records.streams import Streams

Mode = Literal["new", "append", "overwrite"]
"""What becomes of tables that are there when a run begins: they are refused, added to, replaced."""


class Wanted(Struct, frozen=True):
    """A database that a run's items go to.

    `where` is a path or a URL, `name` is the same for people, without a password. `table` is the
    name of its tables, with a gap for `item` where there are several. `run` tells a run apart from
    all others that add to the database; its rows are those of lines from byte `begin` on.
    """

    where: str
    name: str
    streams: Streams
    table: str = "{item}"
    mode: Mode = "new"
    run: str = ""
    begin: int = 0
    durable: bool = False
