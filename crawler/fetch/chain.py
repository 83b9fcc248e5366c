"""The layers of a fetch, in their order."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp.abc import AbstractResolver

from crawler.archive.archive import Archive
from crawler.fetch.http import HttpFetch
from crawler.fetch.jars import CookieLayer, Jars
from crawler.fetch.parsing import ParseLayer
from crawler.fetch.redirects import RedirectLayer
from crawler.fetch.robots import RobotsLayer
from crawler.fetch.room import Room
from crawler.fetch.stored import StoredFetch
from crawler.protocols import Fetch, MediaStore, Note
from crawler.request import Request
from crawler.rules.book import RobotsBook
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings


@asynccontextmanager
async def open_fetch(
    settings: Settings,
    *,
    guard: Guard,
    credentials: Credentials,
    book: RobotsBook,
    jars: Jars,
    sent: Callable[[Request], None],
    note: Callable[[Request], Note],
    layers: Sequence[Callable[[Fetch], Fetch]] = (),
    media: MediaStore | None = None,
    processes: int = 1,
    resolver: AbstractResolver | None = None,
    archive: Archive | None = None,
    tapes: bool = False,
) -> AsyncIterator[Fetch]:
    """Open parse(redirects(robots(cookies(layers(http))))); the first of `layers` is the outermost.

    `sent(request)` is called whenever a request goes out; `note(request)` says when its answer is
    parsed. Files go to `media`. `processes` share the cores. `resolver` is the system's if none is
    given. If it `tapes`, responses have their `exchanges`. With an `archive` that answers, in place
    of layers, cookies and network. Raises `SettingError`, and `RunError` for an archive that cannot
    be read.
    """
    room = Room(settings.memory_bytes)
    async with AsyncExitStack() as stack:
        if archive is not None:
            # What a layer of the spider's made of a page is what was stored.
            stored = StoredFetch(settings, archive=archive, room=room, media=media)
            fetch: Fetch = await stack.enter_async_context(stored)
        else:
            http = HttpFetch(
                settings,
                sent=sent,
                room=room,
                guard=guard,
                credentials=credentials,
                media=media,
                resolver=resolver,
                tapes=tapes,
            )
            fetch = await stack.enter_async_context(http)
            for layer in reversed(layers):
                fetch = layer(fetch)
            fetch = CookieLayer(fetch, jars=jars)
        if settings.obey_robots:
            fetch = RobotsLayer(fetch, book=book)
        fetch = RedirectLayer(
            fetch,
            max_redirects=settings.max_redirects,
            statuses=settings.statuses,
            secret=credentials.secret,
            url_bytes=settings.url_bytes,
        )
        yield ParseLayer(fetch, note=note, processes=processes)
