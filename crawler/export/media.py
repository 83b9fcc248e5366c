"""Downloaded files, each under the digest of its content."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar
from urllib.parse import urlsplit

from crawler.errors import MediaError, MissingExtra, TargetError
from crawler.export.images import Looked, is_there, looked_at
from crawler.export.media_part import PartFile, sweep
from crawler.export.placing import Placing
from crawler.export.space import FreeSpace
from crawler.file_thread import FileThread
from crawler.media import Media, Wanted, filled
from crawler.parse.magic import name_in, suffix_of

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

_HASHED_AT_ONCE = 16_000_000
_BY_DIGEST = "{sha256}{ext}"
_LONGEST_HOST = 60


class MediaFiles:
    """Keeps files below `folder`, which is ours: nothing is reached through a symbolic link.

    A file is whole or not there: it is written below `.parts/`, and renamed once its digest is
    known. What was interrupted stays there, with what its server calls it, to be gone on with by
    this process or a later one; when the block ends and the run `is_over()`, it goes. A disk that
    is full is looked at again after `pause` seconds, once. `durable`: files survive power loss.
    """

    def __init__(
        self,
        folder: Path,
        *,
        min_free_bytes: int = 0,
        durable: bool = False,
        pause: float = 0.0,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self.folder = folder
        self.durable = durable
        self._pause = pause
        self._is_over = is_over
        self._space = FreeSpace(folder, min_free_bytes=min_free_bytes)
        self._thread = FileThread("media")
        self._images = FileThread("images")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._is_over():
                await self._thread.run(sweep, self.folder)
        finally:
            self._thread.close()
            self._images.close()

    @asynccontextmanager
    async def part(self, url: str, wanted: Wanted) -> AsyncIterator["FilePart"]:
        """Open what there is of a URL's file; see `MediaStore`."""
        if wanted.thumbnails and not await self._images.run(is_there):
            raise MediaError(str(MissingExtra("a thumbnail", "images")), url=url)
        file = await self.patiently(PartFile.open, self.folder, url, durable=self.durable)
        try:
            while file.unhashed:
                await self.patiently(file.hash_some, _HASHED_AT_ONCE)
            yield FilePart(self, file)
        finally:
            await self._thread.run(file.close)

    async def patiently(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns; where there is no room for it, once more after a pause."""
        try:
            return await self._thread.run(work, *args, **kwargs)
        except TargetError as error:
            if not self._pause:
                raise
            log.error("%s; the download pauses %g s, then tries once more", error, self._pause)
        await asyncio.sleep(self._pause)
        return await self._thread.run(work, *args, **kwargs)

    async def look_at(self, file: PartFile, wanted: Wanted) -> Looked | None:
        """Return an image's size and thumbnails, if they can be known."""
        return await self._images.run(looked_at, file.reader, wanted.thumbnails)

    def write(self, file: PartFile, data: bytes) -> None:
        """Append to a part, if the disk has room. Raises `TargetError`."""
        self._space.check()
        file.write(data)


class FilePart:
    """A `MediaPart` below `.parts/`."""

    def __init__(self, store: MediaFiles, file: PartFile) -> None:
        self._store = store
        self._file = file

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._file.size

    @property
    def head(self) -> bytes:
        """The first of them."""
        return self._file.head

    @property
    def validator(self) -> str:
        """What the server calls what there is."""
        return self._file.validator

    @property
    def total(self) -> int | None:
        """How many bytes there are to be, if that was said."""
        return self._file.total

    async def begin(self, *, validator: str, total: int | None) -> None:
        """Begin anew; see `MediaPart`."""
        await self._store.patiently(self._file.begin, validator=validator, total=total)

    async def write(self, data: bytes) -> None:
        """Take the next bytes; see `MediaPart`."""
        await self._store.patiently(self._store.write, self._file, data)

    async def discard(self) -> None:
        """Forget what there is; see `MediaPart`."""
        await self._store.patiently(self._file.discard)

    async def finish(self, wanted: Wanted, *, url: str, mime: str) -> Media:
        """Put the file where it is wanted; see `MediaPart`."""
        store, file = self._store, self._file
        looked = await store.look_at(file, wanted) if mime.startswith("image/") else None
        values = {
            "sha256": file.sha256,
            "ext": suffix_of(mime, url),
            "name": name_in(url),
            "host": (urlsplit(url).hostname or "")[:_LONGEST_HOST].replace(":", "_"),
        }
        to = filled(wanted.to or f"{file.sha256[:2]}/{_BY_DIGEST}", values)
        # A name with the digest in it can be of this content only.
        is_own = not wanted.to or "{sha256}" in wanted.to
        placing = Placing(store.folder, durable=store.durable)
        path = await store.patiently(placing.place, file, to, is_own=is_own, url=url)
        stem = path.removesuffix(values["ext"])
        made = {
            one.name: await store.patiently(
                placing.save, one.data, f"{stem}-{one.width}x{one.height}{one.ext}", is_own=is_own
            )
            for one in (looked.thumbnails if looked else ())
        }
        return Media(
            url=url,
            path=path,
            sha256=file.sha256,
            bytes=file.size,
            type=mime,
            width=looked.width if looked else None,
            height=looked.height if looked else None,
            thumbnails=made,
        )
