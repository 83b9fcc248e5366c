"""Faults of the network under load cost tries, and no page that would have come."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.command import Done, crawl
from tests.mockserver import jumping
from tests.mockserver.unsteady import HOSTS, Unsteady
from tests.test_accounting import unaccounted

PAGES = 1_500
RETRIES = 3
NOWHERE = tuple(f"http://nowhere-{number}.invalid/" for number in range(5))

SPIDER = """
from crawler import Item, Out, Response, Spider

class Page(Item):
    title: str

class Steady(
    Spider[Page],
    delay=0, per_host=16, concurrency=64, min_free_bytes=0, retries=3, backoff=0.05,
    read_timeout=2, timeout=10,
    allow_private=("127.0.0.0/8",),
):
    def __init__(self, start: str, hosts: str) -> None:
        self.start_urls = [start]
        self.allowed_domains = hosts.split(",")

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(title=page.text("title", default=""))
        yield page.follow_all()
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Unsteady]:
    """A crawl with 64 file descriptors, on a network and by a clock that are not to be trusted."""
    folder = tmp_path_factory.mktemp("network")
    (folder / "spiders").mkdir()
    (folder / "spiders" / "steady.py").write_text(SPIDER)
    (hook,) = jumping.__path__
    root = Path(__file__).parents[2]

    async def run() -> tuple[Done, Unsteady]:
        async with Unsteady(PAGES, seed=7, more=NOWHERE) as site:
            hosts = ",".join([*HOSTS, "invalid"])
            words = ("steady", "-a", f"start={site.url('/')}", "-a", f"hosts={hosts}")
            path = f"{hook}:{root}"
            return await crawl(folder, *words, before="ulimit -n 64;", PYTHONPATH=path), site

    return asyncio.run(run())


def test_every_page_that_answers_within_its_tries_is_delivered(
    whole: tuple[Done, Unsteady],
) -> None:
    done, site = whole
    assert done.status == 0
    assert done.report["finished"]
    titles = {item["title"] for item in done.lines("items.jsonl")}
    lost = [page for page in site.answering(tries=RETRIES + 1) if page not in titles]
    assert not lost
    assert len(done.lines("items.jsonl")) == len(titles)  # and none twice


def test_the_network_was_as_bad_as_it_should_be(whole: tuple[Done, Unsteady]) -> None:
    done, site = whole
    for fault in ("reset", "stall", "cut"):
        assert site.faults[fault] > PAGES / 30
    assert done.report["counts"]["retries"] > PAGES / 10


def test_what_does_not_come_is_told(whole: tuple[Done, Unsteady]) -> None:
    done, _ = whole
    failed = {line["url"]: line["kind"] for line in done.lines("failures.jsonl")}
    assert {url for url in failed if url.endswith(".invalid/")} == set(NOWHERE)
    assert {kind for url, kind in failed.items() if url not in NOWHERE} <= {"connect", "timeout"}
    assert len(failed) + len(done.lines("pages.jsonl")) == PAGES + len(NOWHERE) + 1
    assert unaccounted(done.report["counts"]) == 0


def test_a_clock_that_jumps_an_hour_is_no_time_that_passed(whole: tuple[Done, Unsteady]) -> None:
    done, _ = whole
    said = [datetime.fromisoformat(page["fetched"]) for page in done.lines("pages.jsonl")]
    assert (max(said) - min(said)).total_seconds() > 3_000  # it did jump
    assert done.report["seconds"] < 3_000
