"""A disk of its own for the outputs, which is full in mid-crawl; the run's folder has room."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from crawler.export.formats import FORMATS
from tests.cli.command import crawl, ended, lines
from tests.cli.lives import begun, said_by
from tests.cli.test_full_disk import web as web  # a fixture
from tests.databases import duckdb_reader, sqlite_cli
from tests.export.readers import Rows, read
from tests.site import Site

SIZE = "-osize=16m"
OUTPUTS: dict[str, Callable[[Path], Rows]] = {
    **{f"x{suffix}": read for suffix in FORMATS},
    "x.db": lambda path: sqlite_cli(path)("SELECT url FROM page"),
    "x.duckdb": lambda path: duckdb_reader(path)("SELECT url FROM page"),
}


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    path = folder / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", SIZE, "tmpfs", str(path)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs a file system of its own: root, and the right to mount one")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def fill(disk: Path) -> Path:
    """Take all of a disk's room; return the file that has it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def urls(disk: Path) -> dict[str, list[Any]]:
    return {name: sorted(row["url"] for row in rows(disk / name)) for name, rows in OUTPUTS.items()}


def words(site: Site, *more: str) -> list[str]:
    outputs = [word for name in OUTPUTS for word in ("-o", f"disk/{name}")]
    start = ["large", "-a", f"start={site.url()}", "-a", "size=9000", "--job", "job"]
    return [*start, "-o", "items.jsonl", *outputs, *more]  # the first one is the spool itself


async def test_outputs_whose_disk_is_full_wait_for_room_and_the_crawl_goes_on(
    folder: Path, web: Site, disk: Path
) -> None:
    web.slow("/45", 1.0)
    process = await begun(
        folder, web, "/9", *words(web, "-s", "target_pause=2", "-s", "concurrency=1")
    )
    ballast = fill(disk)
    said = await said_by(process, "no space left on the disk; it is tried again")
    ballast.unlink()
    done = await ended(process, folder)
    assert done.status == 0, said + done.err
    items = sorted(item["url"] for item in lines(folder / "items.jsonl"))
    assert len(items) == 57
    assert urls(disk) == dict.fromkeys(OUTPUTS, items)


async def test_a_disk_that_stays_full_leaves_status_3_and_a_resume_brings_what_is_missing(
    folder: Path, web: Site, disk: Path
) -> None:
    process = await begun(
        folder, web, "/9", *words(web, "-s", "target_pause=0.1", "-s", "concurrency=1")
    )
    ballast = fill(disk)
    done = await ended(process, folder)
    assert done.status == 3
    assert "no space left on the disk" in done.err
    items = sorted(item["url"] for item in lines(folder / "items.jsonl"))
    assert len(items) == 57
    ballast.unlink()
    again = await crawl(folder, "large", "--job", "job")
    assert again.status == 0, again.err
    assert urls(disk) == dict.fromkeys(OUTPUTS, items)
