"""Pages as a WARC archive."""

import os
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from crawler.errors import TargetError
from crawler.export.cdxj import drop_index, write_index
from crawler.export.digests import Digests
from crawler.export.space import FreeSpace
from crawler.export.volume import (
    ARCHIVE,
    INDEX,
    Volume,
    check_whole,
    cut_back,
    files_of,
    number_of,
    part_of,
)
from crawler.export.warc_records import (
    Member,
    Seen,
    digest_of,
    members_of,
    resource_of,
    warcinfo,
)
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.outcome import Position
from crawler.owned import make_folder, open_folder
from crawler.parse.robots_words import NOT_KEPT
from crawler.protocols import Clock
from crawler.records.page_index import Place
from crawler.response import Response

FOLDER: Final = "warc"
DIGESTS: Final = "digests.db"
SORTED: Final = "index.cdxj"
# What makes a revisit of a record takes as much.
_LEAST_REVISITED: Final = 256
_MOST_HOPS: Final = 1_000
_UNFIT: Final = re.compile(r"[^\w.]+")


class WarcPages:
    """Writes what went over the wire for each page to `folder`, in files of about `most_bytes`.

    A file is called PREFIX-PART-NUMBER; of several processes each has a `part` of its own. Part 0
    cuts back what dead ones wrote and did not commit: `lengths()` says how far that is, `living()`
    which parts are in use. `about` is said at the beginning of each file. If it `withholds`,
    answers that ask for it are not kept, also those that are no pages.
    """

    keeps_exchanges: Final = True

    def __init__(
        self,
        folder: Path,
        *,
        prefix: str,
        most_bytes: int,
        lengths: Callable[[], Awaitable[Position]],
        living: Callable[[], Collection[str]] = tuple,
        part: str = "0",
        about: Mapping[str, str],
        withholds: bool = True,
        clock: Clock,
        min_free_bytes: int = 0,
        durable: bool = False,
    ) -> None:
        self._folder = folder
        self._stem = f"{_UNFIT.sub('-', prefix)}-{part}"
        self._most = most_bytes
        self._ask_lengths = lengths
        self._living = living
        self._part = part
        self._about = dict(about)
        self._withholds = withholds
        self._clock = clock
        self._durable = durable
        self._space = FreeSpace(folder, min_free_bytes=min_free_bytes)
        self._volumes: list[Volume] = []
        """Those written to since the last commit, the last one being the one to write to."""
        self._committed: Position = {}
        self._sure: Position = {}
        self._number = 0
        self._is_committed = True
        self._is_indexed = True
        self._made: Digests | None = None
        self._thread = FileThread("warc")

    async def __aenter__(self) -> "WarcPages":
        lengths = await self._sweep() if self._part == "0" else {}
        await self._thread.run(self._open, lengths)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def lengths(self) -> Position:
        """How long the files are that were written to since the last commit."""
        return {name: n for volume in self._volumes for name, n in volume.lengths.items()}

    async def save(
        self, pages: Sequence[Response], *, beside: Sequence[Response] = ()
    ) -> Sequence[Place]:
        """Write the records of pages, and of answers that are none; return where each page is.

        All or nothing: on `TargetError` the files are as they were. What was saved before and not
        committed is cut off first.
        """
        if not pages and not beside:
            return []
        return await self._thread.run(self._save, pages, beside)

    async def committed(self) -> None:
        """Hear that all that was saved is committed."""
        lengths, self._is_committed = self.lengths, True
        self._committed |= lengths
        self._sure |= lengths
        full, self._volumes = self._volumes[:-1], self._volumes[-1:]
        for volume in full:
            volume.close()

    async def settle(self) -> None:
        """Leave it complete, with an index of all files, once no other process writes to it."""
        if self._part == "0" and (lengths := await self._sweep()):
            await self._thread.run(self._write_index, lengths)

    async def aclose(self) -> None:
        """Close the files, and end the thread."""
        await self._thread.run(self._close)
        self._thread.close()

    @property
    def _digests(self) -> Digests:
        """What is known of payloads; made with the folder once there is something to keep."""
        if self._made is None:
            try:
                make_folder(self._folder)
            except OSError as error:
                raise refused(self._folder, error) from None
            self._made = Digests(self._folder / DIGESTS)
        return self._made

    def _found(self) -> Sequence[str]:
        """Return the names of what is in the folder."""
        try:
            fd = open_folder(self._folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise refused(self._folder, error) from None
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def _open(self, lengths: Position) -> None:
        """Go on with the file that was written to last, or leave it to the first save."""
        self._committed = dict(lengths)
        begin = f"{self._folder.name}/{self._stem}-"
        ours = [name for name in lengths if name.startswith(begin) and name.endswith(ARCHIVE)]
        if last := max(ours, default=None, key=number_of):
            self._number = number_of(last)
            check_whole(self._folder.parent / last, lengths[last])
            self._volumes = [self._opened(self._number)]

    async def _sweep(self) -> Position:
        """Cut off what processes that are gone did not commit; return what is committed.

        Who is not among the living now has written what was found before, and commits nothing any
        more.
        """
        found = await self._thread.run(self._found)
        living = {*await self._thread.run(self._living), *(["0"] if self._volumes else [])}
        lengths = await self._ask_lengths()
        gone = [name for name in found if part_of(name) not in (None, *living)]
        if gone:
            await self._thread.run(self._cut, gone, lengths)
        return lengths

    def _cut(self, names: Sequence[str], lengths: Position) -> None:
        cut_back(self._folder, names, lengths)
        self._digests.cut({name: lengths.get(name, 0) for name in files_of(self._folder, names)})

    def _save(self, pages: Sequence[Response], beside: Sequence[Response]) -> Sequence[Place]:
        try:
            digests = self._digests
            self._space.check()
            self._restore()
            if self._is_indexed:  # one that is there lacks nothing
                drop_index(self._folder / SORTED)
                self._is_indexed = False
            self._is_committed = False
            seen: dict[str, Seen] = {}
            for answer in beside:
                self._add_unless_withheld(answer, seen)
            places = [self._add(page, seen) or self._add_resource(page) for page in pages]
            for volume in self._volumes:
                volume.flush(durable=self._durable)
            digests.add(seen, sure=self._sure)
            self._sure = {}
        except TargetError:
            with suppress(TargetError):  # else before the next save
                self._restore()
            raise
        return places

    def _restore(self) -> None:
        """Be where the last commit left it."""
        if self._is_committed:
            return
        for volume in self._volumes:
            volume.cut(self._committed)
        self._digests.cut({name: self._committed.get(name, 0) for name in self.lengths})
        for volume in self._volumes[1:]:
            volume.remove()
            self._number -= 1
        self._volumes = self._volumes[:1]
        self._is_committed = True

    def _add_unless_withheld(self, answer: Response, seen: dict[str, Seen]) -> None:
        if not (self._withholds and answer.directives & NOT_KEPT):
            self._add(answer, seen)

    def _add(self, answer: Response, seen: dict[str, Seen]) -> Place | None:
        """Add the records of an answer and of what led to it, or was fetched; return its own place.

        `seen` are the payloads that are new in this batch.
        """
        for fetched in answer.fetched:
            self._add_unless_withheld(fetched, seen)
        request, place = answer.request, None
        via = request.redirects[-1] if request.redirects else request.parent
        hops = "P" if request.kind == "robots" else "L" * min(request.depth, _MOST_HOPS)
        hops += "R" * len(request.redirects)
        for exchange in answer.exchanges:
            digest, known = digest_of(exchange.body), None
            may_be_revisit = len(exchange.body) >= _LEAST_REVISITED and not exchange.truncated
            if may_be_revisit:
                known = seen.get(digest) or self._digests.find(digest)
            members = members_of(exchange, digest=digest, via=via, hops=hops, seen=known)
            place = self._put(members, known)
            if may_be_revisit and known is None:
                seen[digest] = Seen(exchange.url, members[0].date, place)
            via, hops = exchange.url, f"{hops}R"
        return place

    def _add_resource(self, page: Response) -> Place:
        return self._put([resource_of(page, digest=digest_of(page.body), at=self._clock())])

    def _put(self, members: Sequence[Member], known: Seen | None = None) -> Place:
        """Add the records of one exchange, all of them to one file."""
        volume = self._volume()
        offset, *_ = [volume.add(member) for member in members]
        same_as = known.place if known is not None else None
        return Place(volume.file, offset, len(members[0].data), same_as)

    def _volume(self) -> Volume:
        """Return the file to write to; a new one if that is full."""
        if not self._volumes:
            self._volumes.append(self._opened(self._number))
        elif self._volumes[-1].length >= self._most:
            self._volumes.append(self._opened(self._number + 1))
            self._number += 1
        volume = self._volumes[-1]
        if not volume.length:
            volume.add(warcinfo(volume.filename, self._about.items(), at=self._clock()))
        return volume

    def _opened(self, number: int) -> Volume:
        return Volume(self._folder, f"{self._stem}-{number:05}")

    def _write_index(self, lengths: Position) -> None:
        parent = self._folder.parent
        ours = sorted((name, n) for name, n in lengths.items() if name.endswith(INDEX))
        entries = ((parent / name, n) for name, n in ours)
        write_index(self._folder / SORTED, entries, durable=self._durable)
        self._is_indexed = True

    def _close(self) -> None:
        for volume in self._volumes:
            volume.close()
        if self._made is not None:
            self._made.close(sure=self._sure)
