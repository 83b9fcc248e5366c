"""What is posted is there for this process at once, and true with the commit that follows."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from msgspec import structs

from crawler.errors import RunError, TargetError
from crawler.frontier.memory import MemoryFrontier
from crawler.frontier.presence import PROCESSES
from crawler.frontier.schema import LOCK
from crawler.frontier.solitude import come_in
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, Counts, HostLease, HostNotes
from crawler.request import Request
from tests.frontier.contract import Clock, add, leased, names

PAGE, LINK, NEXT = (Request(f"http://a/{name}") for name in ("page", "link", "next"))


def frontier_in(folder: Path, *, alone: bool = True) -> SqliteFrontier:
    return SqliteFrontier(folder, alone=alone, clock=Clock(), batch=lambda notes: 4)


@pytest.fixture
async def frontier(tmp_path: Path) -> AsyncIterator[SqliteFrontier]:
    frontier = frontier_in(tmp_path)
    await frontier.open()
    yield frontier
    await frontier.aclose()


async def first(frontier: SqliteFrontier) -> Request:
    """Lease the first page of a host whose queue has nothing else."""
    await add(frontier, PAGE)
    (page,) = await leased(frontier)
    return page


async def second(frontier: SqliteFrontier) -> Request:
    """Post the first page, and commit that; return its link, which is out."""
    page = await first(frontier)
    link = only(await frontier.post([page], [LINK], limit=8))
    await frontier.commit(Batch(settled=[page], found=[LINK]), posted=True)
    return link


def only(leases: Sequence[HostLease] | None) -> Request:
    assert leases is not None
    ((request,),) = [lease.requests for lease in leases]
    return request


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
    page = await first(frontier)
    link = only(await frontier.post([page], [LINK, LINK], limit=8))
    assert (link.url, link.id) == (LINK.url, page.id + 1)
    assert structs.replace(await frontier.counts(), counters={}) == Counts(
        queued=0, leased=2, hosts=1, known=2
    )
    assert await after_a_kill(tmp_path) == (["page"], 1)
    await frontier.commit(Batch(settled=[page], found=[LINK]), posted=True)
    assert await after_a_kill(tmp_path) == (["link"], 2)
    await frontier.commit(Batch(settled=[link]))
    assert await frontier.lease(1) == []
    assert await after_a_kill(tmp_path) == ([], 2)


async def test_a_chain_becomes_true_with_one_commit(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    page = await first(frontier)
    links = [Request(f"http://a/{n}") for n in range(3)]
    made = [page]
    for link in links:
        made.append(only(await frontier.post(made[-1:], [PAGE, link], limit=8)))
    assert await after_a_kill(tmp_path) == (["page"], 1)
    await frontier.commit(Batch(settled=made[:-1], found=links), posted=True)
    assert await after_a_kill(tmp_path) == (["2"], 4)
    fresh = [request.id for request in made]
    assert fresh == sorted(set(fresh))
    await add(frontier, NEXT)
    (later,) = await leased(frontier)
    assert later.id > made[-1].id


@pytest.mark.parametrize("ends", ["settled", "retried", "failed"])
async def test_one_that_ended_before_it_was_queued_is_not_queued(
    frontier: SqliteFrontier, tmp_path: Path, ends: str
) -> None:
    page = await first(frontier)
    link = only(await frontier.post([page], [LINK], limit=8))
    batch = Batch(settled=[page], found=[LINK])
    if ends == "retried":
        batch.retried.append((structs.replace(link, attempt=2), 900.0))
    else:
        batch.settled = [page, link]
    if ends == "failed":
        batch.failed.append((link, ["status"]))
    await frontier.commit(batch, posted=True)
    again = ["link"] if ends == "retried" else []
    assert await after_a_kill(tmp_path) == (again, 2)
    assert names(await leased(frontier)) == again


async def test_nothing_else_that_is_committed_makes_it_true(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    page = await first(frontier)
    link = only(await frontier.post([page], [LINK], limit=8))
    await frontier.commit(Batch(kept={"why": b"not"}, found=[Request("http://b/other")]))
    await frontier.reserve(3)
    await frontier.bury()
    found, known = await after_a_kill(tmp_path)
    assert (sorted(found), known) == (["page"], 2)  # b's robots.txt comes first
    last = only(await frontier.post([link], [NEXT], limit=8))
    await frontier.commit(Batch(settled=[page, link], found=[LINK, NEXT]), posted=True)
    assert await after_a_kill(tmp_path) == (["next"], 4)
    assert len({page.id, link.id, last.id}) == 3


async def test_one_that_is_closed_with_it_leaves_nothing_of_it(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    await frontier.post([await first(frontier)], [LINK], limit=8)
    await frontier.aclose()
    assert await after_a_kill(tmp_path) == (["page"], 1)


async def test_a_full_disk_loses_nothing_of_it(frontier: SqliteFrontier, tmp_path: Path) -> None:
    page = await first(frontier)
    link = only(await frontier.post([page], [LINK], limit=8))
    many = [Request(f"http://{n}/{n}") for n in range(3_000)]
    limit = await _full(frontier)
    batch = Batch(settled=[page], found=[LINK, *many], counts={"pages": 1})
    with pytest.raises(TargetError, match="no space left"):
        await frontier.commit(batch, posted=True)
    assert await frontier.post([link], [LINK, NEXT], limit=8) is not None  # what was known is known
    await _full(frontier, limit)
    batch.settled, batch.found = [page, link], [LINK, NEXT, *many]
    await frontier.commit(batch, posted=True)
    counts = await frontier.counts()
    assert (counts.known, counts.queued + counts.leased) == (3_003, 3_001)
    found, known = await after_a_kill(tmp_path)
    assert ("next" in found, "link" in found, "page" in found, known) == (True, False, False, 3_003)


async def _full(frontier: SqliteFrontier, limit: int | None = None) -> int:
    """Let the file have no more pages than it has, or so many; return how many it might have."""

    def set_limit() -> int:
        connection = frontier._connection
        assert connection is not None
        (most,) = connection.execute("PRAGMA max_page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {limit or 1}")
        return int(most)

    return await frontier._run(set_limit)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "nothing is found"),
        ([PAGE], "nothing is new"),
        ([LINK, Request("http://b/")], "another host has to be leased"),
        ([LINK, Request("http://a/x", again=True)], "one is wanted though it may be known"),
        ([Request(f"http://a/{n}") for n in range(4)], "a host may not have so many out"),
    ],
)
async def test_what_a_commit_has_to_decide_is_not_posted(
    frontier: SqliteFrontier, tmp_path: Path, found: list[Request], why: str
) -> None:
    page = await first(frontier)
    assert await frontier.post([page], found, limit=8) is None, why
    assert await after_a_kill(tmp_path) == (["page"], 1)
    assert (await frontier.counts()).leased == 1


async def test_what_is_queued_comes_before_what_is_found(frontier: SqliteFrontier) -> None:
    await add(frontier, PAGE, Request("http://a/deep", depth=3))
    (page,) = await leased(frontier, 1)
    assert await frontier.post([page], [LINK], limit=8) is None
    (deep,) = await leased(frontier)
    assert only(await frontier.post([page, deep], [LINK], limit=8)).url == LINK.url


async def test_a_host_that_was_given_up_is_asked_no_more(frontier: SqliteFrontier) -> None:
    await add(frontier, PAGE, NEXT)
    page, last = await leased(frontier)
    await frontier.commit(Batch(settled=[page], given_up={"a": "it does not answer"}))
    assert await frontier.post([last], [LINK], limit=8) is None


async def test_a_host_whose_robots_txt_is_old_is_asked_for_that_first(tmp_path: Path) -> None:
    clock = Clock()
    frontier = SqliteFrontier(tmp_path, clock=clock, batch=lambda notes: 4)
    await frontier.open()
    await add(frontier, PAGE, notes=HostNotes(until=clock.now + 10))
    (page,) = await leased(frontier)
    clock.now += 10
    assert await frontier.post([page], [LINK], limit=8) is None
    await frontier.commit(Batch(settled=[page], found=[LINK]))
    assert [lease.notes for lease in await frontier.lease(8)] == [None]
    await frontier.aclose()


async def test_where_hosts_rest_or_have_a_limit_of_pages_nothing_is(tmp_path: Path) -> None:
    resting = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4, rest=lambda notes: 1)
    assert not resting.may_post
    limited = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4, host_pages=5)
    assert not limited.may_post
    await resting.aclose()
    await limited.aclose()


async def test_of_more_known_urls_than_memory_keeps_the_file_is_asked(
    tmp_path: Path,
) -> None:
    frontier = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4, most_keys=10)
    await frontier.open()
    page = await first(frontier)
    many = [Request(f"http://{n}/") for n in range(20)]
    await frontier.commit(Batch(found=many))
    frontier._ledger.known.forget()
    assert await frontier.post([page], [PAGE], limit=8) is None
    link = only(await frontier.post([page], [*many, LINK], limit=8))
    await frontier.commit(Batch(settled=[page], found=[LINK]), posted=True)
    assert only(await frontier.post([link], [NEXT, LINK], limit=8)).url == NEXT.url
    await frontier.aclose()


async def test_what_an_earlier_life_knew_is_known(tmp_path: Path) -> None:
    before = frontier_in(tmp_path)
    await before.open()
    await add(before, PAGE, LINK)
    (page, link) = await leased(before)
    await before.commit(Batch(settled=[link]))
    await before.aclose()
    now = frontier_in(tmp_path)
    await now.open()
    (page,) = await leased(now)
    assert await now.post([page], [LINK], limit=8) is None
    assert only(await now.post([page], [LINK, NEXT], limit=8)).url == NEXT.url
    await now.aclose()


async def test_nobody_comes_into_a_run_while_something_is_posted(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    page = await first(frontier)
    assert await frontier.post([page], [LINK], limit=8)
    other = frontier_in(tmp_path, alone=False)
    coming = asyncio.create_task(other.open())
    await asyncio.sleep(0.1)
    assert not coming.done()
    await frontier.commit(Batch(settled=[page], found=[LINK]), posted=True)
    await asyncio.wait_for(coming, 5)
    await other.commit(Batch(found=[NEXT]))
    await other.aclose()


async def test_of_several_processes_none_posts(frontier: SqliteFrontier, tmp_path: Path) -> None:
    link = await second(frontier)
    other = frontier_in(tmp_path, alone=False)
    await other.open()
    # One does not know yet that the other is there, the other does from the beginning.
    assert frontier.may_post
    assert not other.may_post
    await other.commit(Batch(found=[NEXT]))
    assert await frontier.post([link], [NEXT, Request("http://a/x")], limit=8) is None
    await other.aclose()
    # What the other did is known, once it is gone: that link is queued, and nobody leased it.
    assert await frontier.post([link], [NEXT], limit=8) is None
    await frontier.listen()
    assert names(await leased(frontier)) == ["next"]
    fresh = only(await frontier.post([link], [Request("http://a/y")], limit=8))
    assert fresh.id == 4


async def test_who_stops_with_something_posted_keeps_nobody_waiting_for_ever(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    page = await first(frontier)
    assert await frontier.post([page], [LINK], limit=8)
    with pytest.raises(RunError, match="does not stir, and lets nobody in"):
        come_in(tmp_path / LOCK, patience=0.05)
    await frontier.commit(Batch(settled=[page], found=[LINK]), posted=True)
    come_in(tmp_path / LOCK, patience=0.05)


async def test_in_memory_it_is_done_at_once() -> None:
    frontier = MemoryFrontier(clock=Clock(), batch=lambda notes: 4)
    await add(frontier, PAGE)
    (page,) = await leased(frontier)
    assert await frontier.post([page], [PAGE], limit=8) is None
    assert await frontier.post([page], [Request("http://a/x", again=True)], limit=8) is None
    assert await frontier.post([page], [LINK], limit=8) == ()
    (link,) = await leased(frontier)
    await frontier.commit(Batch(settled=[page, link], found=[LINK]), posted=True)
    assert await frontier.lease(1) == []
    assert (await frontier.counts()).known == 2


async def test_of_what_is_found_the_higher_rank_goes_first(frontier: SqliteFrontier) -> None:
    page = await first(frontier)
    low, high = Request("http://a/low"), Request("http://a/high", priority=10)
    (lease,) = await frontier.post([page], [low, LINK, high], limit=8) or []
    assert names(lease.requests) == ["high", "low", "link"]


async def test_no_more_is_handed_out_than_asked_for(frontier: SqliteFrontier) -> None:
    page = await first(frontier)
    assert await frontier.post([page], [LINK, NEXT], limit=1) is None
    assert await frontier.post([page], [LINK, NEXT], limit=2) is not None


async def test_a_page_of_very_many_links_is_left_to_the_commit(frontier: SqliteFrontier) -> None:
    page = await first(frontier)
    many = [Request(f"http://a/{n}") for n in range(5_000)]
    assert await frontier.post([page], many, limit=10_000) is None
    await frontier.commit(Batch(settled=[page], found=many))
    found = await leased(frontier)
    assert await frontier.post(found[:1], [*many[:1_000], LINK], limit=8) is None  # more waits


async def test_what_a_callback_does_to_its_data_stays_its_own(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    page = await first(frontier)
    found = Request("http://a/x", data={"seen": []})
    link = only(await frontier.post([page], [found], limit=8))
    link.data["seen"].append("a page that is not committed")
    await frontier.commit(Batch(settled=[page], found=[found]), posted=True)
    await frontier.aclose()
    later = frontier_in(tmp_path)
    await later.open()
    (again,) = await leased(later)
    await later.aclose()
    assert again.data == {"seen": []}


async def test_blame_waits_for_its_request_only(frontier: SqliteFrontier, tmp_path: Path) -> None:
    page = await first(frontier)
    link = only(await frontier.post([page], [LINK], limit=8))
    frontier.note(link).wait()
    folder = tmp_path / "later"
    folder.mkdir()
    for path in tmp_path.glob("frontier.db*"):
        if not path.name.endswith("-shm"):
            shutil.copy(path, folder)
    shutil.copytree(tmp_path / PROCESSES, folder / PROCESSES)
    later = frontier_in(folder)
    await later.open()
    (page,) = await leased(later)
    assert await later.post([page], [LINK], limit=8) is None
    other = only(await later.post([page], [NEXT], limit=8))
    await later.commit(Batch(settled=[page], found=[LINK, NEXT]), posted=True)
    (blamed,) = await leased(later)
    assert (blamed.url, blamed.crashes or blamed.suspect) == (LINK.url, True)
    await later.commit(Batch(settled=[blamed]))
    leasing = asyncio.create_task(later.lease(1))
    await later.counts()
    assert only(await later.post([other], [Request("http://a/y")], limit=8)).url == "http://a/y"
    leasing.cancel()
    await later.aclose()


async def test_what_somebody_queued_who_came_and_went_comes_first(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    link = await second(frontier)
    other = frontier_in(tmp_path, alone=False)
    await other.open()
    await other.commit(Batch(found=[Request("http://a/urgent", priority=100)]))
    await other.aclose()
    for _ in range(2):  # nobody has listened since
        assert await frontier.post([link], [NEXT], limit=8) is None
    await frontier.commit(Batch(settled=[link], found=[NEXT]))
    await frontier.listen()
    assert names(await leased(frontier)) == ["urgent", "next"]


async def test_nothing_is_posted_once_the_lock_file_is_another(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    link = await second(frontier)
    (tmp_path / LOCK).unlink()  # somebody took it for left over
    other = frontier_in(tmp_path, alone=False)
    await other.open()
    await other.commit(Batch(found=[NEXT]))
    assert await frontier.post([link], [NEXT], limit=8) is None
    await other.aclose()


async def test_who_wants_to_be_first_of_a_run_that_is_crawled_is_told_at_once(
    frontier: SqliteFrontier, tmp_path: Path
) -> None:
    page = await first(frontier)
    await frontier.post([page], [LINK], limit=8)
    other = frontier_in(tmp_path)
    with pytest.raises(RunError, match="is being crawled now; --join adds a process"):
        await asyncio.wait_for(other.open(), 5)
    await other.aclose()
    assert await frontier.post([page], [NEXT], limit=8) is not None
