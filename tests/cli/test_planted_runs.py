"""A run is gone on with in whose folder somebody put links and pipes."""

import os
from pathlib import Path

import pytest

from tests.cli.command import crawl
from tests.site import Site

FILES = [
    "run.json", "crawl.log", "frontier.db", "items.jsonl", "pages.jsonl", "media.jsonl",
    "failures.jsonl", ".lock",
]  # fmt: skip
FOLDERS = ["pages", ".processes"]


async def begun(folder: Path, site: Site) -> Path:
    done = await crawl(folder, "site", "-a", f"start={site.url()}", "--max-pages", "2")
    assert done.status == 0
    return done.run


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["link", "pipe"])
async def test_a_planted_file_ends_it_in_one_line_that_names_it(
    folder: Path, small: Site, tmp_path: Path, name: str, kind: str
) -> None:
    run = await begun(folder, small)
    victim = tmp_path / "victim"
    # As if whoever planted it knew what the file has to look like.
    victim.write_bytes((run / name).read_bytes())
    before = victim.read_bytes()
    (run / name).unlink()
    if kind == "link":
        (run / name).symlink_to(victim)
    else:
        os.mkfifo(run / name)
    done = await crawl(folder, "site", "--resume", run.name, "--max-pages", "9")
    assert done.status in (2, 3)
    assert name in done.err.splitlines()[-1]
    assert "symbolic link" in done.err or kind == "pipe"
    assert victim.read_bytes() == before


@pytest.mark.parametrize("name", FOLDERS)
async def test_a_planted_folder_ends_it_in_one_line_that_names_it(
    folder: Path, small: Site, tmp_path: Path, name: str
) -> None:
    run = await begun(folder, small)
    (run / name).rename(tmp_path / "elsewhere")
    before = sorted((tmp_path / "elsewhere").rglob("*"))
    (run / name).symlink_to(tmp_path / "elsewhere")
    done = await crawl(folder, "site", "--resume", run.name, "--max-pages", "9")
    assert done.status == 3
    assert name in done.err.splitlines()[-1]
    assert "symbolic link" in done.err
    assert sorted((tmp_path / "elsewhere").rglob("*")) == before


async def test_a_further_process_writes_into_no_planted_folder(
    folder: Path, small: Site, tmp_path: Path
) -> None:
    run = await begun(folder, small)
    (tmp_path / "elsewhere").mkdir()
    (run / "parts").symlink_to(tmp_path / "elsewhere")
    done = await crawl(folder, "site", "--resume", run.name, "--max-pages", "9", "--processes", "2")
    assert done.status == 3
    assert "parts" in done.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_runs_are_listed_beside_one_with_planted_files(folder: Path, small: Site) -> None:
    run = await begun(folder, small)
    other = run.with_name(f"{run.name}-2")
    other.mkdir()
    for name in ("run.json", "frontier.db", "stats.json"):
        os.mkfifo(other / name)
    done = await crawl(folder, "runs")
    assert done.status == 0
    assert run.name in done.out
    assert "run.json: cannot be read" in done.out


async def test_what_a_crawl_writes_is_not_executable(folder: Path, small: Site) -> None:
    done = await crawl(
        folder, "site", "-a", f"start={small.url()}", "-o", "x.csv", before="umask 0;"
    )
    files = [path for path in folder.rglob("*") if path.is_file() and "spiders" not in path.parts]
    assert done.run / "crawl.log" in files
    assert not [path for path in files if path.stat().st_mode & 0o111]
