"""Files, answered from those that are stored."""

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from typing import IO

from crawler.archive.archive import Archive
from crawler.errors import BodyTooLarge, NotStored
from crawler.fetch.streaming import check_type, most_bytes
from crawler.file_thread import FileThread
from crawler.media import Media, Wanted
from crawler.parse.magic import type_of, usual_name
from crawler.protocols import MediaStore
from crawler.request import Request
from crawler.settings import Settings

_PIECE = 1_000_000


class StoredFiles:
    """Puts files where those of this run are, under the wishes that it has.

    Each call raises `FetchError`, and `TargetError`.
    """

    def __init__(
        self, settings: Settings, *, archive: Archive, thread: FileThread, store: MediaStore
    ) -> None:
        self._settings = settings
        self._archive = archive
        self._thread = thread
        self._store = store

    def most_bytes(self, request: Request) -> int:
        """Return how large a file may be."""
        return most_bytes(request.saving or Wanted(), self._settings)

    async def bring(self, request: Request) -> Media | None:
        """Return a file that a run has downloaded; None if none has."""
        found = await self._thread.run(self._archive.file, request.url)
        if found is None:
            return None

        try:
            most = self.most_bytes(request)
            if found.bytes > most:
                raise BodyTooLarge(f"more than {most:,} bytes")
            async with aclosing(self._pieces(found.file)) as body:
                return await self.save(request, body, mime=found.type)
        finally:
            self._thread.start(found.file.close)  # behind what reads it still

    async def _pieces(self, file: IO[bytes]) -> AsyncGenerator[bytes]:
        try:
            while piece := await self._thread.run(file.read, _PIECE):
                yield piece
        except OSError as error:
            raise NotStored(f"the file cannot be read: {error.strerror}") from None

    async def save(self, request: Request, body: AsyncIterable[bytes], *, mime: str) -> Media:
        """Write a file down, of which it was said that it is `mime`."""
        wanted = request.saving or Wanted()
        async with self._store.part(request.url, wanted) as part:
            await part.begin(validator="", total=None)
            async for piece in body:
                await part.write(piece)
            mime = type_of(usual_name(mime), part.head, request.url)
            check_type(mime, wanted, url=request.url)
            return await part.finish(wanted, url=request.url, mime=mime)


async def pieces_of(body: bytes) -> AsyncGenerator[bytes]:
    """Yield a body that is in memory piece by piece, as it is written."""
    for at in range(0, len(body), _PIECE):
        yield body[at : at + _PIECE]
