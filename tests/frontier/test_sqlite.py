"""The SQLite frontier keeps the contract, and its own promises."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, HostNotes
from crawler.request import Request
from tests.frontier.contract import *  # noqa: F403  # the suite itself
from tests.frontier.contract import NOTES, Clock, Make, add, leased


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


async def test_a_claim_of_a_process_that_died_holds_for_whoever_makes_its_request_again(
    tmp_path: Path,
) -> None:
    clock, end = Clock(), Request("http://a/end").fingerprint()
    frontiers = [
        SqliteFrontier(tmp_path, clock=clock, batch=lambda notes: 4, alone=alone)
        for alone in (True, False)
    ]
    for frontier in frontiers:
        await frontier.open()
    one, other = frontiers
    await add(other, Request("http://a/1"))
    (request,) = await leased(other)
    assert await other.claim({request.id: end}) == set()
    await other.aclose()  # as a death does: what it had is queued again
    (again,) = await leased(one)
    assert await one.claim({again.id: end}) == set()
    await one.commit(Batch(settled=[again], found=[Request("http://a/end")]))
    assert await leased(one) == []
    await one.aclose()


async def test_what_others_kept_with_a_request_is_heard_before_it_is_leased(tmp_path: Path) -> None:
    heard: list[Mapping[str, bytes]] = []
    clock = Clock()
    one = SqliteFrontier(tmp_path, clock=clock, batch=lambda notes: 4)
    other = SqliteFrontier(
        tmp_path, alone=False, clock=clock, batch=lambda notes: 4, heard=heard.append
    )
    await one.open()
    await other.open()
    found = Batch(found=[Request("http://a/1")], notes={"a": NOTES}, kept={"seed": b"a"})
    await one.commit(found)
    assert [request.url for request in await leased(other)] == ["http://a/1"]
    assert heard == [{"seed": b"a"}]
    await other.aclose()
    await one.aclose()


@pytest.mark.parametrize(("later", "asks"), [(9.0, False), (10.0, True)])
async def test_a_robots_txt_counts_in_the_next_life_until_it_is_old(
    tmp_path: Path, later: float, asks: bool
) -> None:
    clock = Clock()
    one = SqliteFrontier(tmp_path, clock=clock, batch=lambda notes: 4)
    await one.open()
    await add(one, Request("http://a/1"), notes=HostNotes(b"Disallow: /", until=clock.now + 10))
    await one.aclose()
    clock.now += later
    again = SqliteFrontier(tmp_path, clock=clock, batch=lambda notes: 4)
    await again.open()
    (lease,) = await again.lease(4)
    assert (lease.notes is None, len(lease.requests)) == (asks, 0 if asks else 1)
    await again.aclose()


async def test_keys_of_items_outlive_the_process_and_no_key_is_committed_twice(
    clock: Clock, tmp_path: Path
) -> None:
    def opened() -> SqliteFrontier:
        return SqliteFrontier(tmp_path, clock=clock, batch=lambda notes: 4)

    before = opened()
    await before.open()
    await before.commit(Batch(item_keys=[1, 2]))
    await before.aclose()
    after = opened()
    await after.open()
    assert await after.known_items([1, 2, 3]) == {1, 2}
    with pytest.raises(sqlite3.IntegrityError):
        await after.commit(Batch(item_keys=[3, 2], counts={"pages": 1}))
    assert await after.known_items([1, 2, 3]) == {1, 2}
    assert (await after.counts()).counters.get("pages") is None
    await after.aclose()
