"""Requests out of turn to hosts that another process holds."""

import asyncio
import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from msgspec import structs

from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
from crawler.request import Request
from tests.frontier.contract import NOTES, Clock, add, leased


async def test_a_wish_is_over_though_its_host_came_to_whoever_wished(tmp_path: Path) -> None:
    wishes: asyncio.Queue[int] = asyncio.Queue()

    holder = opened(tmp_path, wishes.put_nowait)
    other, third = (opened(tmp_path, wishes.put_nowait, alone=False) for _ in range(2))
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


async def test_a_wish_made_before_its_hosts_notes_are_known_is_taken_up_when_they_are(
    tmp_path: Path,
) -> None:
    wishes: list[int] = []
    holder, other = opened(tmp_path, wishes.append), opened(tmp_path, alone=False)
    await holder.open()
    await other.open()
    await add(holder, Request("http://a/1"), notes=None)
    assert [lease.notes for lease in await holder.lease(1)] == [None]
    async with wishing(other, "a"):
        await holder.listen()
        assert not wishes
        await holder.commit(Batch(notes={"a": NOTES}))
        assert len(await leased(holder)) == 1
        await holder.listen()
        assert wishes == [1]
    await other.aclose()
    await holder.aclose()


async def test_a_wish_made_before_the_host_was_ours_is_taken_up_when_it_is(tmp_path: Path) -> None:
    wishes: list[int] = []
    before, other = opened(tmp_path), opened(tmp_path, alone=False)
    after = opened(tmp_path, wishes.append, alone=False)
    for frontier in (before, other, after):
        await frontier.open()
    await add(before, Request("http://a/1"))
    await leased(before)
    async with wishing(other, "a"):
        await before.aclose()
        await after.listen()
        assert not wishes
        await leased(after)
        await after.listen()
        assert wishes == [1]
    await after.aclose()
    await other.aclose()


async def test_nobody_gets_a_turn_on_a_host_that_is_left_alone(tmp_path: Path) -> None:
    clock = Clock()
    holder, other = opened(tmp_path, clock=clock), opened(tmp_path, alone=False, clock=clock)
    await holder.open()
    await other.open()
    await add(holder, Request("http://a/1"), Request("http://b/1"))
    await leased(holder)
    waiting = asyncio.create_task(other.lease(0, host="a"))
    await asyncio.sleep(0.1)  # it has asked, and waits
    await holder.commit(Batch(alone={"a": (clock.now + 30, "it fails")}))
    await other.listen()
    for (lease,) in (await waiting, await other.lease(0, host="a")):
        assert (lease.alone, lease.notes) == ("it fails", None)
    await holder.aclose()
    await other.aclose()
    after = opened(tmp_path, clock=clock)
    await after.open()
    (lease,) = await after.lease(0, host="a")
    assert lease.alone == "it fails"
    clock.now += 30
    (lease,) = await after.lease(0, host="a")
    assert (lease.alone, lease.notes) == ("", NOTES)
    await after.aclose()


async def test_a_wish_that_is_refused_is_made_anew_while_its_host_is_not_left_alone(
    tmp_path: Path,
) -> None:
    wishes: list[int] = []
    holder, other = opened(tmp_path, wishes.append), opened(tmp_path, alone=False)
    await holder.open()
    await other.open()
    await add(holder, Request("http://a/1"))
    await leased(holder)
    async with wishing(other, "a"):
        await holder.listen()
        await holder.refuse(wishes[0])
        await other.listen()
        await asyncio.sleep(0.1)  # it has asked again
        await holder.listen()
        assert wishes == [1, 2]
    await other.aclose()
    await holder.aclose()


def opened(
    folder: Path,
    wished: Callable[[int], None] = lambda wish: None,
    *,
    alone: bool = True,
    clock: Clock | None = None,
) -> SqliteFrontier:
    return SqliteFrontier(
        folder,
        alone=alone,
        clock=clock or Clock(),
        batch=lambda notes: 4,
        wished=lambda wish, lease: wished(wish),
    )


@asynccontextmanager
async def wishing(frontier: SqliteFrontier, host: str) -> AsyncIterator[None]:
    waiting = asyncio.create_task(frontier.lease(0, host=host))
    await asyncio.sleep(0.1)  # it has asked, and waits
    yield
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)  # it gives back what it has got


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file of this process grow: a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_wish_is_taken_up_when_a_disk_that_was_full_has_room_again(tmp_path: Path) -> None:
    wishes: asyncio.Queue[int] = asyncio.Queue()

    holder = opened(tmp_path, wishes.put_nowait)
    other = opened(tmp_path, alone=False)
    for frontier in (holder, other):
        await frontier.open()
    await add(holder, Request("http://a/1"))
    await leased(holder)
    await holder.listen()  # it hears that there is another
    borrowing = asyncio.create_task(other.lease(0, host="a"))
    await asyncio.sleep(0.05)  # the wish is written down
    with no_room():
        watching = asyncio.create_task(holder.watch())
        await asyncio.sleep(0.2)  # some looks
        assert not watching.done()
    async with asyncio.timeout(10):
        assert await wishes.get()
    for task in (watching, borrowing):
        task.cancel()
    await asyncio.wait([watching, borrowing])
    await other.aclose()
    await holder.aclose()
