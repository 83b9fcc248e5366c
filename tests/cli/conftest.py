"""What tests of the command line need."""

from pathlib import Path

import pytest

from tests.cli.command import SPIDER
from tests.site import Site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one spider, `site`, that takes `-a start=URL` and follows every link."""
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "site.py").write_text(SPIDER)
    return tmp_path


@pytest.fixture
def small(site: Site) -> Site:
    """A site of a front page and nineteen others."""
    paths = [f"/{number}" for number in range(19)]
    site.page("/", links=paths)
    for path in paths:
        site.page(path)
    return site
