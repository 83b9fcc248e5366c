"""Runs that write to one file, one after the other."""

import shutil
from pathlib import Path

import pytest

from tests.cli.command import crawl, lines, start
from tests.site import Site


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv"])
async def test_what_a_later_run_appended_is_not_cut_off_by_a_resume(
    folder: Path, small: Site, name: str
) -> None:
    given = ("site", "-a", f"start={small.url()}", "-o", name)
    await crawl(folder, *given, "--job", "one/1", "--max-pages", "3")
    await crawl(folder, *given, "--append", "--max-pages", "5")
    written = (folder / name).read_bytes()
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "--job", "one/1")
    assert (done.status, f"{name} was since written to by run output" in done.err) == (2, True)
    assert (folder / name).read_bytes() == written
    later = await crawl(folder, "site", "--resume", "--max-pages", "20")
    assert later.status == 0, later.err
    assert (folder / name).read_bytes().startswith(written)


async def test_a_copy_of_a_run_keeps_neither_from_going_on(folder: Path, small: Site) -> None:
    given = ("site", "-a", f"start={small.url()}", "-o", "x.csv")
    await crawl(folder, *given, "--job", "jobs/one", "--max-pages", "3")
    shutil.copytree(folder / "jobs" / "one", folder / "jobs" / "copy")
    done = await crawl(folder, *given, "--job", "jobs/one", "--max-pages", "20")
    assert (done.status, len(lines(folder / "jobs" / "one" / "items.jsonl"))) == (0, 20), done.err


async def test_a_run_that_was_refused_a_file_another_writes_to_changes_nothing_for_that_one(
    folder: Path, small: Site
) -> None:
    small.silent("/3")
    asked = small.asked("/3")
    given = ("site", "-a", f"start={small.url()}", "-o", "x.jsonl")
    first = await start(folder, *given, "--job", "one/1")
    await asked.wait()
    refused = await crawl(folder, *given, "--append", "-s", "target_pause=0")
    assert (refused.status, "another crawl writes to it now" in refused.err) == (3, True)
    first.kill()
    await first.communicate()
    small.page("/3")
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "--job", "one/1")
    assert (done.status, len(lines(folder / "x.jsonl"))) == (0, 20), done.err
