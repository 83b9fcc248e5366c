"""Pages that only a redirect leads to are delivered, whatever keeps the known URLs."""

from pathlib import Path
from typing import Literal

import pytest
from aiohttp import web

from crawler import Out, Response, Spider, crawl
from tests.site import Site

HERE, THERE = "127.0.0.1", "127.0.0.2"


class Walker(Spider[dict[str, str]], delay=0, obey_robots=False, min_free_bytes=0):
    allowed_domains = (HERE, THERE)

    def __init__(self, start: str) -> None:
        self.start_urls = [start]
        self.seen: list[str] = []

    async def parse(self, page: Response) -> Out[dict[str, str]]:
        self.seen.append(page.url)
        yield page.follow_all()


@pytest.mark.parametrize("frontier", ["memory", "sqlite"])
async def test_a_page_that_only_a_redirect_leads_to_is_delivered(
    tmp_path: Path, frontier: Literal["memory", "sqlite"]
) -> None:
    async with Site((HERE, THERE)) as site:
        site.page("/", links=["/away", "/wants"])
        site.redirect("/away", site.url("/only", host=THERE))
        site.page("/only", host=THERE)
        site.redirect("/gives", "/wants", headers={"Set-Cookie": "seen=yes; Path=/"})

        async def wants(request: web.BaseRequest) -> web.StreamResponse:
            if "seen" in request.cookies:
                return web.Response(text="in")
            return web.Response(status=302, headers={"Location": "/gives"})

        site.handle("/wants", wants)
        spider = Walker(site.url())
        await crawl(spider, frontier=frontier, output_dir=tmp_path, allow_private=(THERE,))
    expected = [site.url(), site.url("/only", host=THERE), site.url("/wants")]
    assert sorted(spider.seen) == sorted(expected)
    (run,) = tmp_path.glob("*/*")
    assert len((run / "pages.jsonl").read_text().splitlines()) == 3
