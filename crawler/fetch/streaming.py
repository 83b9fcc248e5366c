"""Bodies go to files as they come, from where they broke off.

Source: RFC 9110, 13.1.5 (If-Range), 14 (ranges), 15.3.7 (206), 15.5.17 (416).
"""

import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.utils import parsedate_to_datetime

import aiohttp
from msgspec import UNSET
from multidict import CIMultiDict

from crawler.errors import (
    BodyError,
    BodyTooLarge,
    ConnectError,
    FetchError,
    MediaError,
    ProtocolError,
    UnwantedType,
)
from crawler.fetch.decoding import Decoder
from crawler.fetch.pulse import Pulse
from crawler.fetch.trip import Trip
from crawler.media import Media, Wanted
from crawler.parse.magic import HEAD_BYTES, HTML, is_vague, promised, type_of, usual_name
from crawler.protocols import MediaPart, MediaStore
from crawler.request import Request
from crawler.settings import Settings

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)
_STRONG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_EMPTY = (204, 205)
_LONGEST_VALIDATOR = 1_000
# Such tries are not counted as failed: a large file may need any number of them. Fewer bytes would
# let a server have us ask without end.
_GOOD_WAY = 100_000
_HOPELESS = (UnwantedType, BodyTooLarge, BodyError)
"""What is not wanted: nothing of it is kept."""


class Streams:
    """Opens a `Stream` for each request for a file."""

    def __init__(
        self, settings: Settings, store: MediaStore, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator["Stream"]:
        """Open what an earlier try left of the file, if it did. Raises `TargetError`."""
        wanted = request.saving or Wanted()
        async with self._store.part(request.url, wanted) as part:
            stream = Stream(
                request.url,
                part,
                wanted=wanted,
                limit=most_bytes(wanted, self._settings),
                pulse=Pulse(self._settings.min_rate_bytes, clock=self._clock),
            )
            try:
                yield stream
            except FetchError as error:
                error.went_on = stream.went_on
                raise


class Stream:
    """One file on its way: what is asked for, and what is made of the answer."""

    def __init__(
        self, url: str, part: MediaPart, *, wanted: Wanted, limit: int, pulse: Pulse
    ) -> None:
        self._url = url
        self._part = part
        self._wanted = wanted
        self._limit = limit
        self._pulse = pulse
        self._asked = 0
        self._resumed = False

    @property
    def went_on(self) -> bool:
        """True if it went on where an earlier try had ended, and came a good way further."""
        return self._resumed and self._part.size >= self._asked + _GOOD_WAY

    def headers(self, given: CIMultiDict[str] | None) -> CIMultiDict[str]:
        """Return `given` with what asks for the file as it is, from where we have it on."""
        headers = CIMultiDict(given or ())
        headers["Accept-Encoding"] = "identity"  # the bytes of a range are those of the coding
        if self._part.validator and self._part.size:
            self._asked = self._part.size
            headers["Range"] = f"bytes={self._asked}-"
            headers["If-Range"] = self._part.validator
        return headers

    async def take(self, answer: aiohttp.ClientResponse, own: Trip) -> Media | None:
        """Write the body down, and return the file; None for a status that brings none.

        Raises `FetchError`, and `TargetError`.
        """
        if answer.status == 416 and self._asked:
            await self._part.discard()
            raise ProtocolError("416 to the range that was left; it is asked for from its start")
        if not brings_file(answer.status):
            return None
        own.leave_open()
        try:
            return await self._take(answer)
        except _HOPELESS:
            await self._part.discard()
            raise

    async def _take(self, answer: aiohttp.ClientResponse) -> Media:
        mime = usual_name(answer.headers.get("Content-Type", ""))
        if not is_vague(mime):
            check_type(mime, self._wanted, url=self._url)
        codings = answer.headers.getall("Content-Encoding", ())
        length = None if codings else answer.content_length
        if answer.status == 206:
            await self._resume(answer)
        size = self._asked if answer.status == 206 else 0
        if length is not None and size + length > self._limit:
            raise BodyTooLarge(f"more than {self._limit:,} bytes")
        if answer.status != 206:
            validator = "" if codings else validator_of(answer)
            await self._part.begin(validator=validator, total=length)
        await self._read(answer, mime, Decoder(codings, limit=self._limit - size))
        if (total := self._part.total) is not None and self._part.size != total:
            raise ConnectError(f"the body ended after {self._part.size:,} of {total:,} bytes")
        mime = type_of(mime, self._part.head, self._url)
        return await self._part.finish(self._wanted, url=self._url, mime=mime)

    async def _read(self, answer: aiohttp.ClientResponse, mime: str, decoder: Decoder) -> None:
        """Write the body down; a file of another type than it says is not read to its end."""
        self._pulse.restart()
        judged = False
        while chunk := await self._next(answer, decoder):
            self._pulse.beat(len(chunk))
            await self._write(chunk, decoder)
            if not judged and self._part.size >= HEAD_BYTES:
                judged = True
                check_type(type_of(mime, self._part.head, self._url), self._wanted, url=self._url)
        decoder.finish()
        check_type(type_of(mime, self._part.head, self._url), self._wanted, url=self._url)

    async def _next(self, answer: aiohttp.ClientResponse, decoder: Decoder) -> bytes:
        """Return what came next; what came before a connection broke is written down as well."""
        try:
            return await answer.content.readany()
        except aiohttp.ClientError:
            # readany() keeps it to itself then. Lost at each break, it might never get further.
            await self._write(answer.content._read_nowait(-1), decoder)
            raise

    async def _write(self, chunk: bytes, decoder: Decoder) -> None:
        for piece in decoder.feed(chunk):
            await self._part.write(piece)

    async def _resume(self, answer: aiohttp.ClientResponse) -> None:
        """See that what comes is the rest of what there is; else there is nothing any more."""
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        if found is None or not self._is_rest(answer, *found.groups()):
            await self._part.discard()
            got = answer.headers.get("Content-Range", "none")
            raise ProtocolError(f"206 with the range {got!r:.100} for bytes={self._asked}-")
        self._resumed = True

    def _is_rest(self, answer: aiohttp.ClientResponse, start: str, end: str, total: str) -> bool:
        """True if a range, as its header says it, is the rest of the file that we have."""
        if not self._asked or int(start) != self._asked or "Content-Encoding" in answer.headers:
            return False
        if answer.content_length not in (None, int(end) - int(start) + 1):
            return False
        if total != "*" and (int(end) + 1, self._part.total or int(total)) != (int(total),) * 2:
            return False
        ours = self._part.validator
        named = answer.headers.get("ETag" if ours.startswith('"') else "Last-Modified", "").strip()
        return named in ("", ours)


def brings_file(status: int) -> bool:
    """True for a status whose body is the file that was asked for."""
    return 200 <= status < 300 and status not in _EMPTY


def most_bytes(wanted: Wanted, settings: Settings) -> int:
    """Return how large a file may be."""
    limit = settings.media_bytes if wanted.limit is UNSET else wanted.limit
    return sys.maxsize if limit is None else limit


def check_type(mime: str, wanted: Wanted, *, url: str) -> None:
    """Raise `UnwantedType` for what was not asked for, or a page in the place of a file."""
    if not wanted.admits(mime):
        raise UnwantedType(f"expected {' or '.join(wanted.types)}, got {mime[:100]}")
    usual = promised(url)
    if mime == HTML and not wanted.types and usual not in (None, HTML):
        raise UnwantedType(f"expected {usual}, got {HTML}")


def validator_of(answer: aiohttp.ClientResponse) -> str:
    """Return what tells this very file from one that takes its place, "" if nothing does."""
    tag = answer.headers.get("ETag", "").strip()
    if tag:
        return tag if _STRONG.fullmatch(tag) and len(tag) <= _LONGEST_VALIDATOR else ""
    changed, now = answer.headers.get("Last-Modified", "").strip(), answer.headers.get("Date", "")
    try:
        # RFC 9110 8.8.2.2: in the second of a change there may be another.
        gap = parsedate_to_datetime(now) - parsedate_to_datetime(changed)
    except (OverflowError, TypeError, ValueError):
        return ""
    is_sendable = changed.isascii() and len(changed) <= _LONGEST_VALIDATOR
    return changed if is_sendable and gap.total_seconds() >= 1 else ""


class NoMedia:
    """Where a crawl without a folder has its files: nowhere."""

    def part(
        self,
        url: str,
        wanted: Wanted,  # noqa: ARG002  # as the seam has it
    ) -> AbstractAsyncContextManager[MediaPart]:
        """Raise `MediaError`."""
        raise MediaError(
            "files need the folder of a run: crawl(), or the command line, has one", url=url
        )
