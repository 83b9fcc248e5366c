"""What waits for a worker is bounded, and filled several at a time."""

import asyncio

import pytest

from crawler.ready import Ready
from crawler.request import Request

PAGES = [Request(f"http://a/{number}") for number in range(200)]


async def pump(ready: Ready) -> None:
    for request in PAGES:
        await ready.room()
        ready.put(request)


async def taken(ready: Ready) -> int:
    """Take what is there, and say how much that was."""
    number = 0
    while not ready.is_empty:
        await ready.next()
        number += 1
    return number


@pytest.mark.parametrize(("workers", "places"), [(1, 1), (32, 32), (100, 64), (1_000, 200)])
async def test_few_wait_for_many_workers(workers: int, places: int) -> None:
    ready = Ready(workers)
    pumping = asyncio.create_task(pump(ready))
    await asyncio.sleep(0)
    assert await taken(ready) == places
    pumping.cancel()


async def test_the_pump_goes_on_when_half_of_the_places_are_free() -> None:
    ready = Ready(4)
    pumping = asyncio.create_task(pump(ready))
    await asyncio.sleep(0)
    assert await ready.next() is PAGES[0]
    await asyncio.sleep(0)
    assert await ready.next() is PAGES[1]
    await asyncio.sleep(0)
    assert await taken(ready) == 4
    pumping.cancel()


async def test_whoever_waits_is_given_the_next_one() -> None:
    ready = Ready(2)
    waiting = asyncio.create_task(ready.next())
    await asyncio.sleep(0)
    ready.put(PAGES[0])
    assert await waiting is PAGES[0]


async def test_dismissed_workers_end_and_nobody_has_the_rest() -> None:
    ready = Ready(2)
    ready.put(PAGES[0])
    ready.dismiss()
    assert [await ready.next(), await ready.next()] == [None, None]
