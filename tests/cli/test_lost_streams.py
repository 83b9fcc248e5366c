"""A crawl whose disk, standard output or standard error goes away."""

from pathlib import Path

import pytest

from tests.cli.command import crawl, lines
from tests.site import Site

SMALL_FILES = "ulimit -f 4;"  # blocks of 512 bytes


@pytest.fixture
def large(site: Site) -> Site:
    """A site whose index of pages does not fit into a small file."""
    paths = [f"/{number}" for number in range(40)]
    site.page("/", links=paths)
    for path in paths:
        site.page(path)
    return site


@pytest.mark.parametrize("words", [[], ["-o", "items.csv"]])
async def test_a_disk_that_fills_ends_the_crawl_with_whole_lines(
    folder: Path, large: Site, words: list[str]
) -> None:
    asked = ["-a", f"start={large.url()}", "-s", "target_pause=0", "-s", "frontier=memory"]
    done = await crawl(folder, "site", *asked, *words, before=SMALL_FILES)
    assert done.status == done.report["exit_status"] == 3
    (said,) = [line for line in done.err.splitlines() if line.startswith("site: failed after")]
    assert f": {done.run.relative_to(folder)}/" in said
    assert said.endswith("the file may not grow any larger")
    kept = {name: done.lines(name) for name in ("items.jsonl", "pages.jsonl", "failures.jsonl")}
    assert len(kept["items.jsonl"]) == len(kept["pages.jsonl"]) == done.report["pages"] < 41


async def test_a_full_disk_is_one_line_also_when_quiet(folder: Path, large: Site) -> None:
    words = ["-a", f"start={large.url()}", "-s", "target_pause=0", "--pages", "none", "-q"]
    done = await crawl(folder, "site", *words, before=SMALL_FILES)
    assert done.status == 3
    assert done.err.splitlines()[-1].startswith("crawl: output/site/")


async def test_a_reader_that_has_seen_enough_ends_the_crawl(folder: Path, large: Site) -> None:
    words = ["-a", f"start={large.url()}", "-o", "-", "-s", "delay=0.01", "-s", "per_host=1"]
    done = await crawl(folder, "site", *words, before="{", after="; echo $? >&2; } | head -n 1")
    assert len(done.out.splitlines()) == 1
    assert done.err.splitlines()[-1] == "3"
    assert done.report["exit_status"] == 3
    assert len(large.log) < 41
    assert done.lines("items.jsonl")


async def test_a_full_standard_output_stops_that_output_alone(folder: Path, small: Site) -> None:
    done = await crawl(
        folder,
        "site",
        "-a",
        f"start={small.url()}",
        "-o",
        "-",
        "-o",
        "x.jsonl",
        "-s",
        "target_pause=0.1",
        after=">/dev/full",
    )
    assert done.status == 3
    assert "standard output: no space left on the disk" in done.err
    assert len(lines(folder / "x.jsonl")) == 20


@pytest.mark.parametrize("lost", ["2>/dev/full", ">&-", "<&- >&- 2>&-"])
async def test_streams_that_nobody_needs_may_be_lost(folder: Path, small: Site, lost: str) -> None:
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "-v", after=lost)
    assert done.status == 0
    assert len(done.lines("items.jsonl")) == 20
    assert done.out == ""


async def test_a_mistake_keeps_its_status_when_nobody_hears_of_it(folder: Path) -> None:
    assert (await crawl(folder, "bogus", after="2>/dev/full")).status == 2
    done = await crawl(folder, "bogus", after="2>&-")
    assert (done.status, done.out) == (2, "")


async def test_items_for_a_standard_output_that_is_closed_are_refused(folder: Path) -> None:
    done = await crawl(folder, "site", "-a", "start=http://a/", "-o", "-", after=">&-")
    assert done.refuses("-o -: standard output is closed")


@pytest.mark.parametrize("command", ["list", "settings"])
async def test_a_list_that_cannot_be_written_is_one_line(folder: Path, command: str) -> None:
    done = await crawl(folder, command, after=">/dev/full")
    assert done.status == 3
    assert done.err == "crawl: standard output: no space left on the disk\n"
    assert (await crawl(folder, command, before="{", after="; } | head -n 1")).err == ""
