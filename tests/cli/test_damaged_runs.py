"""A run whose files were edited, lost, or do not fit on the disk."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import SPIDER, crawl, lines
from tests.cli.lives import grow, stopped
from tests.cli.test_outputs import count
from tests.site import Site


async def _begin(folder: Path) -> None:
    async with Site() as site:
        grow(site)
        (folder / "spiders").mkdir()
        (folder / "spiders" / "site.py").write_text(SPIDER)
        await stopped(folder, site, "--job", "job", pages=30)


@pytest.fixture(scope="module")
def begun_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun")
    asyncio.run(_begin(folder))
    return folder


@pytest.fixture
def begun(begun_once: Path, tmp_path: Path) -> Path:
    """A project with a run in `job/` that was stopped half-way."""
    return shutil.copytree(begun_once, tmp_path / "project")


def data(folder: Path) -> dict[str, bytes]:
    files = [path for path in (folder / "job").rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files if path.suffix in (".jsonl", ".html")}


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def change(file: Path) -> None:
    text = file.read_text()
    file.write_text(text.replace("http", "ftp", 1))


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("items.jsonl", Path.unlink, "is gone, with"),
        ("pages.jsonl", Path.unlink, "is gone, with"),
        ("failures.jsonl", Path.unlink, "is gone, with"),
        ("items.jsonl", halve, "bytes were committed, but the file has"),
        ("pages.jsonl", change, "bytes were committed, but the file has"),
        ("failures.jsonl", change, "bytes were committed, but the file has"),
    ],
)
async def test_a_line_file_that_was_edited_is_named_and_left_as_it_is(
    begun: Path, name: str, damage: Callable[[Path], None], words: str
) -> None:
    damage(begun / "job" / name)
    before = data(begun)
    done = await crawl(begun, "site", "--job", "job", "--max-pages", "40")
    assert done.status == 3
    assert done.err.startswith(f"crawl: job/{name}: ")
    assert words in done.err
    assert data(begun) == before


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.jsonl"])
async def test_an_output_that_lost_what_others_left_in_it_is_named_and_left_as_it_is(
    folder: Path, site: Site, name: str
) -> None:
    grow(site)
    await crawl(folder, "site", "-a", f"start={site.url('/lonely')}", "-o", name, "--job", "1")
    words = ["-o", "y.jsonl", "-o", name, "--append", "--job", "2"]
    await stopped(folder, site, *words)
    (folder / name).write_bytes((folder / name).read_bytes()[:20])
    done = await crawl(folder, "site", "--job", "2", "--max-pages", "9")
    assert done.status == 3
    assert done.err.startswith(f"crawl: {folder / name}: held ")
    assert (folder / name).stat().st_size == 20
    assert len(lines(folder / "y.jsonl")) == 3


async def test_an_output_that_this_run_wrote_is_written_anew(folder: Path, site: Site) -> None:
    grow(site)
    await stopped(folder, site, "-o", "x.csv", "-o", "x.json")
    (folder / "x.csv").unlink()
    (folder / "x.json").write_text("[]")
    done = await crawl(folder, "site", "--resume", "--max-pages", "9")
    assert (done.status, count(folder / "x.csv"), count(folder / "x.json")) == (0, 9, 9)


async def test_what_a_finished_run_left_is_nobodys_business(folder: Path, site: Site) -> None:
    site.page("/")
    done = await crawl(folder, "site", "-a", f"start={site.url()}")
    (done.run / "items.jsonl").unlink()
    again = await crawl(folder, "site", "--resume")
    assert again.status == 0
    assert "is finished" in again.err
    assert not (done.run / "items.jsonl").exists()


def scribble(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100] + b"\xff" * (file.stat().st_size - 100))


def age(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (scribble, "database disk image is malformed"),
        (halve, "is malformed"),
        (age, "written by a newer version"),
        (lambda file: file.write_text("no database, but words, and enough of them: " * 3), "not a"),
        (Path.unlink, "has no frontier.db to go on from"),
        (lambda file: file.write_bytes(b""), "holds nothing of this run, whose files do"),
    ],
)
async def test_a_frontier_that_is_broken_is_named_and_its_data_are_left_as_they_are(
    begun: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(begun / "job" / "frontier.db")
    before = data(begun)
    done = await crawl(begun, "site", "--job", "job", "--max-pages", "40")
    assert (done.status, data(begun)) == (2, before), done.err
    (line,) = done.err.splitlines()
    assert line.startswith("crawl: job")
    assert "frontier.db" in line
    assert words in line
