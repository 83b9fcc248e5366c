"""Large documents are parsed off the loop."""

import threading
from typing import Any

import pytest

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
        (100_100, 2, 1, "parse_0"),
        (999_000, 1, 1, "MainThread"),
        (999_000, 2, 2, "MainThread"),
        (1_000_100, 1, 1, "parse_0"),
    ],
)
async def test_where_a_page_is_parsed(size: int, cores: int, processes: int, thread: str) -> None:
    page = Page(REQUEST.url, request=REQUEST, body=b"<p>".ljust(size))

    async def fetch(request: Request) -> Response:
        return page

    layer = ParseLayer(fetch, note=lambda _: UNHEARD, cores=cores, processes=processes)
    async with layer:
        assert await layer(REQUEST) is page
    page.css("p")
    assert page.parser == thread
