"""Pages of max_pages that two processes set aside."""

import asyncio

from crawler.allowance import Allowance
from crawler.frontier.memory import MemoryFrontier
from tests.frontier.contract import Clock

STEP = 16


class Process:
    """What one process has at hand, and may begin."""

    def __init__(self, frontier: MemoryFrontier, *, most: int | None) -> None:
        self.waiting = 0
        self.calls: list[int] = []
        self._frontier = frontier
        self.allowance = Allowance(
            most, step=STEP, at_hand=lambda: self.waiting, reserve=self._reserve
        )

    async def _reserve(self, pages: int) -> int:
        self.calls.append(pages)
        return await self._frontier.reserve(pages)

    async def begin(self, pages: int) -> None:
        """Begin pages of those that wait."""
        for _ in range(pages):
            self.waiting -= 1
            await self.allowance.take()


def two(most: int) -> tuple[Process, Process]:
    frontier = MemoryFrontier(clock=Clock(), batch=lambda _: 4, max_pages=most)
    return Process(frontier, most=most), Process(frontier, most=most)


async def test_no_more_is_set_aside_than_is_at_hand() -> None:
    one, other = two(10)
    one.waiting, other.waiting = 4, 6
    await one.begin(1)
    await other.begin(6)
    await one.begin(3)
    assert (one.calls, other.calls) == ([4], [6])


async def test_what_nothing_at_hand_needs_is_given_back_and_another_goes_on() -> None:
    one, other = two(10)
    one.waiting, other.waiting = 10, 1
    await one.begin(10)
    waiting = asyncio.create_task(other.begin(1))
    await asyncio.sleep(0)
    one.allowance.settled(pages=10, delivered=9)  # one of them failed
    assert one.allowance.is_idle
    await one.allowance.give_back()
    await one.allowance.give_back()
    assert one.calls == [10, -1]
    other.allowance.look_again()
    async with asyncio.timeout(5):
        await waiting


async def test_a_crawl_with_enough_at_hand_sets_pages_aside_by_many() -> None:
    one, _ = two(1_000)
    one.waiting = 160
    for _ in range(160):
        await one.begin(1)
        one.allowance.settled(pages=1, delivered=1)
        assert one.waiting == 0 or not one.allowance.is_idle
    assert one.calls == [STEP] * 10


async def test_without_a_limit_nothing_is_set_aside() -> None:
    frontier = MemoryFrontier(clock=Clock(), batch=lambda _: 4)
    one = Process(frontier, most=None)
    one.waiting = 5
    await one.begin(5)
    one.allowance.settled(pages=5, delivered=0)
    assert (one.calls, one.allowance.is_idle) == ([], False)
