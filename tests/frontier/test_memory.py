"""The memory frontier keeps the contract, and its own promises."""

import time

import pytest

from crawler.frontier.memory import MemoryFrontier
from crawler.outcome import Batch, HostNotes
from crawler.protocols import Frontier
from crawler.request import Request, link_request
from crawler.urls import KeyRules
from tests.frontier.contract import *  # noqa: F403  # the suite itself
from tests.frontier.contract import Clock, add, leased, names


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def frontier(clock: Clock) -> Frontier:
    return MemoryFrontier(clock=clock, batch=lambda notes: 4)


async def test_host_pages_bounds_the_pages_of_a_host(clock: Clock) -> None:
    frontier = MemoryFrontier(clock=clock, batch=lambda notes: 4, host_pages=2)
    await add(frontier, *[Request(f"http://a/{n}") for n in range(5)])
    first = await leased(frontier)
    assert names(first) == ["0", "1"]
    await frontier.commit(Batch(settled=first[:1]))  # it failed: another may take its place
    second = await leased(frontier)
    assert names(second) == ["2"]
    commit = await frontier.commit(Batch(settled=[first[1], *second], pages=[first[1], *second]))
    assert commit.dropped == {"host_pages": 2}
    assert list(await frontier.lease(10)) == []


async def test_without_robots_every_host_is_leased_at_once(clock: Clock) -> None:
    frontier = MemoryFrontier(clock=clock, batch=lambda notes: 4, ask_notes=False)
    await add(frontier, Request("http://a/1"), notes=None)
    assert names(await leased(frontier)) == ["1"]


async def test_the_batch_is_asked_with_the_hosts_notes(clock: Clock) -> None:
    frontier = MemoryFrontier(clock=clock, batch=lambda notes: 1 if notes.crawl_delay else 4)
    slow = HostNotes(crawl_delay=9.0)
    await add(frontier, *[Request(f"http://a/{n}") for n in range(3)], notes=slow)
    assert names(await leased(frontier)) == ["0"]


async def test_key_rules_decide_what_is_known(clock: Clock) -> None:
    rules = KeyRules(ignore_query_order=True, ignore_params=("utm_*",))
    frontier = MemoryFrontier(clock=clock, batch=lambda notes: 9, rules=rules)
    await add(
        frontier,
        Request("http://a/?a=1&b=2"),
        Request("http://a/?b=2&a=1"),
        Request("http://a/?a=1&b=2&utm_source=x"),
        Request("http://a/?a=2"),
    )
    assert len(await leased(frontier)) == 2


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
