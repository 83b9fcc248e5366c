"""Of the items of a key one is written, however often processes are killed, and however many."""

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.command import Done, crawl
from tests.cli.lives import begun, killed
from tests.site import Site

SPIDER = """
from crawler import Item, Out, Response, Spider

class Word(Item, key="text"):
    text: str
    page: str
    note: str | None = None

class Words(
    Spider[Word], delay=0, min_free_bytes=0, obey_robots=False, pages="none",
    allow_private="127.0.0.0/29",
):
    allowed_domains = ["127.0.0.1", "127.0.0.2"]

    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Word]:
        for text in page.text("h1", default="").split():
            yield Word(text=text, page=page.url, note=page.url if text.endswith("7") else None)
        yield page.follow_all()
"""
PAGES, WORDS = 60, 20
ALL = {f"w{number}" for number in range(PAGES + WORDS)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "words.py").write_text(SPIDER)
    return tmp_path


def grow(site: Site) -> None:
    """Serve `PAGES` pages; each has `WORDS` words, all but one of which are on the next one too."""
    for number in range(PAGES):
        words = " ".join(f"w{word}" for word in range(number, number + WORDS + 1))
        below = range(number * 3 + 1, min(number * 3 + 4, PAGES))
        links = "".join(f"<a href='/{n}'>n</a>" for n in below)
        site.page(f"/{number}" if number else "/", body=f"<h1>{words}</h1>{links}")


def is_exact(done: Done) -> bool:
    """True if each word was written once, and what was left out was counted once."""
    counts = done.report["counts"]
    found = Counter(item["text"] for item in done.lines("items.jsonl"))
    assert found == Counter(ALL)
    assert (counts["pages"], counts["items.word"]) == (PAGES, len(ALL))
    assert counts["duplicate_items.word"] == PAGES * (WORDS + 1) - len(ALL)
    noted = sum(item["note"] is not None for item in done.lines("items.jsonl"))
    rates = done.report["fill_rates"]["word"]
    assert rates == {"text": 1.0, "page": 1.0, "note": noted * 10_000 // len(ALL) / 10_000}
    return done.status == 0 and done.report["finished"]


async def test_each_key_is_written_once_over_kills(folder: Path, site: Site) -> None:
    grow(site)
    promise = ("-s", "min_items=80", "-s", 'min_fill={"text": 1}', "-s", "max_drop_rate=0")
    words = ("words", "-a", f"start={site.url()}", "-s", "concurrency=4", *promise)
    await killed(folder, site, "/7", *words)
    for path in ("/15", "/29", "/48"):
        await killed(folder, site, path, "words", "--resume")
    done = await crawl(folder, "words", "--resume", "-o", "words.csv")
    assert is_exact(done)
    assert len((folder / "words.csv").read_text().splitlines()) == len(ALL) + 1


HOSTS = ("127.0.0.1", "127.0.0.2")
PAIRS = 30


def twin(site: Site) -> None:
    """Serve two hosts with the same words; of a pair of pages the first waits for the second."""
    links = [f"{site.url(f'/{n}', host=host)}" for n in range(PAIRS) for host in HOSTS]
    site.page("/", body="".join(f"<a href='{link}'>n</a>" for link in links))
    asked: dict[str, asyncio.Event] = {}
    for number in range(PAIRS):
        words = " ".join(f"w{number}-{word}" for word in range(WORDS * 5))

        async def answer(request: web.BaseRequest, words: str = words) -> web.StreamResponse:
            other = asked.setdefault(request.path, both := asyncio.Event())
            if other is not both:
                other.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(other.wait(), 0.2)
            return web.Response(text=f"<h1>{words}</h1>", content_type="text/html")

        site.handle(f"/{number}", answer)


async def test_of_processes_that_meet_the_same_keys_at_once_one_writes_them(folder: Path) -> None:
    async with Site(HOSTS) as site:
        twin(site)
        words = ("words", "-a", f"start={site.url()}", "-s", "concurrency=4", "-s", "per_host=2")
        first = await begun(folder, site, "/5", *words, "--processes", "2")
        first.kill()
        await first.communicate()
        done = await crawl(folder, "words", "--resume")
    found = Counter(item["text"] for item in done.lines("items.jsonl"))
    assert (done.status, len(found), set(found.values())) == (0, PAIRS * WORDS * 5, {1})
    counts = done.report["counts"]
    assert counts["items.word"] == counts["duplicate_items.word"] == len(found)
    assert done.report["fill_rates"]["word"]["text"] == 1.0
