"""What one life of a run learns, the next one knows."""

import json
from pathlib import Path

import pytest

from tests.cli.command import crawl, lines
from tests.cli.lives import grow, killed, links_of
from tests.site import Site

KEEPER = """
import asyncio
from pathlib import Path
from msgspec import Struct
from crawler import Item, Out, Request, Response, Spider

class Page(Item):
    url: str

class Seen(Struct):
    pages: int = 0
    last: list[str] = []

class Keeper(Spider[Page], delay=0, min_free_bytes=0, retries=0, obey_robots=False, per_host=1):
    state: Seen

    def __init__(self, start: str) -> None:
        self.seeds = start.split(",")

    async def start(self) -> Out[Page]:
        for url in self.seeds:
            if url in ("raise", "wait"):
                if Path("mended").exists():
                    continue
                if url == "raise":
                    raise ValueError("not yet")
                await asyncio.sleep(3600)
            yield Request(url)

    def parse(self, page: Response) -> Out[Page]:
        self.count("seen")
        self.count("links", len(page.links()))
        self.state.pages += 1
        self.state.last = [page.url]
        yield Page(url=page.url)
        yield page.follow_all()

    def closed(self, report) -> None:
        print(self.state.pages, len(self.state.last))
"""
FIGURES = ("pages", "items", "bytes", "statuses", "failures", "counts", "queued", "given_up")


@pytest.fixture
def web(folder: Path, site: Site) -> Site:
    (folder / "spiders" / "keeper.py").write_text(KEEPER)
    grow(site)
    return site


async def test_every_figure_is_that_of_a_crawl_that_was_not_killed(folder: Path, web: Site) -> None:
    words = ["keeper", "-a", f"start={web.url()}"]
    await crawl(folder, *words, "--job", "whole")
    await killed(folder, web, "/9", *words)
    for path in ("/27", "/45"):
        await killed(folder, web, path, "keeper", "--resume")
    done = await crawl(folder, "keeper", "--resume")
    whole, report = json.loads((folder / "whole" / "stats.json").read_text()), done.report
    report["counts"].pop("crashes", None)  # a kill may hit a callback
    assert {name: report[name] for name in FIGURES} == {name: whole[name] for name in FIGURES}
    assert done.report["counts"]["user.seen"] == 57
    record = json.loads((done.run / "run.json").read_text())
    assert record["created"].startswith(done.report["started"].removesuffix("+00:00"))


async def test_the_time_of_all_lives_counts(folder: Path, web: Site) -> None:
    words = ["keeper", "-a", f"start={web.url()}", "--max-pages", "3", "-s", "delay=0.1"]
    await crawl(folder, *words)
    asked = len(web.log)
    done = await crawl(folder, "keeper", "--resume", "--max-pages", "none", "--max-seconds", "0.2")
    assert (done.status, done.report["reason"]) == (0, "max_seconds")
    assert done.report["seconds"] >= 0.2
    assert len(web.log) == asked


async def test_a_spiders_state_is_there_again_as_its_type(folder: Path, web: Site) -> None:
    words = ["keeper", "-a", f"start={web.url()}", "--max-pages", "3"]
    assert (await crawl(folder, *words)).out == "3 1\n"
    done = await crawl(folder, "keeper", "--resume", "--max-pages", "none")
    assert (done.status, done.out) == (0, "57 1\n")


async def test_a_state_that_does_not_fit_its_type_any_more_is_refused(
    folder: Path, web: Site
) -> None:
    await crawl(folder, "keeper", "-a", f"start={web.url()}", "--max-pages", "3")
    (folder / "spiders" / "keeper.py").write_text(KEEPER.replace("last: list[str]", "last: int"))
    done = await crawl(folder, "keeper", "--resume")
    assert done.status == 2
    words = "spider keeper: the run's self.state does not fit"
    assert done.err.startswith(f"crawl: {words} ")
    assert done.err.endswith("Expected `int`, got `array` - at `$.last`\n")


async def test_cookies_outlive_the_process(folder: Path, web: Site) -> None:
    cookies = [("Set-Cookie", "who=me; Max-Age=3600"), ("Set-Cookie", "here=yes")]
    web.page("/", links=links_of(0), headers=cookies)
    words = ("-a", f"start={web.url()}", "-s", "delay=0.05")  # "/" is committed by then
    await killed(folder, web, "/9", "keeper", *words)
    asked = len(web.log)
    assert (await crawl(folder, "keeper", "--resume")).status == 0
    later = web.log[asked:]
    assert later
    assert "/" not in [hit.path for hit in later]
    assert {hit.headers["Cookie"] for hit in later} == {"who=me; here=yes"}


async def test_the_seeds_hosts_are_the_scope_of_every_life(folder: Path, web: Site) -> None:
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    async with Site(hosts) as site:
        one, two, three = (site.url("/", host=host) for host in hosts)
        site.page("/", links=["/last"])
        site.page("/last", links=[f"{two}b", f"{three}c"])
        site.page("/b")
        await killed(folder, site, "/last", "keeper", "-a", f"start={one},{two}")
        done = await crawl(folder, "keeper", "--resume")
    found = [item["url"] for item in done.lines("items.jsonl")]
    lasts = [f"{one}last", f"{two}last"]
    assert sorted(found) == sorted([one, two, *lasts, f"{two}b"])
    assert done.report["counts"]["offsite"] == 2


async def test_a_start_that_failed_runs_again_from_its_beginning(folder: Path, web: Site) -> None:
    seeds = f"{web.url('/58')},raise,{web.url('/lonely')}"
    words = ["keeper", "-a", f"start={seeds}", "--job", "job", "-s", "max_depth=0"]
    done = await crawl(folder, *words)
    assert done.status == 1
    assert "keeper: failed after" in done.err
    (folder / "mended").touch()
    done = await crawl(folder, *words)
    assert done.status == 0
    assert len(lines(folder / "job" / "items.jsonl")) == 2
    report = json.loads((folder / "job" / "stats.json").read_text())
    assert (report["pages"], report["failures"], report["finished"]) == (2, {}, True)


async def test_a_start_that_was_killed_runs_again_from_its_beginning(
    folder: Path, web: Site
) -> None:
    seeds = f"{web.url('/58')},wait,{web.url('/lonely')}"
    await killed(folder, web, "/58", "keeper", "-a", f"start={seeds}", "-s", "max_depth=0")
    (folder / "mended").touch()
    done = await crawl(folder, "keeper", "--resume")
    assert (done.status, done.report["pages"]) == (0, 2), done.err
    assert [item["url"] for item in done.lines("items.jsonl")] == [
        web.url("/58"),
        web.url("/lonely"),
    ]
