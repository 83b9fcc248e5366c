"""`crawl NAME`, from its first line to its exit status."""

from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.command import crawl
from tests.site import Site


async def test_a_spider_runs_by_name_and_leaves_its_data(folder: Path, small: Site) -> None:
    done = await crawl(folder, "site", "-a", f"start={small.url()}")
    assert (done.status, done.out) == (0, "")
    assert {item["url"] for item in done.lines("items.jsonl")} == set(map(small.url, small.paths))
    assert len(done.lines("items.jsonl")) == len(done.lines("pages.jsonl")) == 20
    assert done.lines("failures.jsonl") == []
    assert done.report["pages"] == 20
    assert sum(path.is_file() for path in (done.run / "pages").rglob("*")) == 20
    log = (done.run / "crawl.log").read_text()
    assert "site begins" in log
    assert log.splitlines()[-1].partition("site: finished in")[1]


async def test_the_table_says_what_a_crawl_came_to(folder: Path, small: Site) -> None:
    small.page("/", links=["/0", "/gone", "/lost", "http://elsewhere.invalid/"])
    done = await crawl(folder, "site", "-a", f"start={small.url()}")
    text = done.err.splitlines()
    assert any(line.startswith("site: finished in ") for line in text)
    rows = done.table
    assert rows["pages"].startswith("2 (")
    assert rows["answers"] == "200: 2, 404: 2"
    assert rows["items"] == "page: 2"
    assert rows["failed"] == "status: 2"
    assert rows["left out"] == "out of scope: 1"
    assert rows["output"] == f"{done.run.relative_to(folder)}/"
    assert "slowest" not in rows  # of one host
    assert [line.strip() for line in text if "/gone" in line] == [small.url("/gone")]
    assert not any(line.endswith(" ") for line in text)


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_the_table_names_traps_and_what_was_too_long(
    folder: Path, site: Site, processes: str
) -> None:
    trap = "/b/c/b/c/b/c"
    site.page("/", links=[trap, trap + "/b/c", "/long" + "g" * 3_000])
    words = ["--processes", processes] if processes != "1" else []
    done = await crawl(folder, "site", "-a", f"start={site.url()}", *words)
    assert done.table["traps"] == f"repetition on {site.host()}: {site.url(trap)}"
    assert done.table["left out"] == "too long: 1, in a trap: 2"
    assert done.report["counts"]["trap.repetition"] == 2
    log = next(done.run.rglob("crawl*.log")).read_text()
    assert f"looks like a trap (repetition), left out: {site.url(trap)}" in log


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("shape_pages=3", "over shape_pages: 17"),
        ("host_pages=5", "over host_pages: 16"),
        ("soft_404=drop", "dropped (200 for what is not there): 20"),
    ],
)
async def test_the_table_has_words_for_what_was_left_out(
    folder: Path, site: Site, setting: str, told: str
) -> None:
    async def sorry(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="<p>Sorry", content_type="text/html")

    site.page("/", links=[f"/gone/{n}" for n in range(20)])
    site.elsewhere(sorry)
    words = ["-a", f"start={site.url()}", "-s", setting]
    done = await crawl(folder, "site", *words)
    assert done.table["left out"] == told


@pytest.mark.parametrize(
    ("words", "reason", "pages"),
    [
        (["--max-pages", "5"], "max_pages", range(5, 6)),
        (["--max-items", "7"], "max_items", range(7, 20)),
        (["--max-seconds", "0.1", "-s", "delay=0.02"], "max_seconds", range(20)),
    ],
)
async def test_a_limit_ends_a_crawl_in_good_order_and_is_named(
    folder: Path, small: Site, words: list[str], reason: str, pages: range
) -> None:
    done = await crawl(folder, "site", "-a", f"start={small.url()}", *words)
    assert done.status == 0
    assert done.report["reason"] == reason
    assert done.report["pages"] in pages
    assert f"site: stopped at {reason} after " in done.err
    assert done.table.get("queued", "0") == str(done.report["queued"])


@pytest.mark.parametrize(("kind", "kept"), [("files", True), ("none", False)])
async def test_bodies_are_kept_or_not(folder: Path, small: Site, kind: str, kept: bool) -> None:
    done = await crawl(folder, "site", "-a", f"start={small.url('/1')}", "--pages", kind)
    assert (done.run / "pages").exists() == kept
    assert len(done.lines("pages.jsonl")) == 1


async def test_nothing_delivered_at_all_is_a_failure(folder: Path) -> None:
    done = await crawl(folder, "site", "-a", "start=http://nowhere.invalid/")
    assert done.status == 1
    assert "nothing was delivered" in done.err
    (failure,) = done.lines("failures.jsonl")
    assert (failure["url"], failure["kind"]) == ("http://nowhere.invalid/", "dns")


async def test_more_failures_than_max_failures_give_up(folder: Path, site: Site) -> None:
    site.page("/", links=[f"/gone/{number}" for number in range(30)])
    words = ["-s", "max_failures=3", "-s", "delay=0.01", "-s", "per_host=1"]
    done = await crawl(folder, "site", "-a", f"start={site.url()}", *words)
    assert done.status == 1
    assert "more failures than max_failures" in done.err
    assert len(site.log) < 31


async def test_a_start_that_raises_fails_the_crawl_and_says_where(folder: Path) -> None:
    (folder / "spiders" / "lame.py").write_text(
        "from crawler import Request, Spider\n"
        "class Lame(Spider, min_free_bytes=0):\n"
        "    async def start(self):\n"
        "        yield Request('http://127.0.0.1:1/')\n"
        "        raise RuntimeError('no more')\n"
        "    def parse(self, page): ...\n"
    )
    done = await crawl(folder, "lame")
    assert done.status == 1
    assert "error: start failed: RuntimeError: no more (lame.py:5)" in done.err


async def test_the_spiders_own_counters_are_shown(folder: Path, small: Site) -> None:
    (folder / "spiders" / "tally.py").write_text(
        "from crawler import Spider\n"
        "class Tally(Spider, min_free_bytes=0, obey_robots=False):\n"
        f"    start_urls = [{small.url('/1')!r}]\n"
        "    def parse(self, page): self.count('seen', 3)\n"
    )
    assert (await crawl(folder, "tally")).table["counted"] == "seen: 3"


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_whoever_crawls_is_told_which_hosts_are_left_alone_and_slowed(
    folder: Path, site: Site, processes: str
) -> None:
    site.page("/", links=["/0", "/1", "/2"])
    for number in range(3):
        site.page(f"/{number}", status=503)
    words = ["--processes", processes] if processes != "1" else []
    for pair in ("host_failures=2", "max_failures=1", "retries=0", "per_host=1", "delay=0"):
        words += ["-s", pair]
    done = await crawl(folder, "site", "-a", f"start={site.url()}", *words)
    why = "left alone for 30 s: 2 failures in a row, the last: HTTP 503"
    assert done.report["parked"] == {site.host(): why}
    assert done.report["slowed"] == {site.host(): 1.0}
    assert done.table["parked"] == f"{site.host()}: {why}"
    assert done.table["slowed"] == f"{site.host()} 1 s"
    assert f"{site.host()} is {why}" in done.err.splitlines()
