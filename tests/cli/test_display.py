"""What is seen while a crawl runs."""

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from crawler import Response, Spider
from crawler.app import open_run, settings_of
from crawler.cli import progress
from crawler.jobs import begin
from crawler.settings import Layer
from tests.cli.command import crawl, on_terminal, screen
from tests.site import Site

BAD = """
from crawler import Response, Spider

class Bad(Spider, delay=0, min_free_bytes=0, retries=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response):
        if page.depth:
            raise ValueError("not today")
        yield page.follow_all()
"""


@pytest.fixture
def bad(folder: Path) -> Path:
    """A spider whose callback fails on every page but the first."""
    (folder / "spiders" / "bad.py").write_text(BAD)
    return folder


@pytest.fixture
def slow(small: Site) -> Site:
    """The small site with a page that takes long enough to be seen waiting."""
    small.slow("/18", 0.6)
    return small


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", text)


async def test_a_terminal_shows_progress_in_place_and_is_left_clean(
    folder: Path, slow: Site
) -> None:
    status, text = await on_terminal(folder, "site", "-a", f"start={slow.url()}")
    assert status == 0
    heads = "pages  pages/s    queue    hosts    items   errors  elapsed"
    assert plain(text).count(heads) > 1
    assert re.search(r" 19 +[\d.]+ +1 +1 +19 +0 +0:00", plain(text))
    left = screen(text)
    assert left[0].startswith("site: finished in ")
    assert not any("elapsed" in line for line in left)
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back


async def test_a_limit_lets_the_rest_be_estimated(folder: Path, slow: Site) -> None:
    words = ["-a", f"start={slow.url()}", "--max-seconds", "60"]
    _, text = await on_terminal(folder, "site", *words)
    assert re.search(r"elapsed +left", plain(text))
    assert "0:59" in plain(text)


async def test_a_narrow_terminal_loses_nothing(folder: Path, slow: Site) -> None:
    _, text = await on_terminal(folder, "site", "-a", f"start={slow.url()}", columns=40)
    words = " ".join(plain(text).split())
    assert re.search(r"19 pages \([\d.]+/s\), 1 queued, 1 host, 19 items, 0 errors", words)
    assert screen(text, columns=40)[0].startswith("site: finished in ")


async def test_a_log_line_stands_whole_above_the_display(bad: Path, slow: Site) -> None:
    status, text = await on_terminal(bad, "bad", "-a", f"start={slow.url()}", columns=100)
    assert status == 0
    left = screen(text, columns=100)
    wanted = "error: parse failed: ValueError: not today (bad.py:10): "
    errors = [line for line in left if line.startswith("error")]
    assert errors == [wanted + line.removeprefix(wanted) for line in errors]
    assert {line.removeprefix(wanted) for line in errors} == {
        slow.url(f"/{number}") for number in range(19)
    }
    assert left[len(errors)].startswith("bad: finished in ")


async def test_a_terminal_that_can_do_little_gets_plain_lines(folder: Path, small: Site) -> None:
    status, text = await on_terminal(folder, "site", "-a", f"start={small.url()}", TERM="dumb")
    assert status == 0
    assert "\x1b" not in text
    assert "site: finished in " in text


async def test_without_color_a_terminal_gets_none(folder: Path, small: Site) -> None:
    words = ["-a", f"start={small.url('/gone')}"]
    _, colored = await on_terminal(folder, "site", *words)
    assert re.search(r"\x1b\[[\d;]*3\dm", colored)
    _, text = await on_terminal(folder, "site", *words, NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*3\dm", text)


async def test_items_on_the_same_terminal_are_not_mixed_with_a_display(
    folder: Path, slow: Site
) -> None:
    status, text = await on_terminal(folder, "site", "-a", f"start={slow.url()}", "-o", "-")
    assert status == 0
    items = [line for line in screen(text) if line.startswith("{")]
    assert len([json.loads(line) for line in items]) == 20
    assert "elapsed" not in text


class Watched(Spider[Any], min_free_bytes=0, delay=0.0, obey_robots=False):
    """Follows every link."""

    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> object:
        return page.follow_all()


async def test_without_a_terminal_progress_is_a_plain_line_now_and_then(
    slow: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "crawler.notice")
    spider = Watched(slow.url())
    above = [Layer("test", {"output_dir": str(tmp_path), "max_pages": 30})]
    settings = settings_of(spider, above=above)
    async with open_run(spider, settings=settings, job=begin(spider, settings)) as run:
        async with asyncio.TaskGroup() as group:
            shown = group.create_task(progress.show(run, None, line_each=0.05))
            await run.finish()
            shown.cancel()
    pattern = r"0:0\d: 19 pages \([\d.]+/s\), 1 queued, 1 host, 0 items, 0 errors, 0:\d\d left"
    assert any(re.fullmatch(pattern, line) for line in caplog.messages)


async def test_quiet_shows_errors_only(bad: Path, small: Site) -> None:
    words = ["-a", f"start={small.url()}", "-q"]
    assert (await crawl(bad, "site", *words)).err == ""
    small.page("/", links=["/1"])
    done = await crawl(bad, "bad", *words)
    assert done.err == (
        f"error: parse failed: ValueError: not today (bad.py:10): {small.url('/1')}\n"
    )


@pytest.mark.parametrize("limit", [[], ["--max-pages", "1"]])
async def test_a_crawl_whose_every_callback_fails_has_failed_and_says_so_when_quiet(
    folder: Path, small: Site, limit: list[str]
) -> None:
    (folder / "spiders" / "bad.py").write_text(BAD.replace("if page.depth:", "if True:"))
    done = await crawl(folder, "bad", "-a", f"start={small.url('/1')}", "-q", *limit)
    assert done.status == 1
    assert re.fullmatch(
        r"crawl: bad: ended after .*: every callback failed", done.err.splitlines()[-1]
    )


async def test_many_errors_do_not_bury_the_table(bad: Path, small: Site) -> None:
    paths = [f"/more/{number}" for number in range(30)]
    small.page("/", links=paths)
    for path in paths:
        small.page(path)
    done = await crawl(bad, "bad", "-a", f"start={small.url()}")
    said = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(said) == 21
    assert said[-1] == "error: … more errors are in crawl.log only"
    log = (done.run / "crawl.log").read_text()
    assert len(re.findall("error   spiders.bad: parse failed", log)) == 30
    assert 'raise ValueError("not today")' in log  # the traceback is there


async def test_verbose_shows_the_log(folder: Path, small: Site) -> None:
    small.page("/", links=["/1", "/gone"])
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "-v")
    assert re.search(r"\d\d:\d\d:\d\d info    crawler\S+ site begins, in output/site", done.err)
    assert (
        f"warning crawler.committer: status: HTTP 404 Not Found: {small.url('/gone')}" in done.err
    )


async def test_a_url_that_fills_screens_is_cut_where_people_read(folder: Path, site: Site) -> None:
    long = "/" + "x" * 3000
    site.page("/", links=[long])
    done = await crawl(folder, "site", "-a", f"start={site.url()}", "-s", "url_bytes=5000")
    assert max(map(len, done.err.splitlines())) < 200
    assert f"({len(site.url(long)):,} characters)" in done.err
    assert done.lines("failures.jsonl")[0]["url"] == site.url(long)


@pytest.mark.parametrize("words", [[], ["-vv"]])
async def test_log_json_makes_every_line_an_object(
    bad: Path, small: Site, words: list[str]
) -> None:
    small.page("/", links=["/1", "/gone"])
    done = await crawl(bad, "bad", "-a", f"start={small.url()}", "--log-json", *words)
    shown = [json.loads(line) for line in done.err.splitlines()]
    assert shown[-1]["report"] == done.report
    assert shown[-1]["message"].startswith("bad: finished in ")
    (error,) = [entry for entry in shown if entry["level"] == "error"]
    assert error["url"] == small.url("/1")
    assert 'raise ValueError("not today")' in error["traceback"]
    logged = done.lines("crawl.log")
    assert {entry["url"] for entry in logged if "url" in entry} == {
        small.url("/1"), small.url("/gone"),
    }  # fmt: skip
    assert all({"time", "level", "logger", "message"} <= entry.keys() for entry in logged)
