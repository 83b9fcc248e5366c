"""A shop of about 1,000 pages."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self

from aiohttp import web
from msgspec import Struct

from crawler.demo.goods import UNLINKED, WARES
from crawler.demo.pages import FORBIDDEN, WITHDRAWN, Answer, answers, missing


class Facts(Struct, frozen=True):
    """What a whole, polite crawl of the shop finds.

    `pages` are HTML pages, `products` those of them that sell something, `redirects` URLs that lead
    on, `dead` links to nowhere, `unwanted` files of other types.
    """

    products: int
    pages: int
    redirects: int
    dead: int
    unwanted: int


class Shop:
    """Serves the shop on a free loopback port; `log` is every path it was asked for, in order.

    `url` ends in a slash. What it sells stands in `goods`, what it answers in `pages`.
    """

    def __init__(self) -> None:
        self.url = ""
        self.log: list[str] = []
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        # asyncio's own way to a socket passes over "too many open files", and serves nowhere.
        listener = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(self._runner, listener).start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @classmethod
    @contextmanager
    def in_thread(cls) -> "Iterator[Shop]":
        """Serve from a thread of its own until the block ends. Raises what keeps it from that."""
        shop, ready, over = cls(), threading.Event(), asyncio.Event()
        loop = asyncio.new_event_loop()

        async def serve() -> None:
            async with shop:
                ready.set()
                await over.wait()

        def run() -> None:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(serve())

        with ThreadPoolExecutor(1, "demo shop") as threads:
            serving = threads.submit(run)
            serving.add_done_callback(lambda _: ready.set())
            try:
                ready.wait()
                if serving.done():  # it never came to serve; this says why
                    serving.result()
                yield shop
            finally:
                if not serving.done():
                    loop.call_soon_threadsafe(over.set)

    @property
    def expected(self) -> Facts:
        """The facts a test can hold against a crawl, counted from what the shop answers."""
        open_to_all = [answer for path, answer in answers().items() if path not in FORBIDDEN]
        return Facts(
            products=len(WARES),
            pages=sum(answer.is_page for answer in open_to_all),
            redirects=sum(bool(answer.location) for answer in open_to_all),
            dead=len(WITHDRAWN),
            unwanted=sum(a.status == 200 and not a.is_page for a in open_to_all),
        )

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path
        answer = self._answer(path)
        too_busy = answer.busy and path not in self.log
        self.log.append(path)
        await asyncio.sleep(answer.rest)
        if too_busy:
            return web.Response(status=503, headers={"Retry-After": "1"}, text="counting")
        headers = {"Content-Type": answer.content_type}
        if answer.location:
            headers["Location"] = answer.location
        return web.Response(body=answer.body, status=answer.status, headers=headers)

    def _answer(self, path: str) -> Answer:
        if path == "/robots.txt":
            rules = "".join(f"Disallow: {forbidden}\n" for forbidden in FORBIDDEN)
            text = f"User-agent: *\n{rules}Sitemap: {self.url}sitemap.xml\n"
            return Answer(text.encode(), content_type="text/plain")
        if path == "/sitemap.xml":
            return Answer(self._sitemap().encode(), content_type="application/xml")
        if path.startswith(FORBIDDEN):
            path = path.partition("?")[0]
        return answers().get(path) or missing(path)

    def _sitemap(self) -> str:
        paths = ["/", *(ware.path for ware in UNLINKED)]
        entries = "".join(f"<url><loc>{self.url}{path[1:]}</loc></url>\n" for path in paths)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
        )
