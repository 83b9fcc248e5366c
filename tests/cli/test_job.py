"""`--job DIR`: one command for supervisors."""

import asyncio
import json
import shutil
import signal
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.command import crawl, ended, lines, start
from tests.cli.lives import grow, killed, links_of
from tests.site import Site

POISON = """
import os, signal
from crawler import Failure, Item, Out, Response, Spider

class Page(Item):
    url: str
    kind: str = ""

class Poison(Spider[Page], delay=0, min_free_bytes=0, retries=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response):
        if page.url.endswith("/50"):
            os.kill(os.getpid(), signal.SIGKILL)
        yield Page(url=page.url)
        yield page.follow_all()

    def on_error(self, failure: Failure):
        yield Page(url=failure.url, kind=failure.kind)
"""


@pytest.fixture
def web(site: Site) -> Site:
    grow(site)
    return site


def urls(file: Path) -> list[str]:
    return sorted(item["url"] for item in lines(file))


async def test_one_command_begins_goes_on_and_says_when_there_is_no_more(
    folder: Path, web: Site
) -> None:
    (folder / "x.jsonl").write_text('{"url": "of another run"}\n')
    words = ["site", "-a", f"start={web.url()}", "--job", "jobs/one", "-o", "x.jsonl"]
    for path in ("/9", "/45"):
        await killed(folder, web, path, *words, "--overwrite")
    done = await crawl(folder, *words, "--overwrite")
    assert "going on with jobs/one: " in done.err
    assert (done.status, len(lines(folder / "x.jsonl"))) == (0, 57)
    asked = len(web.log)
    done = await crawl(folder, *words, "--overwrite")
    assert (done.status, len(web.log)) == (0, asked)
    assert done.err == (
        "crawl: jobs/one: is finished with 57 pages, there is nothing to go on with\n"
    )
    assert not (folder / "output").exists()


async def test_a_finished_run_of_another_spider_is_not_said_to_be_done(
    folder: Path, web: Site
) -> None:
    text = (folder / "spiders" / "site.py").read_text()
    (folder / "spiders" / "other.py").write_text(text.replace("class Site", "class Other"))
    words = ["-a", f"start={web.url('/lonely')}", "--job", "run"]
    assert (await crawl(folder, "site", *words)).status == 0
    done = await crawl(folder, "other", *words)
    assert (done.status, "is a run of spider 'site', not of 'other'" in done.err) == (2, True)


async def test_the_line_to_go_on_with_names_the_folder(folder: Path, web: Site) -> None:
    words = ["spiders/site.py:Site", "-a", f"start={web.url()}", "--job", "my job"]
    done = await crawl(folder, *words, "--max-pages", "2")
    line = "crawl spiders/site.py:Site --job 'my job' --max-pages N"
    assert done.table["go on"] == line
    done = await crawl(folder, *words, "--max-pages", "3", "-q", "--log-json")
    assert (done.status, len(lines(folder / "my job" / "items.jsonl"))) == (0, 3)
    assert f"to go on with it: {line}" in (folder / "my job" / "crawl.log").read_text()


async def test_of_two_that_begin_one_run_at_once_one_is_refused(folder: Path, web: Site) -> None:
    web.silent("/9")
    words = ["site", "-a", f"start={web.url()}", "--job", "job", "-o", "x.csv", "--append"]
    both = [await start(folder, *words) for _ in range(2)]
    ends = {asyncio.create_task(process.wait()): process for process in both}
    async with asyncio.timeout(30):
        (over, *_), _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    refused = ends.pop(over)
    done = await ended(refused, folder)
    assert done.status == 2, done.err
    assert "is being crawled now" in done.err or "began this run just now" in done.err
    (other,) = ends.values()
    other.send_signal(signal.SIGINT)
    other.send_signal(signal.SIGTERM)
    await ended(other, folder)
    web.page("/9", links=links_of(9))
    assert (await crawl(folder, *words)).status == 0
    found = Counter((folder / "x.csv").read_text().split())
    assert (len(found), found.most_common(1)[0][1]) == (58, 1)


@pytest.mark.parametrize("died", ["empty file", "no tables"])
async def test_a_run_whose_process_died_as_it_began_is_begun_again(
    folder: Path, web: Site, died: str
) -> None:
    words = ["site", "-a", f"start={web.url('/lonely')}", "--job"]
    assert (await crawl(folder, *words, "first")).status == 0
    job = folder / "job"
    job.mkdir()
    shutil.copy(folder / "first" / "run.json", job)
    if died == "empty file":
        (job / "frontier.db").touch()
    else:
        with sqlite3.connect(job / "frontier.db") as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    done = await crawl(folder, *words, "job")
    assert done.status == 0, done.err
    assert urls(job / "items.jsonl") == urls(folder / "first" / "items.jsonl")


@pytest.mark.parametrize(
    ("where", "words", "message"),
    [
        ("spiders/site.py", [], "spiders/site.py: is no folder of a run: "),
        ("spiders/site.py/x", [], "spiders/site.py/x: "),
        ("x", ["-s", "frontier=memory"], "x: frontier=memory leaves nothing to go on from"),
    ],
)
async def test_a_folder_that_cannot_be_a_runs_is_refused(
    folder: Path, where: str, words: list[str], message: str
) -> None:
    done = await crawl(folder, "site", "-a", "start=http://a/", "--job", where, *words)
    assert done.refuses(message)
    assert not (folder / "x").exists()


@pytest.mark.parametrize("broken", ["", "{", '{"spider": 5}', "[]"])
async def test_a_record_that_cannot_be_read_is_one_line(folder: Path, broken: str) -> None:
    (folder / "job").mkdir()
    (folder / "job" / "run.json").write_text(broken)
    done = await crawl(folder, "site", "-a", "start=http://a/", "--job", "job")
    assert done.refuses("job/run.json: cannot be read: ")


async def test_a_page_that_kills_its_process_is_a_failure_in_the_end(
    folder: Path, web: Site
) -> None:
    (folder / "spiders" / "poison.py").write_text(POISON)
    words = ["poison", "-a", f"start={web.url()}", "--job", "job", "-q"]
    ends: list[int] = []
    while not ends or ends[-1] == -signal.SIGKILL:
        ends.append((await crawl(folder, *words)).status)
    assert ends == [-signal.SIGKILL] * 3 + [0]
    items = lines(folder / "job" / "items.jsonl")
    pages = [item["url"] for item in items if not item["kind"]]
    assert len(pages) == len(set(pages)) == 56
    failures = lines(folder / "job" / "failures.jsonl")
    (crash,) = [failure for failure in failures if failure["kind"] == "crash"]
    assert (crash["url"], crash["reason"]) == (web.url("/50"), "crashed the process 3 times")
    assert json.loads((folder / "job" / "stats.json").read_text())["failures"]["crash"] == 1
    assert {"url": web.url("/50"), "kind": "crash"} in items
