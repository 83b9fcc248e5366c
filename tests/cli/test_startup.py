"""What a command does not import: start-up is paid by whoever waits for a prompt."""

import shutil
from pathlib import Path

import pytest

from tests.cli.command import Done, crawl

SPIDERS = Path(__file__).parents[2] / "spiders"
TO_CRAWL = {"aiohttp", "aiofiles", "backports", "brotli", "rich", "sqlite3"}
OF_EXTRAS = {"dateparser", "lxml", "parsel", "price_parser"}
TO_READ_A_PAGE = {"ada_url", "publicsuffixlist", "selectolax", "yarl"}  # a spider names Response


async def imported(folder: Path, *words: str) -> tuple[Done, set[str]]:
    """Run `crawl`; return how it ended, and every module that it imported."""
    done = await crawl(folder, *words, PYTHONPROFILEIMPORTTIME="1")
    lines = [line for line in done.err.splitlines() if line.startswith("import time:")]
    return done, {line.rpartition("|")[2].strip() for line in lines}


def roots(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["--no-such-option"], []])
async def test_help_imports_no_command_and_nothing_that_crawls(
    tmp_path: Path, words: list[str]
) -> None:
    _, modules = await imported(tmp_path, *words)
    assert "click" in modules
    assert not roots(modules) & (TO_CRAWL | TO_READ_A_PAGE | {"asyncio"})
    ours = {module for module in modules if module.startswith("crawler.")}
    assert ours <= {"crawler.cli", "crawler.cli.streams"} | {
        f"crawler.{ground}"
        for ground in ("errors", "oserrors", "setting_values", "settings", "words")
    }


async def test_a_list_of_spiders_imports_nothing_that_crawls(tmp_path: Path) -> None:
    shutil.copytree(SPIDERS, tmp_path / "spiders", ignore=shutil.ignore_patterns("__pycache__"))
    done, modules = await imported(tmp_path, "list")
    assert done.status == 0
    assert len(done.out.splitlines()) == len(list(SPIDERS.glob("*.py")))
    assert roots(modules) >= TO_READ_A_PAGE
    assert not roots(modules) & (TO_CRAWL | OF_EXTRAS)
    for room in ("app", "demo", "engine", "fetch", "frontier", "jobs", "rules"):
        assert f"crawler.{room}" not in modules
