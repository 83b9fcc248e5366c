"""Large documents are parsed off the loop."""

import asyncio
import resource
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.fetch.parsing import ParseLayer
from crawler.frontier.alone import UNHEARD
from crawler.request import Request
from crawler.response import Response

REQUEST = Request("http://a.b/")
STATM = Path("/proc/self/statm")


class Page(Response):
    """Knows which thread parsed it."""

    parser = ""

    @property
    def tree(self) -> Any:
        self.parser = self.parser or threading.current_thread().name
        return super().tree


@pytest.mark.parametrize(
    ("size", "cores", "processes", "thread"),
    [
        (100_000, 2, 1, "MainThread"),
        (100_100, 2, 1, "parse"),
        (300_000, 1, 1, "MainThread"),
        (300_000, 2, 2, "MainThread"),
        (300_100, 1, 1, "parse"),
    ],
)
async def test_where_a_page_is_parsed(size: int, cores: int, processes: int, thread: str) -> None:
    page = Page(REQUEST.url, request=REQUEST, body=b"<p>".ljust(size))

    async def fetch(request: Request) -> Response:
        return page

    layer = ParseLayer(fetch, note=lambda _: UNHEARD, cores=cores, processes=processes)
    assert await layer(REQUEST) is page
    page.css("p")
    assert page.parser == thread


@pytest.mark.parametrize(
    ("size", "kind", "thread"),
    [
        (1_000_100, "text/plain; charset=big5", "parse"),
        (1_000_100, "application/json; charset=gbk", "parse"),
        (1_000_100, "application/rss+xml", "parse"),
        (999_000, "text/plain; charset=big5", ""),
        (1_000_100, "application/octet-stream", ""),
    ],
)
async def test_where_a_huge_text_is_decoded(size: int, kind: str, thread: str) -> None:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": kind}))
    page = Page(REQUEST.url, request=REQUEST, headers=headers, body=b"\xa4\x40".ljust(size))

    async def fetch(request: Request) -> Response:
        return page

    assert await ParseLayer(fetch, note=lambda _: UNHEARD, cores=1)(REQUEST) is page
    assert page.parser == thread


class Knot(Response):
    """Its parser does not come to an end before it is let go."""

    def __init__(self, let_go: threading.Event) -> None:
        super().__init__(REQUEST.url, request=REQUEST, body=b"<a href=x>".ljust(200_000))
        self.let_go = let_go
        self.ended = threading.Event()

    @property
    def tree(self) -> Any:
        if threading.current_thread().name != "parse":
            return super().tree
        self.let_go.wait()
        tree = super().tree
        self.ended.set()
        return tree


async def test_what_takes_a_parser_too_long_goes_unparsed_and_holds_up_nobody() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    let_go = threading.Event()
    knots = [Knot(let_go) for _ in range(5)]
    good = Response(REQUEST.url, request=REQUEST, body=b"<a href=x>".ljust(200_000))
    pages: list[Response] = [knots[0], good, *knots[1:], good]

    async def fetch(request: Request) -> Response:
        return pages.pop(0)

    layer = ParseLayer(fetch, note=lambda _: UNHEARD, cores=2, longest=0.05)
    assert not (await layer(REQUEST)).is_html
    assert (await layer(REQUEST)).follow_all()
    for knot in knots[1:]:
        assert await layer(REQUEST) is knot
        assert not knot.is_html
        assert knot.css("a") == []
    assert not (await layer(REQUEST)).is_html  # four threads are stuck: that is enough
    assert resource.getrlimit(resource.RLIMIT_AS) != before or not STATM.exists()
    let_go.set()
    for knot in knots[:4]:
        assert await asyncio.to_thread(knot.ended.wait, 10)
        assert knot.css("a") == []
    for thread in threading.enumerate():
        if thread.name == "parse":
            await asyncio.to_thread(thread.join)
    await asyncio.sleep(0)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    pages.append(Response(REQUEST.url, request=REQUEST, body=b"<a href=x>".ljust(200_000)))
    assert (await layer(REQUEST)).follow_all()


# A hundred elements that are open, and that each of 80,000 paragraphs repeats.
HIDDEN = """b"<p>lorem ipsum dolor</p>" * 3_000
body += b"<p>" + b"".join(b"<b a%d>" % number for number in range(100)) + b"</p>"
body += b"<p>x</p>" * 80_000
"""
# One that has 3,500 attributes, in a page that is parsed on the loop.
SMALL = """b"<p><b " + b" ".join(b"a%d" % number for number in range(3_500)) + b"></p>"
body += b"<p>x</p>" * 9_000
"""
# The same, larger, behind what takes a second to parse and no memory.
SLOW_AND_LARGE = """b"<svg>" + b"<g>" * 900 + b"</x>a" * 150_000 + b"</svg>"
body += b"<p><b " + b" ".join(b"a%d" % number for number in range(3_500)) + b"></p>"
body += b"<p>x</p>" * 100_000
"""
PAGE = """
import asyncio, resource, threading
from crawler.ceiling import CEILING
from crawler.fetch.parsing import ParseLayer
from crawler.frontier.alone import UNHEARD
from crawler.request import Request
from crawler.response import Response

body = BODY
request = Request("http://a.b/")
page = Response(request.url, request=request, body=body)

async def fetch(request):
    return page

async def main():
    await ParseLayer(fetch, note=lambda _: UNHEARD, cores=2, longest=LONGEST)(request)
    assert page.css("p") == [] and page.is_html is False
    while any(thread.name == "parse" for thread in threading.enumerate()):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)

before = resource.getrlimit(resource.RLIMIT_AS)
"""
PARSED = """
asyncio.run(main())
assert resource.getrlimit(resource.RLIMIT_AS) == before
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
WITHOUT_THREAD = """
with CEILING.held(2_000_000):
    asyncio.run(main())
"""


async def run(script: str, *, body: str, longest: float = 10.0) -> tuple[str, str]:
    """Run a script in a process of its own; return what it says, and what it warns of."""
    python = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script.replace("BODY", body).replace("LONGEST", str(longest)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await python.communicate()
    assert python.returncode == 0, err
    return out.decode(), err.decode()


@pytest.mark.skipif(not STATM.exists(), reason="no size is told")
@pytest.mark.parametrize(
    ("body", "longest", "most_bytes"),
    [
        (HIDDEN, 10.0, 1_300_000_000),  # it takes 2.7 GB otherwise
        (SMALL, 10.0, 1_300_000_000),  # 3 GB
        (SLOW_AND_LARGE, 0.4, 1_500_000_000),  # 20 GB
    ],
)
async def test_a_bomb_that_nobody_saw_is_refused_memory(
    body: str, longest: float, most_bytes: int
) -> None:
    out, err = await run(PAGE + PARSED, body=body, longest=longest)
    assert int(out) * 1024 < most_bytes
    assert err == "not parsed, as it takes too much: http://a.b/\n"


@pytest.mark.skipif(not STATM.exists(), reason="no size is told")
async def test_a_page_for_which_no_thread_is_to_be_had_goes_unparsed() -> None:
    _, err = await run(PAGE + WITHOUT_THREAD, body='b"<p>".ljust(200_000)')
    assert err == "not parsed, as it takes too much: http://a.b/\n"
