"""Passwords given on the command line: used by every life and process of a run, told to nobody."""

import stat
from pathlib import Path

import pytest

from tests.cli.command import Done, crawl
from tests.cli.lives import grow, killed
from tests.site import Site

BASIC = "Basic bWU6aHVudGVyMg=="  # me:hunter2
PRIVATE = {"run.json", "frontier.db", "frontier.db-wal", "frontier.db-shm"}


@pytest.fixture
def web(site: Site) -> Site:
    """A site of sixty pages, three of them missing."""
    grow(site)
    return site


def words_of(web: Site) -> list[str]:
    auth = f'auth={{"{web.url()}": "me:hunter2"}}'
    headers = 'headers={"Cookie": "s=hunter2"}'
    return ["site", "-a", f"start={web.url()}", "-s", auth, "-s", headers, "--job", "job"]


def check(done: Done, web: Site) -> None:
    assert done.status == 0, done.err
    assert {hit.headers.get("Authorization") for hit in web.log} == {BASIC}
    assert {hit.headers.get("Cookie") for hit in web.log} == {"s=hunter2"}
    job = done.folder / "job"
    found = {
        path.relative_to(job).as_posix()
        for path in job.rglob("*")
        if path.is_file() and b"hunter2" in path.read_bytes()
    }
    assert found <= PRIVATE
    assert "run.json" in found
    assert "hunter2" not in done.out + done.err
    for name in PRIVATE:
        if (job / name).exists():
            assert stat.S_IMODE((job / name).stat().st_mode) == 0o600, name


async def test_a_run_that_was_killed_goes_on_with_them(folder: Path, web: Site) -> None:
    words = words_of(web)
    await killed(folder, web, "/9", *words)
    check(await crawl(folder, "site", "--job", "job"), web)


async def test_every_process_of_a_run_has_them(folder: Path, web: Site) -> None:
    check(await crawl(folder, *words_of(web), "--processes", "2", "-s", "delay=0.001"), web)
