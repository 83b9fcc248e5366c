"""The memory frontier keeps the contract, and its own promises."""

import time
from typing import Any

import pytest

from crawler.frontier.memory import MemoryFrontier
from crawler.outcome import Batch
from crawler.request import link_request
from tests.frontier.contract import *  # noqa: F403  # the suite itself
from tests.frontier.contract import Clock, Make


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Make:
    async def opened(**options: Any) -> MemoryFrontier:
        return MemoryFrontier(clock=clock, **options)

    return opened


async def _seconds_a_lease(hosts: int) -> float:
    frontier = MemoryFrontier(clock=Clock(), batch=lambda notes: 1, ask_notes=False)
    await frontier.commit(
        Batch(found=[link_request(url=f"http://h{n}.example/") for n in range(hosts)])
    )
    began = time.process_time()
    for _ in range(200):
        await frontier.lease(16)
    return (time.process_time() - began) / 200


async def test_a_lease_among_many_hosts_costs_little_more_than_among_few() -> None:
    few = min([await _seconds_a_lease(4_000) for _ in range(3)])
    assert await _seconds_a_lease(400_000) < few * 20  # linear would be 100 times
