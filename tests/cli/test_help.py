"""`crawl --help` and its like."""

from pathlib import Path

import pytest

from crawler.cli import COMMANDS
from crawler.settings import VERSION
from tests.cli.command import crawl


async def test_help_names_every_command_on_a_whole_line(tmp_path: Path) -> None:
    done = await crawl(tmp_path, "--help", COLUMNS="80")
    assert done.status == 0
    listed = done.out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


async def test_without_a_word_the_help_is_shown_as_a_mistake(tmp_path: Path) -> None:
    done = await crawl(tmp_path)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Usage: crawl NAME [OPTIONS]")


@pytest.mark.parametrize("words", [["run", "--help"], ["any-spider", "--help"], ["demo", "-h"]])
async def test_help_of_a_run_lists_its_options(tmp_path: Path, words: list[str]) -> None:
    done = await crawl(tmp_path, *words)
    assert done.status == 0
    for option in ("--output", "--setting", "--max-pages", "--append", "--log-json"):
        assert option in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-q", "site"], "No such option '-q'. Options stand behind a name: crawl NAME -q"),
        (["--pages", "warc", "site"], "Options stand behind a name: crawl NAME --pages"),
    ],
)
async def test_an_option_before_the_name_is_told_its_place(
    tmp_path: Path, words: list[str], said: str
) -> None:
    assert (await crawl(tmp_path, *words)).refuses(said)


async def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert (await crawl(tmp_path, "--version")).out == f"crawl {VERSION}\n"
