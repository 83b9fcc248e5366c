"""What is posted is there for this process at once, and true with the commit that follows."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from crawler.errors import TargetError
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, Counts, HostNotes
from crawler.request import Request
from tests.frontier.contract import NOTES, Clock, add, leased, names

PAGE, LINK = Request("http://a/page"), Request("http://a/link")


def frontier_in(folder: Path, *, alone: bool = True) -> SqliteFrontier:
    return SqliteFrontier(folder, alone=alone, clock=Clock(), batch=lambda notes: 4)


@pytest.fixture
async def frontier(tmp_path: Path) -> AsyncIterator[SqliteFrontier]:
    """One that has posted that a page is settled, and its link found."""
    frontier = frontier_in(tmp_path)
    await frontier.open()
    await add(frontier, PAGE)
    assert await frontier.post(Batch(settled=await leased(frontier), found=[LINK]))
    yield frontier
    await frontier.aclose()


async def after_a_kill(tmp_path: Path) -> tuple[list[str], int]:
    """Return what would be leased if the process were killed now, and how many URLs are known."""
    folder = tmp_path / "later"
    folder.mkdir()
    for path in tmp_path.glob("frontier.db*"):
        if not path.name.endswith("-shm"):
            shutil.copy(path, folder)
    later = frontier_in(folder)
    await later.open()
    known = (await later.counts()).known
    found = names(await leased(later))
    await later.aclose()
    shutil.rmtree(folder)
    return found, known


async def test_its_links_are_leased_before_it_is_true(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    assert await after_a_kill(tmp_path) == (["page"], 1)
    (link,) = await leased(frontier)
    assert link.url == LINK.url
    assert await after_a_kill(tmp_path) == (["page"], 1)
    await frontier.commit(Batch(), posted=True)
    assert await after_a_kill(tmp_path) == (["link"], 2)


async def test_who_waits_for_work_has_it_with_the_post(tmp_path: Path) -> None:
    frontier = frontier_in(tmp_path)
    await frontier.open()
    await add(frontier, PAGE)
    pages = await leased(frontier)
    waiting = asyncio.create_task(leased(frontier))
    await frontier.counts()
    await frontier.post(Batch(settled=pages, found=[LINK]))
    assert names(await asyncio.wait_for(waiting, 5)) == ["link"]
    await frontier.aclose()


async def test_nothing_else_that_is_committed_makes_it_true(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    (link,) = await leased(frontier)
    await frontier.commit(Batch(kept={"why": b"not"}))
    await frontier.reserve(3)
    await frontier.claim({link.id: 5})
    await frontier.bury()
    assert await after_a_kill(tmp_path) == (["page"], 1)
    await frontier.commit(Batch(settled=[link]), posted=True)
    assert await after_a_kill(tmp_path) == ([], 3)


async def test_several_posts_become_true_together(frontier: SqliteFrontier, tmp_path: Path) -> None:
    for number in range(5):
        await frontier.post(
            Batch(settled=await leased(frontier), found=[Request(f"http://{number}/{number}")])
        )
        await frontier.commit(Batch(notes={}))
        assert await after_a_kill(tmp_path) == (["page"], 1)
        await add(frontier, Request(f"http://{number}/x"))
    await frontier.commit(Batch(counts={"pages": 6}), posted=True)
    found, known = await after_a_kill(tmp_path)
    assert (sorted(found), known) == (["4", "x"], 12)


async def test_what_is_forsaken_has_never_been(frontier: SqliteFrontier, tmp_path: Path) -> None:
    await frontier.forsake()
    assert await after_a_kill(tmp_path) == (["page"], 1)
    await frontier.commit(Batch(kept={"seconds": b"5"}))
    await frontier.aclose()
    again = frontier_in(tmp_path)
    assert (await again.open()).kept == {"seconds": b"5"}
    assert names(await leased(again)) == ["page"]
    await again.aclose()


async def test_one_that_is_closed_with_it_leaves_nothing_of_it(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    await leased(frontier)
    await frontier.aclose()
    assert await after_a_kill(tmp_path) == (["page"], 1)


@pytest.mark.parametrize("fails", ["post", "lease", "commit"])
async def test_a_full_disk_loses_nothing_of_it(
    frontier: SqliteFrontier, tmp_path: Path, fails: str
) -> None:
    """What SQLite undoes when a disk is full is done again."""
    many = [Request(f"http://{n}/{n}") for n in range(3_000)]
    limit = await _full(frontier)
    with pytest.raises(TargetError, match="no space left"):
        await frontier.post(Batch(found=many))
    await _full(frontier, limit)
    if fails == "post":
        await frontier.post(Batch(found=many))
    if fails == "lease":
        assert "link" in names(await leased(frontier, 4_000))
    await frontier.commit(Batch(found=many, counts={"pages": 1}), posted=True)
    counts = await frontier.counts()
    assert (counts.known, counts.queued + counts.leased) == (3_002, 3_001)
    found, known = await after_a_kill(tmp_path)
    assert ("link" in found, "page" in found, known) == (True, False, 3_002)


async def _full(frontier: SqliteFrontier, limit: int | None = None) -> int:
    """Let the file have no more pages than it has, or so many; return how many it might have."""

    def set_limit() -> int:
        connection = frontier._connection
        assert connection is not None
        (most,) = connection.execute("PRAGMA max_page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {limit or 1}")
        return int(most)

    return await frontier._run(set_limit)


async def test_of_several_processes_none_posts(frontier: SqliteFrontier, tmp_path: Path) -> None:
    other = frontier_in(tmp_path, alone=False)
    coming = asyncio.create_task(other.open())
    async with asyncio.timeout(10):
        while not coming.done():
            await frontier.listen()  # hears that somebody comes
            if not await frontier.post(Batch()):
                await frontier.commit(Batch(), posted=True)
    assert not await frontier.post(Batch(found=[Request("http://b/")]))
    assert not await other.post(Batch(found=[Request("http://b/")]))
    assert (await frontier.counts()) == Counts(queued=1, hosts=1, known=2, counters={})
    await other.aclose()


async def test_nobody_else_sees_it(frontier: SqliteFrontier, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "frontier.db")
    known = "SELECT count(*) FROM known"
    assert connection.execute(known).fetchone() == (1,)
    await frontier.commit(Batch(), posted=True)
    assert connection.execute(known).fetchone() == (2,)
    connection.close()


async def test_what_was_undone_is_not_done_again_once_another_process_wrote(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    limit = await _full(frontier)
    with pytest.raises(TargetError):
        await frontier.post(Batch(found=[Request(f"http://{n}/{n}") for n in range(3_000)]))
    await _full(frontier, limit)
    other = frontier_in(tmp_path, alone=False)
    await other.open()
    await other.commit(Batch(found=[Request("http://x/new")]))
    with pytest.raises(TargetError, match="another process wrote"):
        await frontier.commit(Batch(), posted=True)
    await frontier.forsake()
    await other.aclose()


async def test_nothing_is_posted_where_hosts_rest(tmp_path: Path) -> None:
    frontier = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4, rest=lambda notes: 1)
    await frontier.open()
    await add(frontier, PAGE)
    assert not await frontier.post(Batch(settled=await leased(frontier), found=[LINK]))
    await frontier.aclose()


async def test_a_host_that_has_to_rest_is_not_leased_before_what_is_posted_is_true(
    tmp_path: Path,
) -> None:
    def rest(notes: HostNotes) -> float:
        return notes.crawl_delay or 0.0

    frontier = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4, rest=rest)
    await frontier.open()
    slow = structs.replace(NOTES, crawl_delay=60.0)
    found = [PAGE, Request("http://slow/")]
    await frontier.commit(Batch(found=found, notes={"a": NOTES, "slow": slow}))
    (lease,) = await frontier.lease(1)
    assert lease.host == "a"
    assert await frontier.post(Batch(settled=list(lease.requests)))
    leasing = asyncio.create_task(frontier.lease(8))
    done, _ = await asyncio.wait([leasing], timeout=0.05)
    assert not done
    await frontier.commit(Batch(), posted=True)
    assert [lease.host for lease in await leasing] == ["slow"]
    await frontier.aclose()
