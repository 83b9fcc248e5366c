"""One request over the network, through aiohttp."""

import io
import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict, CIMultiDictProxy

from crawler import urls
from crawler.errors import (
    AddressRefused,
    BodyError,
    BodyTooLarge,
    ConnectError,
    FetchError,
    ProxyError,
    TimedOut,
    UnwantedType,
)
from crawler.exchange import Exchange
from crawler.fetch.deadlines import Deadlines
from crawler.fetch.decoding import Decoder
from crawler.fetch.dns import Resolver, Telling
from crawler.fetch.failures import FOREIGN, mapped
from crawler.fetch.headers import Outgoing
from crawler.fetch.proxies import Proxies
from crawler.fetch.pulse import Pulse
from crawler.fetch.room import Room
from crawler.fetch.session import open_session
from crawler.fetch.trip import Trip, trip
from crawler.parse.directives import page_rules
from crawler.request import Request
from crawler.response import Response
from crawler.rules.accept import Accept
from crawler.rules.book import MOST_BYTES as ROBOTS_BYTES
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.rules.hops import REDIRECTS
from crawler.settings import Settings

# What is kept of an answer that is not delivered, for `on_error` to look at.
_ERROR_BYTES = 64_000
# A redirect's body is read so far only to keep its connection; servers write a line or two.
_REDIRECT_BYTES = 4_096
_CUT = (BodyTooLarge, BodyError)
# A status says enough, whatever becomes of the body behind it.
_BROKEN_OFF = (ConnectError, TimedOut, aiohttp.ClientPayloadError, aiohttp.SocketTimeoutError)
_LARGE_UPLOAD = 1_000_000


class HttpFetch:
    """A `Fetch` over one aiohttp session; an async context manager.

    Returns a response for every status, decoded by us. `sent(request)` is called when its
    headers go out, once for each time they do. Bodies are counted in `room` until the response is
    released. A body that is not delivered is cut at 64 KB. No connection is made but with the
    guard's leave. `resolver` is the system's if none is given; `clock` measures how fast a body
    comes. If it `tapes`, responses have their `exchanges`. Raises `FetchError` only.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sent: Callable[[Request], None],
        room: Room,
        guard: Guard,
        credentials: Credentials,
        resolver: AbstractResolver | None = None,
        clock: Callable[[], float] = time.monotonic,
        tapes: bool = False,
    ) -> None:
        self._settings = settings
        self._pulse = partial(Pulse, settings.min_rate_bytes, clock=clock)
        self._sent = sent
        self._room = room
        self._tapes = tapes
        # What nobody may see who is handed an archive; the host is in the URL.
        self._struck = credentials.secret - {"host"}
        self._accept = Accept(settings.accept)
        self._statuses = frozenset(settings.statuses)
        self._proxies = Proxies(settings)
        self._outgoing = Outgoing(settings, credentials)
        self._rules = page_rules(settings)
        self._deadlines: Deadlines | None = None
        self._guard = guard
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._deadlines = Deadlines()
        self._resolver = Telling(self._resolver or Resolver(), self._guard.resolved)
        self._session = open_session(
            self._settings,
            headers=self._outgoing.everybodys,
            resolver=self._resolver,
            tapes=self._tapes,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._deadlines is not None:
            self._deadlines.close()
        if self._session is not None and self._resolver is not None:
            await self._session.close()
            await self._resolver.close()

    async def __call__(self, request: Request) -> Response:
        """Ask once, without following redirects."""
        if self._session is None or self._deadlines is None:
            raise RuntimeError("HttpFetch is used inside `async with` only")
        if not request.url.startswith(urls.SCHEMES):
            raise AddressRefused("only http and https leave", url=request.url)
        hold = self._room.hold()
        own: Trip | None = None
        response: Response | None = None
        try:
            with self._deadlines.after(request.timeout or self._settings.timeout) as limit:
                own = Trip(request, hold=hold, limit=limit, sent=self._sent, guard=self._guard)
                trip.set(own)
                response = await self._ask(request, own, self._session)
        except FOREIGN as error:
            raise (own.judged(error) if own else mapped(error, url=request.url)) from error
        except FetchError as error:
            error.url = error.url or request.url
            raise
        finally:
            if response is None:
                hold.release()
        return response

    async def _ask(self, request: Request, own: Trip, session: aiohttp.ClientSession) -> Response:
        proxy = self._proxies.proxy_of(own.url)
        if proxy is not None:
            own.leave_to_proxy()
        answer = await session.request(
            request.method,
            own.url,
            data=_upload(request.body),
            headers=self._outgoing.of(
                request, tunnelled=proxy is None or own.url.scheme == "https"
            ),
            proxy=proxy,
            allow_redirects=False,
        )
        try:
            if proxy is not None and answer.status == 407:
                raise ProxyError("the proxy refused: 407 Proxy Authentication Required")
            body = await self._body(request, answer, own)
        finally:
            if not answer.closed:
                answer.release()
            if request.body is not None:  # it may be on its way yet
                await answer.wait_for_close()
        exchanges: tuple[Exchange, ...] = ()
        if own.tape is not None:
            await own.make_room(own.tape.head_size)
            exchanges = (own.exchange(body, status=answer.status, secret=self._struck),)
        return Response(
            request.url,
            request=request,
            status=answer.status,
            headers=_readable(answer),
            body=body,
            seconds=own.seconds(),
            parsed=len(body) <= self._settings.html_bytes,
            rules=self._rules,
            release=own.hold.release,
            exchanges=exchanges,
        )

    async def _body(self, request: Request, answer: aiohttp.ClientResponse, own: Trip) -> bytes:
        """Return the body; aiohttp closes the connection of one that is not read to its end."""
        delivered = 200 <= answer.status < 300 or answer.status in self._statuses
        if not delivered:
            return await self._unwanted(answer, own)
        if request.kind == "robots":
            return await self._read(answer, own, limit=ROBOTS_BYTES, forgives=_CUT)
        content_type = answer.headers.get("Content-Type")
        if request.kind == "page" and not self._accept.admits(content_type):
            raise UnwantedType(f"unwanted type {content_type!r:.100}")
        limit = self._settings.body_bytes
        if (answer.content_length or 0) > limit and _counts_promise(request, answer):
            raise BodyTooLarge(f"more than {limit:,} bytes")
        return await self._read(answer, own, limit=limit)

    async def _unwanted(self, answer: aiohttp.ClientResponse, own: Trip) -> bytes:
        """Return the first part of an error's body; that of a redirect is not even decoded."""
        forgives = (*_CUT, *_BROKEN_OFF)
        if answer.status not in REDIRECTS or "Location" not in answer.headers:
            return await self._read(answer, own, limit=_ERROR_BYTES, forgives=forgives)
        body = await self._read(
            answer, own, limit=_REDIRECT_BYTES, forgives=forgives, decodes=False
        )
        if "Content-Encoding" not in answer.headers:
            return body
        if own.tape is not None:
            own.tape.coded = bytearray(body)
        return b""

    async def _read(
        self,
        answer: aiohttp.ClientResponse,
        own: Trip,
        *,
        limit: int,
        forgives: tuple[type[Exception], ...] = (),
        decodes: bool = True,
    ) -> bytes:
        """Return the decoded body, or what came of it before one of the errors it `forgives`."""
        content = answer.content
        body = io.BytesIO()  # its value is taken without a copy
        try:
            chunk = await content.readany()
            codings = answer.headers.getall("Content-Encoding", ()) if decodes else ()
            if not codings and content.at_eof() and len(chunk) <= limit:  # most often
                if chunk and not own.hold.try_grow(len(chunk)):
                    await own.make_room(len(chunk))
                return chunk
            decoder = Decoder(codings, limit=limit)
            pulse = self._pulse()
            while chunk:
                pulse.beat(len(chunk))
                if codings and own.tape is not None and await own.keep_coded(chunk):
                    pulse.restart()
                for piece in decoder.feed(chunk):
                    if await own.make_room(len(piece)):
                        pulse.restart()
                    body.write(piece)
                chunk = await content.readany()
            decoder.finish()
        except forgives as error:  # what came is kept
            if own.tape is not None:
                own.tape.truncated = _why_cut(error)
        return body.getvalue()


def _why_cut(error: Exception) -> str:
    """Return WARC's word for what ended a body early."""
    if isinstance(error, BodyTooLarge):
        return "length"
    if isinstance(error, (TimedOut, aiohttp.SocketTimeoutError)):
        return "time"
    return "unspecified" if isinstance(error, BodyError) else "disconnect"


def _counts_promise(request: Request, answer: aiohttp.ClientResponse) -> bool:
    """True if the body's size is what its header says: a body comes, and comes as it is."""
    return request.method != "HEAD" and "Content-Encoding" not in answer.headers


def _readable(answer: aiohttp.ClientResponse) -> CIMultiDictProxy[str]:
    """Return the headers as text that can be encoded; aiohttp keeps odd bytes as surrogates."""
    if b"".join(chain.from_iterable(answer.raw_headers)).isascii():
        return answer.headers
    pairs = ((name.decode("latin-1"), _text(value)) for name, value in answer.raw_headers)
    return CIMultiDictProxy(CIMultiDict(pairs))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")  # RFC 9110 5.5: what header fields once were


def _upload(body: bytes | None) -> bytes | io.BytesIO | None:
    # aiohttp sends bytes in one go, and warns of it, but a file piece by piece.
    return io.BytesIO(body) if body is not None and len(body) > _LARGE_UPLOAD else body
