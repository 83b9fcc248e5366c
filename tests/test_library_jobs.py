"""crawl(job=): runs of a program that go on, in it or on the command line."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler import Item, Response, Spider, crawl
from crawler.errors import OutputError, RunError, TargetError
from tests.cli.command import SPIDER, lines
from tests.cli.command import crawl as command
from tests.cli.lives import grow
from tests.site import Site as FakeSite

NOBODY = "http://127.0.0.1:1/"
GIVEN: dict[str, Any] = {"min_free_bytes": 0, "obey_robots": False, "retries": 0}


class Page(Item):
    url: str


class Site(Spider[Page], delay=0):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> Iterator[object]:
        yield Page(url=page.url)
        yield page.follow_all()


class Other(Site):
    pass


@pytest.fixture
def web(site: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSite:
    monkeypatch.chdir(tmp_path)
    grow(site)
    return site


async def cut_off(web: FakeSite, path: str, **settings: Any) -> None:
    """Crawl until a page is asked for, and cancel it then."""
    asked = web.asked(path)
    crawling = asyncio.create_task(crawl(Site(web.url()), **GIVEN, **settings))
    await asyncio.wait(
        [crawling, waiting := asyncio.create_task(asked.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    assert waiting.done()
    crawling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await crawling


async def test_a_job_begins_goes_on_and_gives_its_report_when_it_is_finished(
    web: FakeSite, tmp_path: Path
) -> None:
    given: Any = {"job": tmp_path / "job", "output": "x.csv", "overwrite": True}
    for path in ("/9", "/45"):
        await cut_off(web, path, **given)
    report = await crawl(Site(web.url()), **GIVEN, **given)
    assert (report.pages, report.finished, report.failures) == (57, True, {"status": 3})
    urls = [item["url"] for item in lines(tmp_path / "job" / "items.jsonl")]
    assert len(urls) == len(set(urls)) == 57
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 58
    asked = len(web.log)
    assert await crawl(Site(web.url()), **GIVEN, **given) == report
    assert len(web.log) == asked


@pytest.mark.parametrize("job", [None, "job"])
async def test_the_command_line_goes_on_with_a_programs_run(
    tmp_path: Path, web: FakeSite, job: str | None
) -> None:
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "site.py").write_text(SPIDER)
    await cut_off(web, "/9", job=job, frontier="sqlite")
    words = ["--job", "job"] if job else ["--resume"]
    start = f"start={web.url()}"
    done = await command(tmp_path, "site", "-a", start, *words, "--max-pages", "40")
    assert "going on with " in done.err
    done = await command(tmp_path, "site", *words, "--max-pages", "none")
    assert done.status == 0, done.err
    report = await crawl(Site(web.url()), job="job") if job else None
    assert report is None or (report.pages, report.reason) == (57, "finished")


@pytest.mark.parametrize(
    ("spider", "given", "words"),
    [
        (Site("http://b.example/"), {}, r"is another crawl than this one: start_urls was \['http"),
        (Site(NOBODY), {"frontier": "memory"}, "frontier=memory leaves nothing"),
        (Site(NOBODY), {"max_depth": 2}, "max_depth was None, is 2"),
        (Other(NOBODY), {}, "is a run of spider 'site', not of 'other'"),
    ],
)
async def test_another_crawl_than_the_folders_is_refused(
    tmp_path: Path, spider: Site, given: dict[str, Any], words: str
) -> None:
    again: Any = {**GIVEN, "job": tmp_path / "job"}
    await crawl(Site(NOBODY), **again)
    (tmp_path / "job" / "stats.json").unlink()
    with pytest.raises(RunError, match=words):
        await crawl(spider, **again, **given)


async def test_a_job_that_is_crawled_now_is_left_alone(web: FakeSite, tmp_path: Path) -> None:
    web.silent("/9")
    asked = web.asked("/9")
    crawling = asyncio.create_task(crawl(Site(web.url()), job="job", **GIVEN))
    async with asyncio.timeout(30):
        await asked.wait()
    with pytest.raises(RunError, match="is being crawled now"):
        await crawl(Site(web.url()), job="job", **GIVEN)
    crawling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await crawling


async def test_a_folder_and_an_output_that_are_somebodys_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(RunError, match="is not empty, and no folder of a run"):
        await crawl(Site("http://a.example/"), job=tmp_path)
    with pytest.raises(OutputError, match="exists; use --overwrite or --append"):
        await crawl(Site("http://a.example/"), job="x", output=str(tmp_path / "mine.csv"))


async def test_a_job_whose_lines_were_edited_is_not_gone_on_with(
    web: FakeSite, tmp_path: Path
) -> None:
    await crawl(Site(web.url()), job="job", max_pages=5, **GIVEN)
    (tmp_path / "job" / "items.jsonl").unlink()
    with pytest.raises(TargetError, match=r"items\.jsonl: is gone"):
        await crawl(Site(web.url()), job="job", **GIVEN)


async def test_a_program_goes_on_while_a_database_is_connected_to(web: FakeSite) -> None:
    heard = asyncio.Event()

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        writer.close()

    # On the program's own loop: it answers only if that is not held up.
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OutputError, match=r"(?i)connection") as refusal:
            await crawl(Site(web.url()), output=f"postgresql://me@127.0.0.1:{port}/x", **GIVEN)
    assert heard.is_set()
    assert "does not answer" not in str(refusal.value)
