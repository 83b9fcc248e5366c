"""`--retry-failed RUN`: what failed is asked for again."""

from collections import Counter
from pathlib import Path

import pytest

from tests.cli.command import Done, crawl, lines
from tests.cli.lives import grow, links_of
from tests.site import Site

FRAGILE = """
from pathlib import Path
from crawler import Item, Out, Response, Spider

class Page(Item):
    url: str
    n: float = 0.0

class Fragile(Spider[Page], delay=0, min_free_bytes=0, retries=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(url=page.url)
        if page.url.endswith("/5"):
            yield Page(url=page.url, n=float("nan"))
        yield page.follow_all()
        if page.url.endswith("/4") and not Path("mended").exists():
            raise ValueError("not yet")
"""


@pytest.fixture
def web(folder: Path, site: Site) -> Site:
    (folder / "spiders" / "fragile.py").write_text(FRAGILE)
    grow(site)
    return site


async def broken(folder: Path, site: Site, *words: str) -> Done:
    """Crawl the site while three pages are missing, one is elsewhere, and a callback fails."""
    site.redirect("/moved", "/4")
    site.page("/", links=["/moved", *links_of(0)])
    return await crawl(folder, "fragile", "-a", f"start={site.url()}", "--job", "job", *words)


def mend(folder: Path, site: Site) -> None:
    (folder / "mended").touch()
    for number in (20, 31):
        site.page(f"/{number}", links=links_of(number))


async def again(folder: Path, *words: str) -> Done:
    return await crawl(folder, "fragile", "--retry-failed", "job", *words)


def urls(folder: Path) -> Counter[str]:
    return Counter(item["url"].rpartition("/")[2] for item in lines(folder / "job" / "items.jsonl"))


async def test_what_failed_is_asked_again_and_the_report_counts_what_fails_for_good(
    folder: Path, web: Site
) -> None:
    done = await broken(folder, web)
    assert done.table["failed"] == "status: 3, callback: 1, item: 1"
    assert set(urls(folder).values()) == {1}
    mend(folder, web)
    asked = len(web.log)
    done = await again(folder)
    assert done.status == 0, done.err
    assert "going on with job: " in done.err
    assert "4 queued (4 of them because they failed)" in done.err
    assert done.table["failed"] == "item: 1, status: 1"
    assert "HTTP 404" not in done.err
    found = urls(folder)
    assert (len(found), set(found.values())) == (59, {1})
    again_asked = {hit.path for hit in web.log[asked:]}
    assert {"/20", "/31", "/47", "/4"} <= again_asked
    assert len(lines(folder / "job" / "failures.jsonl")) == 6


async def test_a_run_without_failures_says_so(folder: Path, web: Site) -> None:
    await crawl(folder, "fragile", "-a", f"start={web.url('/lonely')}", "--job", "job")
    before = (folder / "job" / "stats.json").read_bytes()
    done = await again(folder)
    assert done.status == 0
    assert done.err == "crawl: job: no request of it failed, there is nothing to try again\n"
    assert (folder / "job" / "stats.json").read_bytes() == before


async def test_an_unfinished_run_goes_on_with_what_failed_as_well(folder: Path, web: Site) -> None:
    web.page("/1", status=500)
    await broken(folder, web, "--max-pages", "5", "-s", "concurrency=1")
    web.page("/1", links=links_of(1))
    mend(folder, web)
    done = await again(folder, "--max-pages", "none")
    assert (done.status, len(urls(folder))) == (0, 59)
    assert done.table["failed"] == "item: 1, status: 1"


async def test_a_host_that_could_not_be_reached_is_asked_for_its_rules_again(
    folder: Path, web: Site
) -> None:
    words = ["-s", "obey_robots=true", "-s", "backoff=0.01"]
    web.robots("", status=500)
    web.page("/lonely")
    words = ["-a", f"start={web.url('/lonely')}", "--job", "job", *words]
    done = await crawl(folder, "fragile", *words)
    assert (done.status, done.table["failed"]) == (1, "robots_unreachable: 1")
    web.robots("User-agent: *\nDisallow: /nothing")
    done = await again(folder)
    assert (done.status, done.table["failed"]) == (0, "nothing")
    assert web.paths[-2:] == ["/robots.txt", "/lonely"]


async def test_what_was_private_is_asked_for_once_it_is_allowed(folder: Path, site: Site) -> None:
    text = FRAGILE.replace("obey_robots=False", "obey_robots=True").replace(
        "    def __init__", '    allowed_domains = ("*",)\n    def __init__'
    )
    (folder / "spiders" / "fragile.py").write_text(text)
    async with Site(["127.0.0.2"]) as inside:
        inside.page("/5x", links=["/6x"])
        inside.page("/6x")
        site.page("/", links=[inside.url("/5x")])
        words = ["-a", f"start={site.url()}", "--job", "job"]
        done = await crawl(folder, "fragile", *words)
        (failed,) = lines(folder / "job" / "failures.jsonl")
        assert (done.status, failed["kind"], inside.log) == (0, "private_address", [])
        done = await again(folder, "-s", "allow_private=127.0.0.2")
    assert done.status == 0, done.err
    assert inside.paths == ["/robots.txt", "/5x", "/6x"]
    assert set(urls(folder)) == {"", "5x", "6x"}
