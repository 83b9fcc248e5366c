"""`crawl runs`."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.cli.command import crawl, ended
from tests.cli.lives import begun, grow, killed, stopped
from tests.site import Site


@pytest.fixture
def web(site: Site) -> Site:
    grow(site)
    return site


async def listed(folder: Path, *words: str) -> list[list[str]]:
    """Return the table's cells, without its head."""
    done = await crawl(folder, "runs", *words)
    assert (done.status, done.err) == (0, "")
    head, *rows = done.out.splitlines()
    assert head.split() == [
        "SPIDER",
        "RUN",
        "STARTED",
        "PAGES",
        "ITEMS",
        "FAILED",
        "QUEUED",
        "STATE",
    ]
    ends = [head.index(word) + len(word) for word in ("PAGES", "ITEMS", "FAILED", "QUEUED")]
    assert all(row[end - 1].isdigit() or row[end - 1] == "-" for row in rows for end in ends)
    return [[cell.strip() for cell in row.split("  ") if cell.strip()] for row in rows]


def runs(folder: Path) -> set[Path]:
    return set((folder / "output").glob("*/*"))


async def test_each_run_is_a_line_with_how_far_it_got(folder: Path, web: Site) -> None:
    other = (folder / "spiders" / "site.py").read_text().replace("class Site(", "class Other(")
    (folder / "spiders" / "other.py").write_text(other)
    words = ["-a", f"start={web.url()}", "--pages", "none"]
    await crawl(folder, "site", *words)
    await stopped(folder, web)
    before = runs(folder)
    await killed(folder, web, "/45", "other", *words)
    (dead,) = runs(folder) - before
    await stopped(folder, web, "-s", "frontier=memory")
    web.silent("/9")
    live = await begun(folder, web, "/9", "site", *words, "-s", "per_host=1")
    finished, limited, kill, memory, crawled = await listed(folder)
    live.kill()
    await ended(live, folder)
    assert finished[3:-1] == ["57", "57", "3", "0"]
    assert finished[-1].startswith("finished in ")
    assert limited[3:-1] == ["3", "3", "0", limited[-2]]
    assert limited[-1].startswith("stopped at max_pages after ")
    assert kill[:2] == ["other", dead.name]
    assert 10 < int(kill[3]) == int(kill[4]) < 57
    assert (int(kill[-2]) > 0, kill[-1]) == (True, "killed")
    assert memory[-1].endswith("; nothing to go on from")
    assert (crawled[0], crawled[-1]) == ("site", "being crawled")
    assert [line[0] for line in await listed(folder, "other")] == ["other"]


async def test_a_run_that_was_killed_later_is_not_shown_as_it_ended_before(
    folder: Path, web: Site
) -> None:
    await stopped(folder, web)
    await killed(folder, web, "/45", "site", "--resume", "--max-pages", "none")
    (line,) = await listed(folder)
    assert line[-1] == "killed"
    assert int(line[3]) > 3


async def test_a_broken_run_is_named_among_the_others(folder: Path, web: Site) -> None:
    broken = (await stopped(folder, web)).run
    (broken / "frontier.db").write_text("nonsense " * 100)
    await crawl(folder, "site", "-a", f"start={web.url('/lonely')}")
    (fine,) = runs(folder) - {broken}
    (fine / "run.json").write_text("{")
    shown = {row[1]: row[2:] for row in await listed(folder)}
    _, *figures, state = shown[broken.name]
    assert figures[:3] == ["3", "3", "0"]  # as the report has them
    assert state.startswith("frontier.db: cannot be read: file is not a database")
    *figures, state = shown[fine.name]
    assert figures == ["-", "1", "1", "0", "0"]
    assert state.startswith("run.json: cannot be read: ")


async def test_where_there_are_no_runs_that_is_said(folder: Path) -> None:
    for words, said in (
        ([], "crawl: no runs in output\n"),
        (["site"], "crawl: no runs in output/site\n"),
        (["site", "-s", "output_dir=x"], "crawl: no runs in x/site\n"),
    ):
        done = await crawl(folder, "runs", *words)
        assert (done.status, done.out, done.err) == (0, "", said)
    assert (await crawl(folder, "runs", "bogus")).refuses("unknown spider 'bogus'")


async def test_runs_are_found_where_settings_say(folder: Path, web: Site) -> None:
    (folder / "crawler.toml").write_text('output_dir = "there"')
    await crawl(folder, "site", "-a", f"start={web.url('/lonely')}")
    assert len(await listed(folder)) == 1
    (folder / "spiders" / "site.py").unlink()
    assert len(await listed(folder, "site")) == 1  # its spider need not be there any more


def files(run: Path) -> set[str]:
    return {path.name for path in run.iterdir()}


async def test_pruning_frees_finished_runs_and_keeps_their_data(folder: Path, web: Site) -> None:
    await crawl(folder, "site", "-a", f"start={web.url('/lonely')}")
    (finished,) = runs(folder)
    await stopped(folder, web)
    (other,) = runs(folder) - {finished}
    before = files(other)
    done = await crawl(folder, "runs", "--prune")
    freed, total = done.out.splitlines()
    assert freed.startswith(f"{finished.relative_to(folder)}: finished, its frontier removed (")
    assert total.endswith(" kB freed, of 1 finished run")
    data = {"items.jsonl", "pages.jsonl", "pages", "media.jsonl", "failures.jsonl"}
    assert files(finished) == data | {"run.json", "stats.json", "crawl.log"}
    assert files(other) == before
    assert [line[-1][:4] for line in await listed(folder)] == ["fini", "stop"]
    assert "is finished" in (await crawl(folder, "site", "--resume", finished.name)).err
    done = await crawl(folder, "site", "--retry-failed", finished.name)
    assert (done.status, "has no frontier.db any more" in done.err) == (2, True)
    assert (await crawl(folder, "runs", "--prune")).out == "0 B freed, of 0 finished runs\n"


async def test_pruning_leaves_a_live_run_alone_though_it_was_finished_once(
    folder: Path, web: Site
) -> None:
    web.page("/lonely", status=500)
    await crawl(folder, "site", "-a", f"start={web.url('/lonely')}")
    (run,) = runs(folder)
    web.silent("/lonely")
    live = await begun(folder, web, "/lonely", "site", "--retry-failed", run.name)
    (run / "stats.json").write_text('{"spider": "site", "finished": true}')
    done = await crawl(folder, "runs", "--prune")
    assert done.out == "0 B freed, of 0 finished runs\n"
    assert (run / "frontier.db").exists()
    live.send_signal(signal.SIGINT)
    live.send_signal(signal.SIGTERM)
    await ended(live, folder)


OLD = time.time() - 7200


def make(run: Path, *names: str, age: float = OLD) -> Path:
    run.mkdir(parents=True)
    for name in names:
        (run / name).write_text("")
    os.utime(run, (age, age))
    return run


async def test_pruning_removes_folders_of_runs_that_hold_nothing(folder: Path) -> None:
    here = folder / "output" / "site"
    begun = ("run.json", "crawl.log", "items.jsonl", "frontier.db", ".lock")
    gone = [
        make(here / "2026-01-01T00-00-00"),
        make(here / "2026-01-01T00-00-01", *begun),
        make(here / "2026-01-01T00-00-01-2", ".run.json.part"),
    ]
    kept = [
        make(here / "2026-01-01T00-00-02", *begun, age=time.time()),
        make(here / "2026-01-01T00-00-03", *begun, "thesis.tex"),
        make(here / "2026-01-01T00-00-04", *begun, "stats.json"),
        make(here / "photos"),
        make(here / "2026-01-01T00-00-05", *begun),
        make(here / "2026-01-01T00-00-06", *begun),
    ]
    for run, name in ((kept[-1], "pages.jsonl"), (kept[-2], "frontier.db")):
        (run / name).write_text("something")
        os.utime(run, (OLD, OLD))
    done = await crawl(folder, "runs", "--prune")
    said = {f"{run.relative_to(folder)}: held nothing, removed" for run in gone}
    assert set(done.out.splitlines()[:-1]) == said
    assert set(here.iterdir()) == set(kept)


async def test_a_run_whose_output_could_not_be_opened_was_not_killed(
    folder: Path, web: Site
) -> None:
    output = "sftp://me@127.0.0.1:1/x.jsonl"  # nobody listens there
    done = await crawl(folder, "site", "-a", f"start={web.url()}", "-o", output)
    assert done.status == 3
    (run,) = await listed(folder)
    assert run[3:] == ["0", "0", "0", "0", "not begun"]
