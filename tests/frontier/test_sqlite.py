"""The SQLite frontier keeps the contract, and its own promises."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
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


async def test_what_an_earlier_life_kept_is_told_once_and_what_others_keep_is_heard(
    clock: Clock, tmp_path: Path
) -> None:
    heard: asyncio.Queue[Mapping[str, bytes]] = asyncio.Queue()

    def opened(*, alone: bool = True) -> SqliteFrontier:
        return SqliteFrontier(
            tmp_path, alone=alone, clock=clock, batch=lambda notes: 4, heard=heard.put_nowait
        )

    before = opened()
    await before.open()
    await before.commit(Batch(kept={"a": b"1"}))
    await before.aclose()
    first, other = opened(), opened(alone=False)
    assert (await first.open()).kept == {"a": b"1"}
    await other.open()
    watching = asyncio.create_task(first.watch())
    await other.commit(Batch(kept={"b": b"2"}))
    async with asyncio.timeout(10):
        assert await heard.get() == {"b": b"2"}
    watching.cancel()
    await first.aclose()
    await other.aclose()
