"""Requests out of turn to hosts that another process holds."""

import asyncio
from pathlib import Path

from msgspec import structs

from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, HostLease
from crawler.request import Request
from tests.frontier.contract import Clock, add, leased


async def test_a_wish_is_over_though_its_host_came_to_whoever_wished(tmp_path: Path) -> None:
    wishes: asyncio.Queue[int] = asyncio.Queue()

    def wished(wish: int, _: HostLease) -> None:
        wishes.put_nowait(wish)

    def made(*, alone: bool = False) -> SqliteFrontier:
        return SqliteFrontier(
            tmp_path, alone=alone, clock=Clock(), batch=lambda notes: 4, wished=wished
        )

    holder, other, third = made(alone=True), made(), made()
    for frontier in (holder, other, third):
        await frontier.open()
    await add(holder, *(Request(f"http://a/{number}") for number in range(9)))
    await leased(holder)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        beside = [group.create_task(frontier.watch()) for frontier in (holder, other)]
        borrowing = group.create_task(other.lease(0, host="a"))
        wish = await wishes.get()
        beside.append(group.create_task(holder.lend(wish)))
        await borrowing
        for task in beside:
            task.cancel()
    await holder.aclose()  # as a death does: its hosts are anybody's
    assert len(await leased(other)) == 4
    errand = structs.replace(Request("http://a/errand"), id=-1)
    await other.commit(Batch(settled=[errand]))
    async with asyncio.timeout(10):
        await third.lend(wish)  # whoever holds the host next is not asked for a turn in vain
    await other.aclose()
    await third.aclose()
