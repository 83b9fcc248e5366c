"""Pages like those of a documentation site, generated or installed."""

from itertools import count
from pathlib import Path

import pytest

from crawler.request import Request
from crawler.response import Response

# Debian package: one of its pages.
INSTALLED = {
    "python3-doc": Path("/usr/share/doc/python3/html/library/asyncio-task.html"),
    "postgresql-doc-15": Path("/usr/share/doc/postgresql-doc-15/html/sql-select.html"),
}
_HREFS = (
    "topic-{n}.html",
    "topic-{n}.html#part-{n}",
    "#part-{n}",
    "../reference/topic-{n}.html",
    "/guide/tutorial/topic-{n}.html",
    "https://www.example.org/topics/{n}?from=guide",
)
_PARAGRAPH = (
    '<section id="part-{n}"><h2>Part {n}</h2><p class="first">Words <em>of</em> a paragraph, &amp; '
    '<a class="reference internal" href="{href}" title="Topic"><code>topic_{n}</code></a>.</p>'
    "<pre><span>def</span> <span>part_{n}</span>(): {filling}</pre></section>\n"
)
_BYTES_A_LINK = 450  # between those of python3-doc (310) and of postgresql-doc-15 (600)
_numbers = count()


def generated(links: int) -> bytes:
    """Return a page with so many anchors, no two hrefs alike."""
    parts = ["<!DOCTYPE html><html><head><meta charset=utf-8><title>A page</title></head><body>\n"]
    for n in range(links):
        href = _HREFS[n % len(_HREFS)].format(n=n)
        text = _PARAGRAPH.format(n=n, href=href, filling="")
        filling = "pass; " * ((_BYTES_A_LINK - len(text)) // 6)
        parts.append(_PARAGRAPH.format(n=n, href=href, filling=filling))
    return "".join([*parts, "</body></html>\n"]).encode()


def body_of(name: str) -> bytes:
    """Return a page by name: `300 links`, or a package, whose absence skips the test."""
    if name not in INSTALLED:
        return generated(int(name.split()[0]))
    if not INSTALLED[name].exists():
        pytest.skip(f"{name} is not installed")
    return INSTALLED[name].read_bytes()


def answer(body: bytes) -> Response:
    """Return the page as it came from a URL that no answer came from before."""
    url = f"https://docs.example.org/guide/library/page-{next(_numbers)}.html"
    return Response(url, request=Request(url), body=body)
