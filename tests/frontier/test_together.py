"""Several frontiers on one folder, as the processes of a run have them."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from crawler.errors import LeasesLost, RunError
from crawler.frontier.presence import flights, pardon
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, HostNotes
from crawler.request import Kind, Request
from tests.frontier.contract import NOTES, Clock, add, is_waiting, leased, names

Open = Callable[..., Awaitable[SqliteFrontier]]

# Leases what there is, says so, and waits to be killed: in the code of the first request, or while
# so many wait for something.
PROCESS = """
import asyncio, sys, time
from pathlib import Path
from crawler.frontier.sqlite import SqliteFrontier

async def main():
    frontier = SqliteFrontier(
        Path(sys.argv[1]), alone=sys.argv[2] == "alone", clock=lambda: 1000.0, batch=lambda _: 4
    )
    await frontier.open()
    leases = await frontier.lease(100)
    request = leases[0].requests[0]
    if len(sys.argv) > 3:
        for one in leases[0].requests[:int(sys.argv[3])]:
            frontier.note(one).wait()
    else:
        frontier.note(request).work()
    print(request.url, flush=True)
    time.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Open a frontier of the folder; the first is alone, later ones join it."""
    frontiers: list[SqliteFrontier] = []

    async def one(**options: Any) -> SqliteFrontier:
        given = {"clock": Clock(), "batch": lambda notes: 4, "alone": not frontiers, **options}
        frontier = SqliteFrontier(tmp_path, **given)
        await frontier.open()
        if not given["alone"]:
            await frontiers[0].listen()  # it hears that there is another
        frontiers.append(frontier)
        return frontier

    yield one
    for frontier in reversed(frontiers):
        await frontier.aclose()


async def kill_a_process(folder: Path, *, alone: bool, waiting: int | None = None) -> str:
    """Let another process lease, and kill it in a callback; return the URL of the first."""
    words = [sys.executable, "-c", PROCESS, str(folder), "alone" if alone else "joins"]
    words += [] if waiting is None else [str(waiting)]
    process = await asyncio.to_thread(subprocess.Popen, words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = await asyncio.to_thread(process.stdout.readline)
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.wait)
    process.stdout.close()
    return url.strip()


async def test_a_host_has_one_holder(opened: Open) -> None:
    one, two = await opened(), await opened()
    await add(one, *[Request(f"http://a/{n}") for n in range(8)], Request("http://b/1"))
    first = await one.lease(4)
    second = await two.lease(100)
    assert [lease.host for lease in first] == ["a"]
    assert [lease.host for lease in second] == ["b"]


async def test_what_one_finds_another_does_not_queue_again(opened: Open) -> None:
    one, two = await opened(), await opened()
    await add(one, Request("http://a/1"))
    await add(two, Request("http://a/1"), Request("http://a/2"))
    assert names(await leased(one)) == ["1", "2"]
    assert (await two.counts()).known == 2


async def test_counters_and_what_is_kept_are_those_of_all(opened: Open) -> None:
    heard: list[dict[str, bytes]] = []
    one, two = await opened(heard=heard.append), await opened()
    await one.commit(Batch(counts={"pages": 2}, kept={"mine": b"1"}))
    commit = await two.commit(Batch(counts={"pages": 3}, kept={"theirs": b"2"}))
    assert commit.counts == {"pages": 5}
    await one.listen()
    assert heard[-1] == {"theirs": b"2"}


async def test_the_lengths_of_files_that_stay_are_those_of_all(opened: Open) -> None:
    one, two = await opened(), await opened()
    await one.commit(Batch(lengths={"warc/0": 1}, position={"items": 5}))
    await two.commit(Batch(lengths={"warc/2": 2}, position={"items": 7}))
    await one.commit(Batch(lengths={"warc/0": 3}))
    assert await one.lengths() == await two.lengths() == {"warc/0": 3, "warc/2": 2}
    (part,) = (await one.parts()).values()
    assert part.committed == {"items": 7}


async def test_counters_are_those_of_all_with_each_commit_look_and_turn(opened: Open) -> None:
    one, two = await opened(), await opened()
    await one.commit(Batch(counts={"pages": 1, "user.a": 1}))
    assert (await two.counts()).counters == {"pages": 1, "user.a": 1}
    await two.commit(Batch(counts={"pages": 1, "user.b": 1}))
    await two.commit(Batch(counts={"user.b": 1}))
    async with one.turn() as counts:
        assert counts == {"pages": 2, "user.a": 1, "user.b": 2}
    await add(two, Request("http://a/1"))
    await two.commit(Batch(given_up={"a": "busy"}))
    commit = await one.commit(Batch(counts={"pages": 1}))
    assert commit.counts == {
        "pages": 3,
        "user.a": 1,
        "user.b": 2,
        "discovered": 1,
        "left_out.host_given_up": 1,
    }


async def test_pages_set_aside_are_never_more_than_there_may_be(opened: Open) -> None:
    one, two = await opened(max_pages=10), await opened(max_pages=10)
    assert (await one.reserve(6), await two.reserve(6)) == (6, 4)
    assert await one.reserve(1) == 0
    await one.commit(Batch(counts={"pages": 6}))
    assert await two.reserve(1) == 0
    assert await two.reserve(-1) == -1
    assert await one.reserve(5) == 1


async def test_nothing_is_over_while_another_has_something(opened: Open) -> None:
    one, two = await opened(), await opened()
    await add(one, Request("http://a/1"))
    held = await leased(one)
    waiting = asyncio.create_task(leased(two))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await one.commit(Batch(settled=held))
    await two.listen()
    assert await asyncio.wait_for(waiting, 5) == []


async def test_a_process_with_nothing_to_do_gets_hosts_of_another(opened: Open) -> None:
    one, two = await opened(), await opened()
    await add(one, *[Request(f"http://{h}/{n}") for h in ("a", "b") for n in range(8)])
    held = await leased(one)
    waiting = asyncio.create_task(leased(two))
    await asyncio.sleep(0.05)  # it looked, and found nothing
    with suppress(TimeoutError):
        await asyncio.wait_for(one.lease(1), 0.05)  # hears of the other's hunger
    await one.commit(Batch(settled=[r for r in held if r.host == "a"]))  # one of b's is still out
    await one.commit(Batch(settled=[r for r in held if r.host == "b"][1:]))
    await two.listen()
    theirs = {request.host for request in await asyncio.wait_for(waiting, 5)}
    ours = {request.host for request in await leased(one)}
    assert len(theirs) == 1
    assert not theirs & ours


async def test_the_only_host_is_shared_in_slots_and_each_request_leased_once(opened: Open) -> None:
    options: dict[str, Any] = {"slots": lambda notes: 4, "batch": lambda notes: 2}
    one, two = await opened(**options), await opened(**options)
    await add(one, *[Request(f"http://a/{n}") for n in range(9)])
    held = await leased(one)
    waiting = asyncio.create_task(two.lease(100))
    await asyncio.sleep(0.05)
    await one.commit(Batch(settled=held[:1]))
    (ours,) = await one.lease(100)
    await two.listen()
    (theirs,) = await asyncio.wait_for(waiting, 5)
    assert (ours.slots, theirs.slots) == (2, 2)
    assert not {r.id for r in ours.requests} & {r.id for r in theirs.requests}


async def test_what_one_process_asked_anew_of_a_shared_host_counts_for_the_other(
    opened: Open,
) -> None:
    clock = Clock()
    options: dict[str, Any] = {"slots": lambda notes: 4, "batch": lambda notes: 2, "clock": clock}
    one, two = await opened(**options), await opened(**options)
    old, new = (HostNotes(until=clock.now + seconds) for seconds in (10, 99))
    await add(one, *[Request(f"http://a/{n}") for n in range(9)], notes=old)
    held = await leased(one)
    waiting = asyncio.create_task(two.lease(100))
    await asyncio.sleep(0.05)
    await one.commit(Batch(settled=held[:1]))
    ours = await leased(one)
    await two.listen()
    (theirs,) = await asyncio.wait_for(waiting, 5)
    clock.now += 10
    await one.commit(Batch(settled=[held[1], *ours]))
    assert [lease.notes for lease in await one.lease(100)] == [None]
    await one.commit(Batch(notes={"a": new}))
    await two.commit(Batch(settled=list(theirs.requests)))
    assert [lease.notes for lease in await two.lease(100)] == [new]
    assert [lease.notes for lease in await one.lease(100)] == [new]


@pytest.mark.parametrize("kind", ["page", "media"])
async def test_a_host_is_shared_when_no_more_than_our_slots_are_out_errands_too(
    opened: Open, kind: Kind
) -> None:
    options: dict[str, Any] = {"slots": lambda notes: 4, "batch": lambda notes: 8}
    one, two = await opened(**options), await opened(**options)
    await add(one, *[Request(f"http://a/{n}") for n in range(30)])
    held = await leased(one, limit=2)
    for _ in range(2):
        await one.lease(0, host="a")
    waiting = asyncio.create_task(two.lease(100))
    await asyncio.sleep(0.05)  # it looked, and found nothing
    assert await is_waiting(one)
    await two.listen()
    assert await is_waiting(two)
    errand = Request("http://a/errand", kind=kind)
    errands = [structs.replace(errand, id=number) for number in (-1, -2)]
    await one.commit(Batch(settled=[*errands, held[0]]))
    (ours,) = await asyncio.wait_for(one.lease(100), 5)
    await two.listen()
    (theirs,) = await asyncio.wait_for(waiting, 5)
    assert (ours.slots, theirs.slots) == (2, 2)


async def test_a_host_whose_sharing_came_to_nothing_is_held_as_before(opened: Open) -> None:
    fails = False

    def batch(notes: HostNotes) -> int:
        nonlocal fails
        if fails:
            fails = False
            raise RuntimeError("in the transaction that shares")
        return 8

    options: dict[str, Any] = {"slots": lambda notes: 4, "batch": batch}
    one, two = await opened(**options), await opened(**options)
    await add(one, *[Request(f"http://a/{n}") for n in range(30)])
    (held,) = await leased(one, limit=1)
    assert await is_waiting(two)  # it looked, and found nothing
    fails = True
    with pytest.raises(RuntimeError, match="in the transaction"):
        await one.lease(1)
    await two.aclose()
    await one.listen()
    (lease,) = await one.lease(1)
    assert lease.slots is None
    await one.commit(Batch(settled=[held, *lease.requests]))
    third = await opened(**options)
    assert [lease.host for lease in await third.lease(1)] == ["a"]  # one holds nothing more of it


async def test_a_host_with_a_delay_is_not_shared(opened: Open) -> None:
    one, two = await opened(), await opened()
    await add(one, *[Request(f"http://a/{n}") for n in range(9)])
    held = await leased(one)
    with suppress(TimeoutError):
        await asyncio.wait_for(two.lease(1), 0.05)
    await one.commit(Batch(settled=held[:2]))
    (lease,) = await one.lease(100)
    assert lease.slots is None


async def test_the_delay_that_a_host_has_come_to_goes_with_it(opened: Open) -> None:
    one, two = await opened(), await opened()
    await add(one, *(Request(f"http://a/{n}") for n in range(3)))
    for holder, delay in ((one, 0.0), (two, 8.0), (one, 0.0)):
        (lease,) = await holder.lease(1)
        assert lease.delay == delay
        now = {"a": 8.0 - delay}
        await holder.commit(Batch(settled=list(lease.requests), delays=now))


async def test_another_process_is_lent_a_turn_on_a_host(opened: Open) -> None:
    wishes: list[int] = []
    one = await opened(wished=lambda wish, lease: wishes.append(wish))
    two = await opened()
    await add(one, Request("http://a/1"))
    await leased(one)
    borrowing = asyncio.create_task(two.lease(0, host="a"))
    while not wishes:
        await asyncio.sleep(0.01)
        await one.listen()
    assert not borrowing.done()
    lending = asyncio.create_task(one.lend(wishes[0]))
    while not borrowing.done():
        await asyncio.sleep(0.01)
        await two.listen()
    (lease,) = borrowing.result()
    assert (lease.host, lease.notes) == ("a", HostNotes())
    assert not lending.done()
    await two.commit(Batch(settled=[structs.replace(Request("http://a/errand"), id=-1)]))
    while not lending.done():
        await asyncio.sleep(0.01)
        await one.listen()


async def test_what_a_killed_process_held_comes_back_and_only_its_callback_has_crashed(
    opened: Open, tmp_path: Path
) -> None:
    one = await opened()
    await add(one, *[Request(f"http://a/{n}") for n in range(3)])
    crashes: Counter[str] = Counter()
    for _ in range(6):
        crashes[await kill_a_process(tmp_path, alone=False)] += 1
        await one.bury()
        back = await leased(one)
        assert {request.url: request.crashes for request in back if request.crashes} == crashes
        await one.commit(Batch(due={"a": 0.0}))
        await one.aclose()
        one = await opened(alone=True)
    # After each death another one comes first.
    assert crashes == {f"http://a/{n}": 2 for n in range(3)}
    assert (await one.totals()).counts["crashes"] == 6


def by_notes(notes: HostNotes) -> float:
    return notes.crawl_delay or 2.0


async def test_the_hosts_of_a_killed_process_rest_as_if_it_had_just_asked_them(
    opened: Open, tmp_path: Path
) -> None:
    clock = Clock()
    one = await opened(clock=clock, rest=by_notes)
    await add(one, Request("http://a/1"))
    await add(one, Request("http://b/1"), notes=HostNotes(crawl_delay=9.0))
    await kill_a_process(tmp_path, alone=False)
    clock.now = 1005.0
    await one.bury()
    dues: dict[str, float] = {}
    for seconds in range(12):
        clock.now = 1005.0 + seconds
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                dues |= {lease.host: clock.now for lease in await one.lease(100)}
    assert dues == {"a": 1007.0, "b": 1014.0}


@pytest.mark.parametrize("settles", [False, True])
async def test_what_is_cut_off_rests_in_the_next_life_and_what_is_settled_does_not(
    opened: Open, settles: bool
) -> None:
    clock = Clock()
    one = await opened(clock=clock, rest=by_notes)
    await add(one, *[Request(f"http://a/{n}") for n in range(3)])
    some = await leased(one, 1)
    await one.commit(Batch(settled=some if settles else [], due={"a": 1001.0}))
    await one.aclose()
    again = await opened(clock=clock, rest=by_notes, alone=True)
    clock.now = 1001.5
    assert await is_waiting(again) is not settles
    clock.now = 1002.5
    await again.listen()
    assert settles or len(await leased(again)) == 3


async def test_a_killed_processes_host_rests_in_the_next_life(opened: Open, tmp_path: Path) -> None:
    one = await opened()
    await add(one, Request("http://a/1"))
    await one.aclose()
    await kill_a_process(tmp_path, alone=True)
    clock = Clock()
    again = await opened(clock=clock, rest=by_notes, alone=True)
    assert await is_waiting(again)
    clock.now = 1002.5
    assert names(await leased(again)) == ["1"]


async def test_the_next_life_says_what_the_last_had_in_hand(opened: Open, tmp_path: Path) -> None:
    one = await opened()
    await add(one, *[Request(f"http://a/{n}") for n in range(3)])
    await one.aclose()
    await kill_a_process(tmp_path, alone=True)
    frontier = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4)
    restart = await frontier.open()
    assert (restart.fresh, restart.queued, restart.in_flight) == (False, 3, 3)
    await frontier.aclose()


async def test_a_crash_is_counted_also_if_the_next_life_does_not_get_to_its_beginning(
    opened: Open, tmp_path: Path
) -> None:
    before = await opened()
    await add(before, Request("http://a/1"))
    await before.aclose()
    await kill_a_process(tmp_path, alone=True)

    def clock() -> float:
        raise RuntimeError("no time")

    with pytest.raises(RuntimeError, match="no time"):
        await opened(alone=True, clock=clock)
    again = await opened(alone=True)
    assert [request.crashes for request in await leased(again)] == [1]


async def test_one_is_alone_and_nobody_joins_what_nobody_crawls(
    opened: Open, tmp_path: Path
) -> None:
    one = await opened()
    with pytest.raises(RunError, match="is being crawled now"):
        await opened(alone=True)
    await one.aclose()
    with pytest.raises(RunError, match="nobody crawls it now"):
        await opened(alone=False)


async def test_who_waits_for_its_turn_still_sees_who_is_dead(opened: Open, tmp_path: Path) -> None:
    one, two = await opened(), await opened()
    await add(one, Request("http://a/1"))
    turn = two.turn()
    async with one.turn():
        waiting = asyncio.create_task(turn.__aenter__())
        await asyncio.sleep(0.05)
        await kill_a_process(tmp_path, alone=False)
        async with asyncio.timeout(10):
            await two.bury()
        assert names(await leased(two)) == ["1"]
        assert not waiting.done()
    async with asyncio.timeout(10):
        await waiting
    await turn.__aexit__(None, None, None)


async def test_a_forked_child_does_not_keep_its_parents_place(opened: Open, tmp_path: Path) -> None:
    one = await opened()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)  # as long as its parent lives
        os._exit(0)
    os.close(reading)
    try:
        await one.aclose()
        again = await opened(alone=True)
        assert (await again.counts()).queued == 0
    finally:
        os.close(writing)
        await asyncio.to_thread(os.waitpid, child, 0)


async def test_a_process_that_does_not_stir_loses_what_it_held(
    opened: Open, tmp_path: Path
) -> None:
    one, two = await opened(), await opened()
    await add(one, Request("http://a/1"))
    held = await leased(two)
    (tmp_path / ".processes" / "2").unlink()  # so the others take it for dead
    await one.bury()
    assert names(await leased(one)) == ["1"]
    with pytest.raises(LeasesLost, match="taken for dead"):
        await two.commit(Batch(settled=held))
    assert flights(tmp_path / ".processes" / "2") == []


@pytest.mark.parametrize(
    "work",
    [
        lambda two: two.lease(4),
        lambda two: two.lease(0, host="b"),
        lambda two: two.lease(0, host="new"),
        lambda two: two.claim({7: 7}),
        lambda two: two.reserve(3),
        lambda two: two.lend(1),
        lambda two: two.refuse(1),
        lambda two: two.listen(),
        lambda two: two.commit(Batch(found=[Request("http://c/1")])),
    ],
)
async def test_a_process_that_was_taken_for_dead_can_do_nothing_more(
    opened: Open, tmp_path: Path, work: Callable[[SqliteFrontier], Awaitable[object]]
) -> None:
    one, two = await opened(max_pages=9), await opened(max_pages=9)
    await add(one, Request("http://a/1"), Request("http://b/1"))
    await two.lease(1)
    (tmp_path / ".processes" / "2").unlink()
    await one.bury()
    before = await tables(tmp_path)
    with pytest.raises(LeasesLost):
        await work(two)
    await two.aclose()  # without a complaint
    assert await tables(tmp_path) == before


async def tables(folder: Path) -> list[str]:
    """Return all that a frontier's file holds."""
    connection = sqlite3.connect(folder / "frontier.db")
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


async def test_a_host_whose_notes_a_cancelled_call_should_have_asked_for_is_leased(
    opened: Open,
) -> None:
    one = await opened()
    await add(one, Request("http://a/1"), notes=None)
    borrowing = asyncio.ensure_future(one.lease(0, host="a"))
    await asyncio.sleep(0)
    borrowing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await borrowing
    async with asyncio.timeout(10):
        (lease,) = await one.lease(4)
    assert (lease.host, lease.notes) == ("a", None)


async def test_a_cancelled_call_leaves_the_asking_for_notes_to_whoever_does_it(
    opened: Open,
) -> None:
    one = await opened()
    await add(one, Request("http://a/1"), notes=None)
    assert len(await one.lease(4)) == 1  # whoever got it asks for them
    borrowing = asyncio.ensure_future(one.lease(0, host="a"))
    await asyncio.sleep(0)
    borrowing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await borrowing
    assert await is_waiting(one)
    await one.commit(Batch(notes={"a": NOTES}))
    assert names(await leased(one)) == ["1"]


async def test_whoever_may_have_killed_a_process_is_a_suspect_and_to_blame_if_it_dies_again(
    opened: Open, tmp_path: Path
) -> None:
    one = await opened()
    await add(one, *[Request(f"http://a/{n}") for n in range(4)])
    await one.aclose()

    async def left() -> set[tuple[str, bool, int]]:
        again = await opened(alone=True)
        found = {(r.url[-1], r.suspect, r.crashes) for r in await leased(again)}
        await again.commit(Batch(due={"a": 0.0}))
        await again.aclose()
        return found

    await kill_a_process(tmp_path, alone=True, waiting=2)
    assert await left() == {("0", True, 0), ("1", True, 0), ("2", False, 0), ("3", False, 0)}
    await kill_a_process(tmp_path, alone=True, waiting=1)  # one that nobody suspected before
    assert await left() == {("0", True, 0), ("1", True, 0), ("2", False, 1), ("3", False, 0)}
    await kill_a_process(tmp_path, alone=True, waiting=2)
    assert await left() == {("0", True, 1), ("1", True, 0), ("2", False, 1), ("3", True, 0)}


async def test_a_process_that_ends_on_purpose_leaves_nobody_to_blame(
    opened: Open, tmp_path: Path
) -> None:
    one = await opened()
    await add(one, Request("http://a/1"))
    (request,) = await leased(one)
    one.note(request).work()
    path = tmp_path / ".processes" / "1"
    assert [flight.works for flight in flights(path)] == [True]
    pardon()
    assert flights(path) == []


@pytest.mark.parametrize(("stirs", "more"), [(True, 3), (False, 6)])
async def test_hosts_are_given_only_to_a_process_that_stirs(
    opened: Open, tmp_path: Path, stirs: bool, more: int
) -> None:
    one, two = await opened(), await opened()
    await add(one, *(Request(f"http://{host}/{n}") for host in "ab" for n in range(9)))
    mine = await leased(one)
    assert await is_waiting(two)  # it has nothing to do, and says so
    if not stirs:
        (tmp_path / ".processes" / "2").unlink()
    await one.commit(Batch(settled=[*mine[:3], *mine[4:7]]))
    assert len(await leased(one)) == more
