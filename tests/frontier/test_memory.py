"""The memory frontier keeps the contract, and its own promises."""

import asyncio
from typing import Any

import pytest

from crawler.frontier.memory import MemoryFrontier
from crawler.outcome import Batch
from crawler.request import link_request
from tests.frontier.contract import *  # noqa: F403  # the suite itself
from tests.frontier.contract import Clock, Make
from tests.growth import assert_costs, cpu_seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Make:
    async def opened(**options: Any) -> MemoryFrontier:
        return MemoryFrontier(clock=clock, **options)

    return opened


async def _among(hosts: int) -> MemoryFrontier:
    frontier = MemoryFrontier(clock=Clock(), batch=lambda notes: 1, ask_notes=False)
    await frontier.commit(
        Batch(found=[link_request(url=f"http://h{n}.example/") for n in range(hosts)])
    )
    return frontier


async def _lease(frontier: MemoryFrontier) -> None:
    for _ in range(200):
        assert len(await frontier.lease(16)) == 16


def test_a_lease_among_many_hosts_costs_little_more_than_among_few() -> None:
    with asyncio.Runner() as runner:

        def seconds(frontier: MemoryFrontier) -> float:
            return cpu_seconds(lambda: runner.run(_lease(frontier)))

        many = runner.run(_among(400_000))  # enough for ten rounds
        assert_costs(
            lambda: seconds(many),
            at_most=20,  # linear would be 100 times
            times=lambda: seconds(runner.run(_among(4_000))),
        )
