"""A whole crawl on the virtual loop: the real engine, a fetch written by the test, no files."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from crawler.callbacks import Callbacks
from crawler.engine import Engine
from crawler.export.pages import NoPages
from crawler.frontier.memory import MemoryFrontier
from crawler.lookups import LookUp
from crawler.outcome import Position, Totals
from crawler.pipeline import Pipeline
from crawler.request import Request
from crawler.response import Response
from crawler.rules.book import RobotsBook
from crawler.rules.gate import Gate
from crawler.rules.scope import Scope
from crawler.settings import Settings
from crawler.spider import Spider
from crawler.stats import Stats
from crawler.turns import Turns
from crawler.urls import KeyRules
from tests.virtual import run

Answer = Callable[[Request], Awaitable[Response]]


class Kept:
    """A spool in a list."""

    def __init__(self) -> None:
        self.lines: dict[str, list[bytes]] = {"items": [], "pages": [], "media": [], "failures": []}

    async def append(self, lines: Mapping[str, Sequence[bytes]]) -> Position:
        for name, some in lines.items():
            self.lines[name] += some
        return {name: len(some) for name, some in self.lines.items()}

    async def committed(self, position: Position, items: Sequence[object]) -> None:
        return None

    async def aclose(self) -> None:
        return None


class Crawl:
    """What a harnessed crawl left: `sent` is (time, host, url) of every request on the wire."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, str, str]] = []
        self.in_flight: dict[str, int] = {}
        self.most_in_flight: dict[str, int] = {}
        self.spool = Kept()
        self.stats = Stats("test")
        self.totals = Totals()
        self.reason = ""
        self.seconds = 0.0
        self.queued = 0

    def urls(self) -> list[str]:
        return [url for _, _, url in self.sent]


def html(request: Request, body: str = "", *, status: int = 200, **headers: str) -> Response:
    fields = CIMultiDict({"Content-Type": "text/html", **headers})
    return Response(
        request.url,
        request=request,
        status=status,
        body=body.encode(),
        headers=CIMultiDictProxy(fields),
    )


def crawl(
    spider: Spider[Any],
    answer: Answer,
    *,
    latency: float = 0.1,
    during: Callable[[Engine], Awaitable[None]] | None = None,
    on_wire: bool = True,
    frontier: type[MemoryFrontier] = MemoryFrontier,
    look_up: LookUp | None = None,
    **settings: Any,
) -> Crawl:
    """Run `spider` to its end; `answer` is asked after `latency` seconds of virtual time.

    Without `on_wire` no request gets as far as that: connections fail.
    """
    return run(_crawl(spider, answer, latency, during, on_wire, frontier, look_up, settings))


async def crawl_here(spider: Spider[Any], fetch: Answer, **settings: Any) -> Crawl:
    """Run `spider` to its end on the loop that runs, with a fetch that opens real sockets."""
    return await _crawl(spider, fetch, 0.0, None, True, MemoryFrontier, None, settings)


async def _crawl(
    spider: Spider[Any],
    answer: Answer,
    latency: float,
    during: Callable[[Engine], Awaitable[None]] | None,
    on_wire: bool,
    kind: type[MemoryFrontier],
    look_up: LookUp | None,
    given: dict[str, Any],
) -> Crawl:
    left = Crawl()
    settings = Settings(**{"obey_robots": False, "retries": 0, **given})
    clock = asyncio.get_running_loop().time
    turns = Turns(
        settings,
        clock=clock,
        book=RobotsBook("test"),
        slowed=left.stats.slow,
        parked=left.stats.park,
        look_up=look_up,
    )

    async def fetch(request: Request) -> Response:
        host = request.host
        if on_wire:
            turns.sent(request)
        left.sent.append((clock(), host, request.url))
        left.in_flight[host] = left.in_flight.get(host, 0) + 1
        left.most_in_flight[host] = max(left.most_in_flight.get(host, 0), left.in_flight[host])
        try:
            await asyncio.sleep(latency)
            return await answer(request)
        finally:
            left.in_flight[host] -= 1

    scope = Scope(
        domains=spider.allowed_domains,
        max_depth=settings.max_depth,
        url_bytes=settings.url_bytes,
    )
    callbacks = Callbacks(spider, scope=scope, settings=settings)
    frontier = kind(
        clock=clock,
        batch=lambda notes: turns.pace(notes).batch,
        ask_notes=settings.obey_robots,
        host_pages=settings.host_pages,
        shape_pages=settings.shape_pages,
        gate=Gate(settings.traps, year=2026),
        max_pages=settings.max_pages,
        rules=KeyRules(settings.ignore_query_order, settings.ignore_params),
    )
    engine = Engine(
        settings,
        frontier=frontier,
        fetch=fetch,
        turns=turns,
        callbacks=callbacks,
        pipeline=Pipeline(
            steps=spider.steps,
            kinds=callbacks.kinds,
            spool=left.spool,
            store=NoPages(),
            timeout=settings.callback_timeout,
        ),
        stats=left.stats,
        clock=clock,
        listeners=spider.listeners,
    )
    began = clock()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(engine.run())
        if during is not None:
            await during(engine)
        await task
    left.reason, left.seconds = engine.reason, clock() - began
    left.totals, counts = await frontier.totals(), await frontier.counts()
    left.queued = counts.queued + counts.delayed + counts.leased
    return left
