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
    ("size", "cores", "thread"),
    [
        (100_000, 2, "MainThread"),
        (100_100, 2, "parse_0"),
        (999_000, 1, "MainThread"),
        (1_000_100, 1, "parse_0"),
    ],
)
async def test_where_a_page_is_parsed(size: int, cores: int, thread: str) -> None:
    page = Page(REQUEST.url, request=REQUEST, body=b"<p>".ljust(size))

    async def fetch(request: Request) -> Response:
        return page

    async with ParseLayer(fetch, note=lambda request: UNHEARD, cores=cores) as layer:
        assert await layer(REQUEST) is page
    page.css("p")
    assert page.parser == thread
