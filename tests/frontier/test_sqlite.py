"""The SQLite frontier keeps the contract, and its own promises."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crawler.frontier.sqlite import SqliteFrontier
from tests.frontier.contract import *  # noqa: F403  # the suite itself
from tests.frontier.contract import Clock, Make


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make(clock: Clock, tmp_path: Path) -> AsyncIterator[Make]:
    made: list[SqliteFrontier] = []

    async def opened(**options: Any) -> SqliteFrontier:
        frontier = SqliteFrontier(tmp_path / str(len(made)), clock=clock, **options)
        (tmp_path / str(len(made))).mkdir()
        made.append(frontier)
        await frontier.open()
        return frontier

    yield opened
    for frontier in made:
        await frontier.aclose()
