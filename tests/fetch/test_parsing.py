"""Large documents are parsed off the loop."""

import asyncio
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
        (999_000, 1, 1, "MainThread"),
        (999_000, 2, 2, "MainThread"),
        (1_000_100, 1, 1, "parse"),
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
    let_go.set()
    for knot in knots[:4]:
        assert await asyncio.to_thread(knot.ended.wait, 10)
        assert knot.css("a") == []
    await asyncio.sleep(0)
    pages.append(Response(REQUEST.url, request=REQUEST, body=b"<a href=x>".ljust(200_000)))
    assert (await layer(REQUEST)).follow_all()


# A hundred elements that are open, and that each of 80,000 paragraphs repeats.
BOMB = """
import asyncio, resource
from crawler.fetch.parsing import ParseLayer
from crawler.frontier.alone import UNHEARD
from crawler.request import Request
from crawler.response import Response

body = b"<p>lorem ipsum dolor</p>" * 3_000
body += b"<p>" + b"".join(b"<b a%%d>" %% number for number in range(100)) + b"</p>"
body += b"<p>x</p>" * 80_000
request = Request("http://a.b/")
page = Response(request.url, request=request, body=body)

async def main(cores):
    async def fetch(request):
        return page
    await ParseLayer(fetch, note=lambda _: UNHEARD, cores=cores)(request)
    assert page.css("p") == [] and page.is_html is False

before = resource.getrlimit(resource.RLIMIT_AS)
asyncio.run(main(%d))
assert resource.getrlimit(resource.RLIMIT_AS) == before
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no size is told")
@pytest.mark.parametrize(("cores", "most_bytes"), [(1, 2_300_000_000), (2, 1_000_000_000)])
async def test_a_bomb_that_nobody_saw_is_refused_memory(cores: int, most_bytes: int) -> None:
    python = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOMB % cores, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await python.communicate()
    assert python.returncode == 0
    assert int(out) * 1024 < most_bytes  # it takes 2.7 GB otherwise
