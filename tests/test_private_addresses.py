"""A crawl lets nobody in: pages lead to no address that the user did not name."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from crawler import Failure, Out, Request, Response, Spider, crawl, fetch_all
from crawler.errors import AddressRefused, SettingError
from crawler.outcome import Report
from tests.site import Site

# What leads to this machine, or to one beside it, in the spellings that pages have.
SPELLINGS = [
    "127.0.0.1:{}", "2130706433:{}", "0x7f000001:{}", "0x7f.0x0.0x0.0x1:{}", "0177.0.0.1:{}",
    "017700000001:{}", "127.1:{}", "127.0.1:{}", "0x7f.1:{}", "127.000.000.001:{}", "127.0.0.1.:{}",
    "0:{}", "0.0.0.0:{}", "127.0.0.2:{}", "127.255.255.254:{}", "[::1]:{}", "[::]:{}",
    "[0:0:0:0:0:0:0:1]:{}", "[::ffff:127.0.0.1]:{}", "[::ffff:7f00:1]:{}", "[::127.0.0.1]:{}",
    "[64:ff9b::7f00:1]:{}", "[64:ff9b:1::7f00:1]:{}", "[2002:7f00:1::]:{}", "localhost:{}",
    "LOCALHOST:{}", "localhost.:{}", "me:secret@127.0.0.1:{}", "example.com@127.0.0.1:{}",
    "example.com%40x@127.0.0.1:{}", "%31%32%37.0.0.1:{}", "\uff11\uff12\uff17.0.0.1:{}",
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460:{}", "127\u30020\u30020\u30021:{}",
    "\uff4c\uff4f\uff43alhost:{}", "169.254.169.254", "metadata@169.254.169.254", "0xa9fea9fe",
    "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "168.63.129.16",
    "[fe80::1]", "[fec0::1]",
]  # fmt: skip


class Lured(Spider[Any], delay=0, min_free_bytes=0, pages="none"):
    """Follows whatever a page has, anywhere."""

    allowed_domains = ("*",)

    def __init__(self, *seeds: str) -> None:
        self.start_urls = seeds
        self.heard: list[tuple[str, str, int]] = []
        self.pages: list[str] = []

    async def parse(self, page: Response) -> Out[Any]:
        self.pages.append(page.url)
        yield page.follow_all()

    def on_error(self, failure: Failure) -> None:
        self.heard.append((failure.kind, failure.url, failure.request.attempt))

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, _, _ in self.heard}


@pytest.fixture
async def inside() -> AsyncIterator[Site]:
    """A site that is nobody's business, on several addresses."""
    async with Site(["127.0.0.1", "127.0.0.2"]) as one:
        one.page("/")
        one.robots("User-agent: *\nAllow: /")
        yield one


async def crawled(spider: Spider[Any], folder: Path, **settings: Any) -> Report:
    return await crawl(spider, output_dir=str(folder), **settings)


@pytest.mark.parametrize("obey_robots", [True, False])
async def test_no_spelling_of_a_private_address_lets_a_page_in(
    site: Site, inside: Site, tmp_path: Path, obey_robots: bool
) -> None:
    links = [
        f"http://{spelling.format(inside.port)}/{number}"
        for number, spelling in enumerate(SPELLINGS)
    ]
    site.page("/", links=[*links, "/good"])
    site.page("/good")
    spider = Lured(site.url())
    report = await crawled(spider, tmp_path, obey_robots=obey_robots, backoff=0.001)
    assert inside.log == []
    assert spider.pages == [site.url(), site.url("/good")]
    # Not every system knows that the name with a dot is this machine's.
    heard = [entry for entry in spider.heard if "//localhost.:" not in entry[1]]
    assert {(kind, attempts) for kind, _, attempts in heard} == {("private_address", 1)}
    assert len(spider.heard) == report.failure_count == len(SPELLINGS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_in(site: Site, inside: Site, tmp_path: Path, status: int) -> None:
    targets = [inside.url(), f"http://localhost:{inside.port}/", inside.url(host="127.0.0.2")]
    site.page("/", links=[f"/{number}" for number in range(len(targets))])
    for number, target in enumerate(targets):
        site.redirect(f"/{number}", target, status)
    spider = Lured(site.url())
    await crawled(spider, tmp_path)
    assert inside.log == []
    assert sorted((kind, url) for kind, url, _ in spider.heard) == sorted(
        ("private_address", target) for target in targets
    )


async def test_no_refresh_leads_in(site: Site, inside: Site, tmp_path: Path) -> None:
    site.page("/", body=f'<meta http-equiv=refresh content="0;{inside.url()}">')
    site.page("/header", headers={"Refresh": f"0; url=http://localhost:{inside.port}/"})
    spider = Lured(site.url(), site.url("/header"))
    await crawled(spider, tmp_path)
    assert inside.log == []
    assert sorted((kind, url) for kind, url, _ in spider.heard) == [
        ("private_address", inside.url()),
        ("private_address", f"http://localhost:{inside.port}/"),
    ]


async def test_a_seed_that_redirects_brings_nobody_in(
    site: Site, inside: Site, tmp_path: Path
) -> None:
    site.redirect("/", inside.url())
    spider = Lured(site.url())
    await crawled(spider, tmp_path)
    assert inside.log == []
    assert spider.heard == [("private_address", inside.url(), 1)]


async def test_no_robots_txt_leads_in_and_its_host_is_left_alone(
    site: Site, inside: Site, tmp_path: Path
) -> None:
    site.redirect("/robots.txt", inside.url("/robots.txt"))
    site.page("/")
    spider = Lured(site.url())
    await crawled(spider, tmp_path)
    assert inside.log == []
    assert spider.heard == [("robots_unreachable", site.url(), 1)]


async def test_no_sitemap_leads_in(site: Site, inside: Site, tmp_path: Path) -> None:
    class Listed(Lured):
        sitemaps = (site.url("/sitemap.xml"),)

    entries = "".join(f"<url><loc>{url}</loc></url>" for url in (inside.url(), site.url("/good")))
    site.page("/sitemap.xml", body=f"<urlset>{entries}</urlset>", type="application/xml")
    site.page("/good")
    spider = Listed()
    await crawled(spider, tmp_path)
    assert inside.log == []
    assert spider.pages == [site.url("/good")]
    assert spider.heard == [("private_address", inside.url(), 1)]


@pytest.mark.parametrize("obey_robots", [True, False])
async def test_no_callback_is_let_in_by_fetch(
    site: Site, inside: Site, tmp_path: Path, obey_robots: bool
) -> None:
    class Fetches(Lured):
        async def parse(self, page: Response) -> Out[Any]:
            for url in (inside.url(), f"http://localhost:{inside.port}/", "/away"):
                with pytest.raises(AddressRefused):
                    await page.fetch(url)
            self.pages.append(page.url)
            yield None

    site.page("/")
    site.redirect("/away", inside.url())
    spider = Fetches(site.url())
    await crawled(spider, tmp_path, obey_robots=obey_robots)
    assert spider.pages == [site.url()]
    assert inside.log == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "ftp://127.0.0.1/", "ws://127.0.0.1/", ""]
)
async def test_nothing_but_http_is_fetched_or_queued(site: Site, tmp_path: Path, url: str) -> None:
    class Smuggles(Lured):
        async def parse(self, page: Response) -> Out[Any]:
            smuggled = structs.replace(Request(page.url), url=url)
            with pytest.raises(AddressRefused, match="only http and https leave"):
                await page.fetch(smuggled)
            self.pages.append(page.url)
            yield smuggled

    site.page("/")
    spider = Smuggles(site.url())
    report = await crawled(spider, tmp_path)
    assert spider.pages == [site.url()]
    assert report.failures == {"callback": 1}
    assert "must be a whole URL" in report.examples[0]


async def test_a_private_seed_allows_its_own_host_and_port_alone(
    site: Site, inside: Site, tmp_path: Path
) -> None:
    for one in (site, inside):
        one.page("/", links=["/deep", site.url("/there"), inside.url("/there")])
        one.page("/deep")
        one.page("/there")
    spider = Lured(site.url())
    await crawled(spider, tmp_path)
    assert sorted(spider.pages) == sorted(map(site.url, ("/", "/deep", "/there")))
    assert inside.log == []
    both = Lured(site.url(), inside.url())
    await crawled(both, tmp_path)
    assert len(both.pages) == 6
    assert both.heard == []


async def test_allow_private_lets_pages_in(site: Site, inside: Site, tmp_path: Path) -> None:
    site.page("/", links=[inside.url(), inside.url(host="127.0.0.2")])
    spider = Lured(site.url())
    await crawled(spider, tmp_path, allow_private=[f"127.0.0.2:{inside.port}"])
    assert spider.pages == [site.url(), inside.url(host="127.0.0.2")]
    assert spider.kinds == {"private_address"}


async def test_an_entry_that_is_none_is_refused_before_anything_is_made(
    site: Site, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="allow_private must hold hosts"):
        await crawled(Lured(site.url()), tmp_path / "new", allow_private=["http://a.example/"])
    assert not (tmp_path / "new").exists()


async def test_a_failure_is_written_down_as_what_it_is(
    site: Site, inside: Site, tmp_path: Path
) -> None:
    site.page("/", links=[inside.url()])
    report = await crawled(Lured(site.url()), tmp_path)
    assert report.folder is not None
    (line,) = (Path(report.folder) / "failures.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert (told["kind"], told["attempts"]) == ("private_address", 1)
    assert told["reason"] == "127.0.0.1 is no public address; allow_private may name it"


async def test_urls_of_fetch_all_are_seeds_and_what_they_redirect_to_is_none(
    site: Site, inside: Site
) -> None:
    site.page("/")
    site.redirect("/away", inside.url())
    found: dict[str, str] = {}
    async with fetch_all([site.url(), site.url("/away")], delay=0) as pages:
        async for page in pages:
            found[page.url] = page.kind if isinstance(page, Failure) else "page"
    assert found == {site.url(): "page", inside.url(): "private_address"}
    assert inside.log == []
