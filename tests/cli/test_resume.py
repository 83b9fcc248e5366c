"""`--resume`: a run goes on."""

import json
import re
import signal
from pathlib import Path

import pytest

from crawler.frontier.glance import glance
from tests.cli.command import crawl, ended, lines
from tests.cli.lives import begun, grow, kept, killed, links_of, said_by, stopped
from tests.cli.test_outputs import count
from tests.site import Site

FOUND = re.compile(
    r"going on with (\S+): (\d+) pages? done, (\d+) queued \((\d+) of them in flight when it "
    r"died\), (\d+) items? kept"
)


@pytest.fixture
def web(site: Site) -> Site:
    """A site of sixty pages, three of them missing."""
    grow(site)
    return site


async def test_what_was_killed_goes_on_as_if_it_had_not_been(folder: Path, web: Site) -> None:
    words = ["site", "-a", f"start={web.url()}"]
    whole = await crawl(folder, *words, "-s", "output_dir=whole")
    (run,) = (folder / "whole").glob("*/*")
    for number in (9, 27, 45):  # it is killed before these are answered
        web.slow(f"/{number}", 0.5, links=links_of(number))
    await killed(folder, web, "/9", *words)
    for path in ("/27", "/45"):
        await killed(folder, web, path, "site", "--resume")
    left = glance(next((folder / "output").glob("*/*")))
    done = await crawl(folder, "site", "--resume")
    assert done.status == whole.status == 0
    assert kept(done.run) == kept(run)
    told = FOUND.search(done.err)
    assert told is not None, done.err
    pages, queued, in_flight, items = map(int, told.groups()[1:])
    assert (pages, items, queued) == (left.counts["pages"], left.part("items"), left.queued)
    assert 0 < in_flight <= queued
    assert told[1] == str(done.run.relative_to(folder))


@pytest.mark.parametrize("words", [[], ["--append"], ["--overwrite"]])
async def test_every_output_is_whole_over_a_kill(folder: Path, web: Site, words: list[str]) -> None:
    names = ["x.csv", "x.json", "x.jsonl", "y.jsonl"]
    outputs = [word for name in names for word in ("-o", name)]
    before = 0
    if words:
        await crawl(folder, "site", "-a", f"start={web.url('/lonely')}", *outputs)
        before = len(lines(folder / "x.jsonl"))
        assert before == 1
    await killed(folder, web, "/45", "site", "-a", f"start={web.url()}", *outputs, *words)
    done = await crawl(folder, "site", "--resume")
    assert done.status == 0
    expected = 57 + before * (words == ["--append"])
    assert [count(folder / name) for name in names] == [expected] * 4
    assert len({item["url"] for item in lines(folder / "y.jsonl")}) == expected


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_standard_output_has_each_line_once_over_orderly_stops(
    folder: Path, web: Site, processes: str
) -> None:
    words = ["site", "-a", f"start={web.url()}", "-o", "-", "--job", "run"]
    words += ["--processes", processes]
    out = ""
    for most in (3, 9, 10, 40):
        done = await crawl(folder, *words, "--max-items", str(most))
        assert done.err.count("stopped at max_items") == 1, done.err
        out += done.out
        assert len(out.splitlines()) == most
    out += (await crawl(folder, *words, "--max-items", "none")).out
    assert out == (folder / "run" / "items.jsonl").read_text()
    assert len(out.splitlines()) == 57


async def test_a_run_is_found_by_being_the_newest_by_name_and_by_path(
    folder: Path, web: Site
) -> None:
    run = (await stopped(folder, web)).run
    await stopped(folder, web)
    (newest,) = set((folder / "output").glob("*/*")) - {run}
    for words, which in (
        (["--resume", "--max-pages", "5"], newest),
        (["--resume", run.name, "--max-pages", "6"], run),
        (["--resume", f"output/site/{run.name}/", "--max-pages", "7"], run),
        (["--resume", f"site/{run.name}", "--max-pages", "8"], run),
        (["--resume", "site", "--max-pages", "6"], newest),
    ):
        done = await crawl(folder, "site", *words)
        assert f"going on with {which.relative_to(folder)}:" in done.err
        assert len(lines(which / "pages.jsonl")) == int(words[-1])


async def test_a_finished_run_says_so_and_names_an_older_one_that_is_not(
    folder: Path, web: Site
) -> None:
    older = (await stopped(folder, web)).run
    await crawl(folder, "site", "-a", f"start={web.url('/lonely')}")
    asked = len(web.log)
    done = await crawl(folder, "site", "--resume", "-o", "x.csv")
    assert (done.status, len(web.log)) == (0, asked)
    assert (
        "is finished with 1 pages, there is nothing to go on with, nor to write to x.csv"
        in done.err
    )
    assert done.err.endswith(f"; --resume {older.name} goes on with an older one\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--resume"], "spider site has no run in output/site; there is nothing to resume"),
        (["--resume", "x"], "spider site has no run 'x'; its newest are none"),
        (["--retry-failed", "x"], "spider site has no run 'x'; its newest are none"),
        (["--resume", "--job", "x"], "--resume and --job exclude each other"),
        (["--job", "x", "--join", "y"], "--job and --join exclude each other"),
        (["--resume", "--retry-failed", "x"], "--resume and --retry-failed exclude each other"),
        (["--resume", "--append"], "--resume keeps the outputs of its run"),
        (["--retry-failed", "x", "--overwrite"], "--retry-failed keeps the outputs of its run"),
    ],
)
async def test_what_cannot_be_gone_on_with_is_one_line(
    folder: Path, words: list[str], message: str
) -> None:
    assert (await crawl(folder, "site", *words)).refuses(message)


async def test_a_run_without_a_frontier_on_disk_cannot_go_on(folder: Path, web: Site) -> None:
    done = await stopped(folder, web, "-s", "frontier=memory")
    assert "go on" not in done.table
    done = await crawl(folder, "site", "--resume")
    assert done.status == 2
    assert done.err.endswith("has no frontier.db to go on from\n")


async def test_a_run_that_somebody_crawls_is_left_alone(folder: Path, web: Site) -> None:
    web.silent("/1")
    process = await begun(folder, web, "/1", "site", "-a", f"start={web.url()}")
    for words in (["--resume"], ["--retry-failed", next((folder / "output").glob("*/*")).name]):
        done = await crawl(folder, "site", *words)
        assert done.status == 2
        assert "is being crawled now; --join" in done.err
    process.kill()
    await process.communicate()


async def test_an_output_that_is_new_gets_everything_from_the_beginning(
    folder: Path, web: Site
) -> None:
    run = (await stopped(folder, web, "-o", "a.csv", "-o", "b.json")).run
    words = ["--max-pages", "none", "-o", "a.csv", "-o", f"{folder}/b.json", "-o", "new.csv"]
    done = await crawl(folder, "site", "--resume", *words)
    assert done.status == 0
    assert [count(folder / name) for name in ("a.csv", "b.json", "new.csv")] == [57] * 3
    assert json.loads((run / "run.json").read_text())["outputs"] == ["a.csv", "b.json", "new.csv"]


async def test_a_new_output_that_exists_is_somebody_elses(folder: Path, web: Site) -> None:
    await stopped(folder, web)
    (folder / "mine.csv").write_text("mine")
    done = await crawl(folder, "site", "--resume", "-o", "mine.csv")
    assert done.status == 2
    assert "mine.csv: exists" in done.err
    assert (folder / "mine.csv").read_text() == "mine"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_what_was_stopped_by_a_signal_goes_on_and_asks_for_nothing_again(
    folder: Path, web: Site, number: signal.Signals, status: int
) -> None:
    one = ["-s", "per_host=1"]  # nothing else is asked for meanwhile
    web.slow("/9", 0.1, links=links_of(9))
    web.slow("/27", 0.1)
    process = await begun(folder, web, "/9", "site", "-a", f"start={web.url()}", *one)
    process.send_signal(number)
    done = await ended(process, folder)
    assert (done.status, done.table["go on"]) == (status, "crawl site --resume")
    process = await begun(folder, web, "/27", "site", "--resume")
    process.send_signal(number)
    assert (await ended(process, folder)).status == status
    done = await crawl(folder, "site", "--resume")
    assert (done.status, done.report["pages"]) == (0, 57)
    assert sorted(web.paths) == sorted(set(web.paths))
    assert "go on" not in done.table


async def test_a_second_signal_leaves_only_what_was_in_hand_to_be_asked_again(
    folder: Path, web: Site
) -> None:
    web.silent("/9")
    words = ["-a", f"start={web.url()}", "-s", "per_host=1"]
    process = await begun(folder, web, "/9", "site", *words)
    process.send_signal(signal.SIGINT)
    await said_by(process, "once more ends at once")
    process.send_signal(signal.SIGINT)
    assert (await ended(process, folder)).status == 130
    web.page("/9", links=links_of(9))
    done = await crawl(folder, "site", "--resume")
    twice = {path for path in web.paths if web.paths.count(path) > 1}
    assert (done.status, twice) == (0, {"/9"})
