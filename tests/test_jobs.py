"""Runs are begun, found, and told apart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler import Response, Spider
from crawler.errors import RunError
from crawler.jobs import begin, runs_in
from crawler.settings import Settings


class Site(Spider[Any]):
    start_urls = ["http://a.example/"]

    def parse(self, page: Response) -> None: ...


SETTINGS = Settings(frontier="sqlite")


class Meanwhile(list[str]):
    """The outputs of a run; while they are looked at another process begins the same run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[str]:
        if not self._folder.exists():
            begin(Site(), SETTINGS, folder=self._folder)
        return iter(())


def test_of_two_that_begin_a_run_at_once_the_second_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="another process began this run just now"):
        begin(Site(), SETTINGS, folder=tmp_path / "job", outputs=Meanwhile(tmp_path / "job"))


def test_runs_of_one_second_are_sorted_by_their_numbers(tmp_path: Path) -> None:
    stamp = "2026-01-01T00-00-00"
    names = [stamp, f"{stamp}-2", f"{stamp}-10", "2026-01-01T00-00-01"]
    for name in reversed(names):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "run.json").touch()
    (tmp_path / "site" / "no-run").mkdir()
    assert [folder.name for folder in runs_in(tmp_path, "site")] == names
