"""Hosts that nobody may ask any more, said by a process that does not hold them."""

import asyncio
from pathlib import Path

from msgspec import structs

from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, HostLease
from crawler.request import Request
from tests.frontier.contract import Clock, add, by_host, leased, left_out


async def lent(holder: SqliteFrontier, other: SqliteFrontier, wishes: "asyncio.Queue[int]") -> None:
    """Let another process ask host "a" out of turn."""
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        watching = [group.create_task(frontier.watch()) for frontier in (holder, other)]
        borrowing = group.create_task(other.lease(0, host="a"))
        lending = group.create_task(holder.lend(await wishes.get()))
        (lease,) = await borrowing
        assert lease.host == "a"
        for task in (*watching, lending):
            task.cancel()


async def test_a_host_given_up_by_another_process_loses_what_is_not_out(tmp_path: Path) -> None:
    wishes: asyncio.Queue[int] = asyncio.Queue()

    def wished(wish: int, _: HostLease) -> None:
        wishes.put_nowait(wish)

    def made(*, alone: bool) -> SqliteFrontier:
        return SqliteFrontier(
            tmp_path, alone=alone, clock=Clock(), batch=lambda notes: 4, wished=wished
        )

    holder, other = made(alone=True), made(alone=False)
    await holder.open()
    await other.open()
    await add(holder, *(Request(f"http://a/{number}") for number in range(6)))
    out = await leased(holder)
    await lent(holder, other, wishes)
    errand = structs.replace(Request("http://a/errand"), id=-1)
    await other.commit(Batch(settled=[errand], given_up={"a": "it asks for a long rest"}))
    await holder.commit(Batch(settled=out))
    async with asyncio.timeout(10):
        assert await leased(holder) == []  # the crawl is over
    assert (await holder.counts()).queued == 0
    assert await left_out(holder) == {"host_given_up": 2}
    await other.aclose()
    await holder.aclose()


async def test_a_life_with_smaller_host_pages_drops_what_is_too_much(tmp_path: Path) -> None:
    before = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4)
    await before.open()
    await add(before, *(Request(f"http://a/{number}") for number in range(6)))
    some = await leased(before)
    await before.commit(Batch(settled=some, pages=by_host(some)))
    await before.aclose()
    after = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4, host_pages=3)
    await after.open()
    async with asyncio.timeout(10):
        assert await leased(after) == []
    assert await left_out(after) == {"host_pages": 2}
    await after.aclose()
