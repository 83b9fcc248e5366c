"""One request, answered from stored pages."""

from contextlib import suppress
from types import TracebackType
from typing import Self

from multidict import CIMultiDict, CIMultiDictProxy

from crawler import urls
from crawler.archive.answer import Answer
from crawler.archive.archive import Archive
from crawler.errors import (
    AddressRefused,
    BodyError,
    BodyTooLarge,
    ConnectError,
    FetchError,
    NotStored,
    UnwantedType,
)
from crawler.fetch.decoding import Decoder
from crawler.fetch.room import Room
from crawler.fetch.stored_files import StoredFiles, pieces_of
from crawler.fetch.streaming import NoMedia, brings_file
from crawler.file_thread import FileThread
from crawler.media import Media
from crawler.parse.directives import page_rules
from crawler.protocols import MediaStore
from crawler.records.page_index import digest_of
from crawler.request import Request
from crawler.response import Response
from crawler.rules.accept import Accept
from crawler.rules.hops import REDIRECTS
from crawler.settings import Settings

# As of an answer from the network that is not delivered.
_ERROR_BYTES = 64_000


class StoredFetch:
    """A `Fetch` that opens no connection; an async context manager.

    What it is asked for it answers from an archive, decoded, within the bounds that bodies from
    the network have. Files are read in a thread of its own; what is downloaded goes to `media`.
    Raises `FetchError`: `NotStored` for what the archive does not have; and `TargetError`.
    """

    def __init__(
        self, settings: Settings, *, archive: Archive, room: Room, media: MediaStore | None = None
    ) -> None:
        self._settings = settings
        self._archive = archive
        self._room = room
        self._accept = Accept(settings.accept)
        self._statuses = frozenset(settings.statuses)
        self._rules = page_rules(settings)
        self._thread = FileThread("stored")
        self._files = StoredFiles(
            settings, archive=archive, thread=self._thread, store=media or NoMedia()
        )

    async def __aenter__(self) -> Self:
        try:
            await self._thread.run(self._archive.open)
        except BaseException:
            self._archive.stop()
            self._thread.start(self._archive.close)
            self._thread.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._thread.run(self._archive.close)
        self._thread.close()

    async def __call__(self, request: Request) -> Response:
        """Answer once, without following redirects."""
        if not request.url.startswith(urls.SCHEMES):
            raise AddressRefused("only http and https are stored", url=request.url)
        try:
            media = await self._files.bring(request) if request.kind == "media" else None
            return await self._answer(request) if media is None else _of_file(request, media)
        except FetchError as error:
            error.url = error.url or request.url
            raise

    async def _answer(self, request: Request) -> Response:
        hold = self._room.hold()
        response: Response | None = None
        try:
            answer, body = await self._thread.run(self._read, request)
            await hold.grow(len(body))
            if request.kind == "media" and brings_file(answer.status):
                mime = answer.header("content-type") or ""
                return _of_file(
                    request, await self._files.save(request, pieces_of(body), mime=mime)
                )
            response = Response(
                request.url,
                request=request,
                status=answer.status,
                headers=CIMultiDictProxy(CIMultiDict(answer.headers)),
                body=body,
                parsed=len(body) <= self._settings.html_bytes,
                rules=self._rules,
                release=hold.release,
            )
        finally:
            if response is None:
                hold.release()
        return response

    def _read(self, request: Request) -> tuple[Answer, bytes]:
        """Return what is stored, and its body decoded, as `HttpFetch` would have it."""
        limit = self._settings.body_bytes
        if request.kind == "media":  # a body of an archive is held whole
            limit = min(self._files.most_bytes(request), self._settings.memory_bytes)
        url, sent = request.url, digest_of(request.body)
        answer = self._archive.ask(url, method=request.method, sent=sent, limit=limit)
        if answer is None and request.kind == "sitemap":
            answer = self._archive.listing(url)
        if answer is None:
            raise NotStored("is none of the stored pages")
        if answer.status in REDIRECTS and answer.header("location"):
            return answer, b""
        if not (200 <= answer.status < 300 or answer.status in self._statuses):
            # As much as there is of it; a status says enough.
            with suppress(BodyError, BodyTooLarge, ConnectError):
                return answer, decoded(answer, limit=limit)[:_ERROR_BYTES]
            return answer, b""
        if not answer.is_whole:
            raise NotStored(f"was answered {answer.status}, of which not all is stored")
        if request.kind == "media" and answer.status == 206:
            raise NotStored("a part of the file is stored, and not more")
        content_type = answer.header("content-type")
        if request.kind == "page" and not self._accept.admits(content_type):
            raise UnwantedType(f"unwanted type {content_type!r:.100}")
        return answer, decoded(answer, limit=limit)


def _of_file(request: Request, media: Media) -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": media.type}))
    response = Response(request.url, request=request, headers=headers)
    response.media = media
    return response


def decoded(answer: Answer, *, limit: int) -> bytes:
    """Return a body without its content codings, `limit` bytes at most.

    Where it never had them it is returned as it is: archives are made of what a browser had read,
    too, with headers from before that. Raises `BodyError`, `BodyTooLarge`, and `ConnectError` for
    one that is cut off.
    """
    codings = [value for name, value in answer.headers if name.lower() == "content-encoding"]
    if not codings or not answer.body:
        return answer.body
    pieces: list[bytes] = []
    try:
        decoder = Decoder(codings, limit=limit)
        pieces.extend(decoder.feed(answer.body))
        decoder.finish()
    except BodyError:
        if any(pieces):
            raise
        return answer.body
    return b"".join(pieces)
