"""A shop of about 1,000 pages."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Self

from aiohttp import web
from msgspec import Struct

_WORDS = ("amber", "birch", "copper", "dusk", "ember", "fjord", "grain", "hazel", "iris", "jade")
_THINGS = ("bowl", "chair", "clock", "jug", "lamp", "mirror", "rug", "shelf", "stool", "table")
_CATEGORIES = 20
_PRODUCTS = 850
_ON_A_PAGE = 12
_HIDDEN = 10
_MOVED = 25
_DEAD = 8
_STYLE = "body{font:16px sans-serif;max-width:50em;margin:2em auto}.price{font-weight:bold}"


class Thing(Struct, frozen=True):
    """One product: its number decides everything about it."""

    number: int

    @property
    def name(self) -> str:
        """Its name; the numbers make it unique."""
        word = _WORDS[self.number % 10].capitalize()
        return f"{word} {_THINGS[self.number // 10 % 10]} № {self.number}"

    @property
    def price(self) -> float:
        """Its price in euros."""
        return 5 + self.number * 37 % 900 / 10

    @property
    def category(self) -> int:
        """The number of its category."""
        return self.number % _CATEGORIES

    @property
    def path(self) -> str:
        """Its page."""
        return f"/product/{self.number}-{_THINGS[self.number // 10 % 10]}"


THINGS = tuple(Thing(number) for number in range(_PRODUCTS))
HIDDEN = THINGS[-_HIDDEN:]
"""Products that no page links to: only the sitemap names them."""


class Shop:
    """Serves the shop on a free loopback port; `log` is every path it was asked for, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.log: list[str] = []
        self._shaky = 0
        self._runner = web.AppRunner(self._app(), access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @classmethod
    @contextmanager
    def in_thread(cls) -> "Iterator[Shop]":
        """Serve from a thread of its own until the block ends."""
        shop, ready, over = cls(), threading.Event(), asyncio.Event()
        loop = asyncio.new_event_loop()

        async def serve() -> None:
            async with shop:
                ready.set()
                await over.wait()

        def run() -> None:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(serve())

        thread = threading.Thread(target=run, name="demo shop", daemon=True)
        thread.start()
        ready.wait()
        try:
            yield shop
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._remember])
        app.router.add_get("/", self._front)
        app.router.add_get("/category/{number}", self._category)
        app.router.add_get("/product/{number}-{thing}", self._product)
        app.router.add_get("/old/{number}", self._old)
        app.router.add_get("/older/{number}", self._older)
        app.router.add_get("/slow", self._slow)
        app.router.add_get("/shaky", self._shaky_page)
        app.router.add_get("/cart", self._cart)
        app.router.add_get("/style.css", self._css)
        app.router.add_get("/robots.txt", self._robots)
        app.router.add_get("/sitemap.xml", self._sitemap)
        return app

    @web.middleware
    async def _remember(self, request: web.Request, handler: object) -> web.StreamResponse:
        self.log.append(request.path_qs)
        response: web.StreamResponse = await handler(request)  # type: ignore[operator]  # aiohttp's own signature is as loose
        return response

    async def _front(self, request: web.Request) -> web.Response:
        links = [f"/category/{number}" for number in range(_CATEGORIES)]
        links += [f"/old/{number}" for number in range(_MOVED)]
        links += [f"/gone/{number}" for number in range(_DEAD)]
        return _page("The shop", [*links, "/slow", "/shaky", "/cart", "/style.css"])

    async def _category(self, request: web.Request) -> web.Response:
        number, page = int(request.match_info["number"]), int(request.query.get("page", "1"))
        shown = [t for t in THINGS if t.category == number and t not in HIDDEN]
        begin = (page - 1) * _ON_A_PAGE
        body = "".join(_teaser(thing) for thing in shown[begin : begin + _ON_A_PAGE])
        if begin + _ON_A_PAGE < len(shown):
            body += f'<p class="next"><a href="?page={page + 1}">more</a></p>'
        return _page(f"Category {number}, page {page}", ["/"], body)

    async def _product(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if number >= _PRODUCTS or THINGS[number].path != request.path:
            raise web.HTTPNotFound
        thing = THINGS[number]
        body = (
            f'<p class="price">{thing.price:.2f} €</p>'
            f'<p class="stock">{number % 7} in stock</p>'
            f'<p><a rel="nofollow" href="/cart?add={number}">add to cart</a></p>'
        )
        return _page(thing.name, ["/", f"/category/{thing.category}"], body)

    async def _old(self, request: web.Request) -> web.Response:
        raise web.HTTPMovedPermanently(f"/older/{request.match_info['number']}")

    async def _older(self, request: web.Request) -> web.Response:
        raise web.HTTPFound(THINGS[int(request.match_info["number"])].path)

    async def _slow(self, request: web.Request) -> web.Response:
        await asyncio.sleep(1.0)
        return _page("At last", ["/"])

    async def _shaky_page(self, request: web.Request) -> web.Response:
        self._shaky += 1
        if self._shaky == 1:
            return web.Response(status=503, headers={"Retry-After": "1"}, text="busy")
        return _page("Now it works", ["/"])

    async def _cart(self, request: web.Request) -> web.Response:
        return _page("Your cart", ["/"])

    async def _css(self, request: web.Request) -> web.Response:
        return web.Response(text=_STYLE, content_type="text/css")

    async def _robots(self, request: web.Request) -> web.Response:
        return web.Response(
            text=f"User-agent: *\nDisallow: /cart\nSitemap: {self.url}sitemap.xml\n"
        )

    async def _sitemap(self, request: web.Request) -> web.Response:
        urls = "".join(f"<url><loc>{self.url}{thing.path[1:]}</loc></url>" for thing in HIDDEN)
        text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
        return web.Response(text=text, content_type="application/xml")


def _page(title: str, links: list[str], body: str = "") -> web.Response:
    anchors = " · ".join(f'<a href="{link}">{link}</a>' for link in links)
    return web.Response(
        text=f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}<nav>{anchors}</nav>",
        content_type="text/html",
        charset="utf-8",
    )


def _teaser(thing: Thing) -> str:
    return (
        f'<div class="product"><a href="{thing.path}">{escape(thing.name)}</a> '
        f"{thing.price:.2f} €</div>"
    )
