"""What of a crawl is in its archive."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from crawler import Out, Response, Spider, crawl, stream
from tests.cli.command import lines
from tests.export.archives import archives, is_sound, records
from tests.site import Site

HERE, THERE = "127.0.0.1", "127.0.1.1"


@pytest.fixture
async def two() -> AsyncIterator[Site]:
    async with Site([HERE, THERE]) as site:
        yield site


class Curious(Spider[dict[str, str]], delay=0, backoff=0.01, allow_private="127.0.0.0/8"):
    allowed_domains = (HERE, THERE)

    def __init__(self, site: Site) -> None:
        self.start_urls = [site.url()]
        self.sitemaps = [site.url("/map.xml")]

    async def parse(self, page: Response) -> Out[dict[str, str]]:
        if page.url.endswith("/curious"):
            fetched = await page.fetch("/fetched")
            yield {"got": fetched.html}
        yield page.follow_all()


def urls_in(run: Path) -> Counter[Any]:
    return Counter(
        (one.url.partition("//")[2].partition(":")[0] + "/" + one.url.split("/", 3)[3], status(one))
        for one in records(*archives(run))
        if one.type in ("response", "revisit")
    )


def status(record: Any) -> int:
    return int(record.head.split()[1])


async def test_all_that_came_is_in_it_but_what_asks_not_to_be(two: Site, tmp_path: Path) -> None:
    tries = iter((503, 200))

    async def shaky(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=next(tries), body=b"<p>", content_type="text/html")

    two.robots("User-agent: *\nDisallow: /private", host=HERE)
    paths = ["/curious", "/old", "/gone", "/withheld", "/shaky", "/private", "/image"]
    two.page("/", links=paths)
    two.page("/map.xml", body=f"<urlset><url><loc>{two.url('/listed')}</loc></url></urlset>",
             type="application/xml")  # fmt: skip
    two.page("/listed")
    two.page("/curious")
    two.redirect("/fetched", f"http://{THERE}:{two.port}/final")
    two.page("/final", body="fetched", host=THERE)
    two.redirect("/old", "/new")
    two.redirect("/new", f"http://{THERE}:{two.port}/moved")
    two.page("/moved", host=THERE)
    two.page("/gone", status=410)
    two.page("/withheld", body="<meta name=robots content=noarchive>secret")
    two.handle("/shaky", shaky)
    two.page("/image", body=b"\x89PNG", type="image/png")
    report = await crawl(Curious(two), output_dir=tmp_path, pages="warc", min_free_bytes=0)
    run = Path(str(report.folder))
    assert is_sound(*archives(run))
    assert urls_in(run) == Counter(
        {
            (f"{HERE}/robots.txt", 200): 1,
            (f"{THERE}/robots.txt", 404): 1,
            (f"{HERE}/map.xml", 200): 1,
            (f"{HERE}/", 200): 1,
            (f"{HERE}/listed", 200): 1,
            (f"{HERE}/curious", 200): 1,
            (f"{HERE}/fetched", 302): 1,
            (f"{THERE}/final", 200): 1,
            (f"{HERE}/old", 302): 1,
            (f"{HERE}/new", 302): 1,
            (f"{THERE}/moved", 200): 1,
            (f"{HERE}/gone", 410): 1,
            (f"{HERE}/shaky", 503): 1,
            (f"{HERE}/shaky", 200): 1,
        }
    )
    pages = {page["url"]: page for page in lines(run / "pages.jsonl")}
    assert "file" not in pages[two.url("/withheld")]
    assert all("offset" in page for url, page in pages.items() if "withheld" not in url)


async def test_without_a_folder_nothing_is_kept_of_the_wire(two: Site) -> None:
    two.page("/")
    two.page("/map.xml", body="<urlset/>", type="application/xml")
    seen: list[Response] = []

    class Looking(Curious):
        async def parse(self, page: Response) -> Out[dict[str, str]]:
            seen.append(page)
            yield {"url": page.url}

    async with stream(Looking(two), pages="warc") as items:
        assert [item async for item in items] == [{"url": two.url()}]
    assert [page.exchanges for page in seen] == [()]


async def test_the_room_of_an_archived_crawl_is_given_back(two: Site, tmp_path: Path) -> None:
    two.page("/", links=[f"/{number}" for number in range(40)])
    two.page("/map.xml", body="<urlset/>", type="application/xml")
    for number in range(40):
        two.page(f"/{number}", body=b"<p>" + b"%d" % number * 5_000)

    class Fetching(Curious):
        async def parse(self, page: Response) -> Out[dict[str, str]]:
            if page.depth:
                await page.fetch(page.url + "?again")
            yield page.follow_all()

    for number in range(40):
        two.redirect(f"/{number}?again", f"/{number}")
    report = await crawl(
        Fetching(two), output_dir=tmp_path, pages="warc", min_free_bytes=0, memory_bytes=60_000
    )
    assert report.pages == 41
    assert report.seconds < 10
