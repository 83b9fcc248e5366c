"""Sitemaps and feeds with entities, bombs and circles."""

import gzip

from tests.mockserver.codings import GZIP_HEAD, gzip_piece
from tests.mockserver.table import DELIVERED, Expected, Theme, skipped
from tests.mockserver.wire import OK, Wire

theme = Theme("feeds")
"""Each is asked for as a sitemap, and as a page."""

LAUGHS = b"<!DOCTYPE x [<!ENTITY a0 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (n + 1, b"&a%d;" % n * 10) for n in range(9)
)
XML = "application/xml"


def _feed(path: str, body: bytes, mime: str = XML, expected: Expected = DELIVERED) -> None:
    async def answer(wire: Wire) -> None:
        await wire.answer(body, mime=mime)

    theme.add(path, expected, answer)


_feed("billion-laughs", LAUGHS + b"]><urlset><url><loc>&a9;</loc></url></urlset>")
_feed(
    "external-entity",
    b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
    b"<urlset><url><loc>http://127.0.0.1/&e;</loc></url></urlset>",
)
_feed("broken-xml", b"<urlset><url><loc>http://[</loc></url><url>" * 100)
_feed("deep-xml", b"<a>" * 100_000)
_feed(
    "gzip-of-gzip",
    gzip.compress(gzip.compress(b"<urlset/>")),
    "application/gzip",
    skipped("unwanted_type"),
)

SITEMAPS = (
    *("billion-laughs", "external-entity", "broken-xml", "deep-xml", "gzip-of-gzip"),
    *("index-of-itself", "packed-bomb"),
)


@theme("index-of-itself", DELIVERED)
async def index(wire: Wire) -> None:
    me = f"http://{theme.host}:{wire.port}{wire.path}"
    entries = f"<sitemap><loc>{me}</loc></sitemap><sitemap><loc>{me}?{wire.hits}</loc></sitemap>"
    await wire.answer(f"<sitemapindex>{entries}</sitemapindex>".encode(), mime=XML)


@theme("packed-bomb")
async def bomb(wire: Wire) -> None:
    """A .gz of ten gigabytes, as a file: without Content-Encoding."""
    await wire.send(OK + b"Content-Type: application/gzip\r\n\r\n" + GZIP_HEAD)
    for _ in range(9_000):
        await wire.send(gzip_piece())
