"""What every frontier must do: one suite, run over each implementation.

A module that tests a frontier imports `*` from here and has a fixture `clock`, whose `now` moves
it, and a fixture `make`: a function from options to an opened frontier of that clock. `NOTES` is
what a host's robots.txt came to.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest

from crawler.outcome import ALL_PAGES, Batch, HostNotes
from crawler.protocols import Frontier
from crawler.request import Request
from crawler.rules.gate import Gate
from crawler.urls import KeyRules

NOTES = HostNotes()

Make = Callable[..., Awaitable[Frontier]]
"""Takes the options of `MemoryFrontier`: `batch`, `rules`, `host_pages` and so on."""


def by_host(pages: Sequence[Request]) -> dict[str, int]:
    """Return how many of the pages each host has."""
    return Counter(request.host for request in pages)


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def frontier(make: Make) -> Frontier:
    """A frontier that holds at most four requests of a host at once."""
    return await make(batch=lambda notes: 4)


async def left_out(frontier: Frontier) -> dict[str, int]:
    """What was dropped from the queue, by reason."""
    counts = (await frontier.totals()).counts
    return {name.removeprefix("left_out."): n for name, n in counts.items() if "left_out." in name}


async def add(frontier: Frontier, *requests: Request, notes: HostNotes | None = NOTES) -> None:
    hosts = {request.host: notes for request in requests if notes is not None}
    await frontier.commit(Batch(found=list(requests), notes=dict(hosts)))


async def leased(frontier: Frontier, limit: int = 100) -> list[Request]:
    return [r for lease in await frontier.lease(limit) for r in lease.requests]


async def is_waiting(frontier: Frontier) -> bool:
    """True if a lease finds nothing now, and does not say that the crawl is over."""
    try:
        async with asyncio.timeout(0.02):
            await frontier.lease(1)
    except TimeoutError:
        return True
    return False


def names(requests: Sequence[Request]) -> list[str]:
    return [request.url.rpartition("/")[2] for request in requests]


async def test_an_empty_frontier_is_over(frontier: Frontier) -> None:
    assert list(await frontier.lease(10)) == []


async def test_it_is_over_only_when_what_was_leased_is_settled(frontier: Frontier) -> None:
    await add(frontier, Request("http://a/1"))
    (request,) = await leased(frontier)
    assert await is_waiting(frontier)
    await frontier.commit(Batch(settled=[request]))
    assert list(await frontier.lease(10)) == []


async def test_a_waiting_lease_hears_of_a_commit(frontier: Frontier) -> None:
    await add(frontier, Request("http://a/1"))
    (request,) = await leased(frontier)
    waiting = asyncio.create_task(leased(frontier))
    await asyncio.sleep(0)
    await frontier.commit(Batch(settled=[request], found=[Request("http://a/2")]))
    assert names(await asyncio.wait_for(waiting, 5)) == ["2"]


async def test_a_waiting_lease_hears_of_the_end(frontier: Frontier) -> None:
    await add(frontier, Request("http://a/1"))
    (request,) = await leased(frontier)
    waiting = asyncio.create_task(leased(frontier))
    await asyncio.sleep(0)
    await frontier.commit(Batch(settled=[request]))
    assert await asyncio.wait_for(waiting, 5) == []


async def test_a_url_is_leased_once_however_often_it_is_found(frontier: Frontier) -> None:
    await add(frontier, Request("http://a/1"), Request("http://a/1"))
    await add(frontier, Request("http://a/1"))
    first = await leased(frontier)
    await frontier.commit(Batch(settled=first))
    await add(frontier, Request("http://a/1"))
    assert names(first) == ["1"]
    assert await leased(frontier) == []


async def test_method_and_body_make_another_request(frontier: Frontier) -> None:
    await add(
        frontier,
        Request("http://a/1"),
        Request("http://a/1", method="HEAD"),
        Request("http://a/1", body=b"x"),
        Request("http://a/1", body=b"y"),
        Request("http://a/1", body=b"y"),
    )
    assert len(await leased(frontier)) == 4


async def test_again_does_not_ask_whether_the_url_is_known(frontier: Frontier) -> None:
    await add(frontier, Request("http://a/1"), Request("http://a/1", again=True))
    assert len(await leased(frontier)) == 2


async def test_priority_goes_first_then_depth_then_age(frontier: Frontier) -> None:
    await add(
        frontier,
        Request("http://a/deep", depth=2),
        Request("http://a/old", depth=1),
        Request("http://a/young", depth=1),
        Request("http://a/high", depth=9, priority=1),
    )
    assert names(await leased(frontier)) == ["high", "old", "young", "deep"]


async def test_a_retried_request_keeps_its_age_and_waits_for_its_time(
    frontier: Frontier, clock: Clock
) -> None:
    await add(frontier, Request("http://a/1"))
    (request,) = await leased(frontier)
    await frontier.commit(Batch(retried=[(request, clock.now + 10)]))
    assert await is_waiting(frontier)
    assert (await frontier.counts()).delayed == 1
    clock.now += 10
    assert await leased(frontier) == [request]


async def test_a_host_that_is_not_due_is_not_leased(frontier: Frontier, clock: Clock) -> None:
    await add(frontier, Request("http://a/1"), Request("http://b/2"))
    await frontier.commit(Batch(due={"a": clock.now + 5}))
    assert names(await leased(frontier)) == ["2"]
    assert await is_waiting(frontier)
    clock.now += 5
    assert names(await leased(frontier)) == ["1"]


async def test_the_host_that_is_due_longest_goes_first(frontier: Frontier, clock: Clock) -> None:
    await add(frontier, Request("http://a/1"), Request("http://b/2"))
    await frontier.commit(Batch(due={"a": clock.now + 2, "b": clock.now + 1}))
    clock.now += 3
    await add(frontier, Request("http://new/3"))
    assert names(await leased(frontier, 1)) == ["2"]
    assert names(await leased(frontier)) == ["1", "3"]


async def test_a_hosts_due_time_never_moves_back(frontier: Frontier, clock: Clock) -> None:
    await add(frontier, Request("http://a/1"))
    await frontier.commit(Batch(due={"a": clock.now + 10}))
    await frontier.commit(Batch(due={"a": 0.0}))
    assert await is_waiting(frontier)


async def test_the_limit_is_of_requests_in_all(frontier: Frontier) -> None:
    await add(frontier, *[Request(f"http://h{n}/{n}") for n in range(10)])
    leases = await frontier.lease(3)
    assert sum(len(lease.requests) for lease in leases) == 3


async def test_a_host_holds_no_more_than_its_batch(frontier: Frontier) -> None:
    await add(frontier, *[Request(f"http://a/{n}") for n in range(10)])
    first = await leased(frontier)
    assert names(first) == ["0", "1", "2", "3"]  # the fixture's batch is 4
    assert await is_waiting(frontier)
    await frontier.commit(Batch(settled=first[:2]))
    assert names(await leased(frontier)) == ["4", "5"]


async def test_a_new_host_is_leased_without_requests_until_its_notes_are_known(
    frontier: Frontier,
) -> None:
    await add(frontier, Request("https://a/1"), notes=None)
    (lease,) = await frontier.lease(10)
    assert (lease.host, lease.origin, list(lease.requests), lease.notes) == (
        "a",
        "https://a",
        [],
        None,
    )
    assert await is_waiting(frontier)
    await frontier.commit(Batch(notes={"a": HostNotes(crawl_delay=3.0)}))
    (lease,) = await frontier.lease(10)
    assert lease.notes == HostNotes(crawl_delay=3.0)
    assert names(lease.requests) == ["1"]


async def test_a_host_is_asked_anew_once_its_notes_are_old(
    frontier: Frontier, clock: Clock
) -> None:
    old, new = (HostNotes(crawl_delay=n, until=clock.now + n * 10.0) for n in (1, 2))
    await add(frontier, *[Request(f"http://a/{n}") for n in range(8)], notes=old)
    (lease,) = await frontier.lease(2)
    assert lease.notes == old
    clock.now += 10
    (asks,) = await frontier.lease(10)
    assert (asks.host, asks.origin, list(asks.requests), asks.notes) == ("a", "http://a", [], None)
    await frontier.commit(Batch(settled=list(lease.requests)))  # what was out went on its way
    assert await is_waiting(frontier)
    await frontier.commit(Batch(notes={"a": new}))
    (lease,) = await frontier.lease(10)
    assert (lease.notes, names(lease.requests)) == (new, ["2", "3", "4", "5"])
    clock.now += 9
    await frontier.commit(Batch(settled=list(lease.requests)))
    assert names(await leased(frontier)) == ["6", "7"]


async def test_notes_that_grow_old_while_all_of_a_host_is_out_keep_nobody_waiting(
    frontier: Frontier, clock: Clock
) -> None:
    old = HostNotes(until=clock.now + 10)
    await add(frontier, *[Request(f"http://a/{n}") for n in range(6)], notes=old)
    out = await leased(frontier)
    waiting = asyncio.create_task(frontier.lease(10))
    await asyncio.sleep(0)
    clock.now += 11
    await frontier.commit(Batch(settled=out))
    (asks,) = await asyncio.wait_for(waiting, 5)
    assert (list(asks.requests), asks.notes) == ([], None)
    await frontier.commit(Batch(notes={"a": NOTES}))
    assert names(await leased(frontier)) == ["4", "5"]


async def test_notes_of_a_clock_that_was_set_back_are_old(frontier: Frontier, clock: Clock) -> None:
    day = 24 * 3600.0
    await add(frontier, Request("http://a/1"), notes=HostNotes(until=clock.now + day))
    await add(frontier, Request("http://b/1"), notes=HostNotes(until=clock.now + day + 9))
    assert [lease.notes is None for lease in await frontier.lease(10)] == [False, True]


async def test_a_host_out_of_turn_comes_without_notes_that_are_old(
    frontier: Frontier, clock: Clock
) -> None:
    await add(frontier, Request("http://a/1"), notes=HostNotes(until=clock.now + 10))
    assert [lease.notes is None for lease in await frontier.lease(0, host="a")] == [False]
    clock.now += 10
    assert [lease.notes for lease in await frontier.lease(0, host="a")] == [None]


async def test_a_host_out_of_turn_comes_without_its_queue(frontier: Frontier) -> None:
    await add(frontier, Request("http://a/1"))
    (lease,) = await frontier.lease(0, host="a")
    assert (lease.host, list(lease.requests), lease.notes) == ("a", [], NOTES)
    assert names(await leased(frontier)) == ["1"]


async def test_a_host_out_of_turn_comes_at_once_though_its_notes_are_unknown(
    frontier: Frontier,
) -> None:
    await add(frontier, Request("http://a/1"), notes=None)
    await frontier.lease(10)  # somebody is sent to ask
    for host in ("a", "b"):
        (lease,) = await frontier.lease(0, host=host)
        assert (lease.host, lease.notes) == (host, None)


async def test_a_final_url_belongs_to_whoever_claims_it_first(frontier: Frontier) -> None:
    await add(frontier, Request("http://a/1"), Request("http://a/2"), Request("http://a/3"))
    one, two, three = await leased(frontier)
    end = Request("http://a/end").fingerprint()
    assert await frontier.claim({one.id: end}) == set()
    assert await frontier.claim({two.id: end}) == {two.id}
    assert await frontier.claim({one.id: end}) == set()  # again: the same answer
    await add(frontier, Request("http://a/end"))
    await frontier.commit(Batch(settled=[one, two, three]))
    assert await leased(frontier) == []


async def test_a_final_url_that_is_queued_already_is_not_taken_from_the_queue(
    frontier: Frontier,
) -> None:
    await add(frontier, Request("http://a/1"), Request("http://a/end"))
    first, queued = await leased(frontier)
    assert await frontier.claim({first.id: queued.fingerprint()}) == {first.id}


async def test_a_host_given_up_loses_its_queue_and_gets_no_more(frontier: Frontier) -> None:
    await add(frontier, *[Request(f"http://a/{n}") for n in range(6)])
    held = await leased(frontier)
    await frontier.commit(Batch(given_up={"a": "why"}, settled=held))
    assert await left_out(frontier) == {"host_given_up": 2}
    await frontier.commit(Batch(found=[Request("http://a/new")]))
    assert await left_out(frontier) == {"host_given_up": 3}
    assert (await frontier.totals()).given_up == {"a": "why"}
    assert list(await frontier.lease(10)) == []


async def test_host_pages_bounds_the_pages_of_a_host(make: Make) -> None:
    frontier = await make(batch=lambda notes: 4, host_pages=2)
    await add(frontier, *[Request(f"http://a/{n}") for n in range(5)])
    first = await leased(frontier)
    assert names(first) == ["0", "1"]
    await frontier.commit(Batch(settled=first[:1]))  # it failed: another may take its place
    second = await leased(frontier)
    assert names(second) == ["2"]
    commit = await frontier.commit(
        Batch(settled=[first[1], *second], pages=by_host([first[1], *second]))
    )
    assert commit.counts["left_out.host_pages"] == 2
    assert list(await frontier.lease(10)) == []


async def test_a_retried_request_of_a_host_with_all_its_pages_is_dropped(
    make: Make, clock: Clock
) -> None:
    frontier = await make(batch=lambda notes: 4, host_pages=2)
    await add(frontier, Request("http://a/1"), Request("http://a/2"), Request("http://b/1"))
    one, two, other = await leased(frontier)
    await frontier.commit(
        Batch(retried=[(one, clock.now + 1)], settled=[two], pages=by_host([two, two]))
    )
    clock.now += 2
    assert await is_waiting(frontier)
    await frontier.commit(Batch(settled=[other]))
    assert await left_out(frontier) == {"host_pages": 1}
    assert list(await frontier.lease(10)) == []


async def test_a_host_with_all_its_pages_is_not_leased_out_of_turn(make: Make) -> None:
    frontier = await make(batch=lambda notes: 4, host_pages=1)
    await add(frontier, Request("http://a/1"))
    held = await leased(frontier)
    assert len(await frontier.lease(0, host="a")) == 1
    await frontier.commit(Batch(settled=held, pages=by_host(held)))
    for host, why in (("a", ALL_PAGES), ("b", "")):
        assert [lease.alone for lease in await frontier.lease(0, host=host)] == [why]


async def test_a_host_all_of_whose_pages_are_out_is_not_asked_for_its_notes_anew(
    make: Make, clock: Clock
) -> None:
    frontier = await make(batch=lambda notes: 4, host_pages=1)
    found = [Request(f"http://a/{n}") for n in range(2)]
    await frontier.commit(Batch(found=found, notes={"a": HostNotes(until=clock.now + 5)}))
    held = await leased(frontier)
    clock.now += 6
    assert await is_waiting(frontier)
    await frontier.commit(Batch(settled=held))  # it brought no page
    assert [lease.notes for lease in await frontier.lease(1)] == [None]


async def test_a_host_given_up_is_not_leased_out_of_turn(frontier: Frontier) -> None:
    await frontier.commit(Batch(given_up={"a": "why"}))
    assert [lease.alone for lease in await frontier.lease(0, host="a")] == ["why"]


async def test_without_robots_every_host_is_leased_at_once(make: Make) -> None:
    frontier = await make(batch=lambda notes: 4, ask_notes=False)
    await add(frontier, Request("http://a/1"), notes=None)
    assert names(await leased(frontier)) == ["1"]


async def test_the_batch_is_asked_with_the_hosts_notes(make: Make) -> None:
    frontier = await make(batch=lambda notes: 1 if notes.crawl_delay else 4)
    slow = HostNotes(crawl_delay=9.0)
    await add(frontier, *[Request(f"http://a/{n}") for n in range(3)], notes=slow)
    assert names(await leased(frontier)) == ["0"]


async def test_key_rules_decide_what_is_known(make: Make) -> None:
    rules = KeyRules(ignore_query_order=True, ignore_params=("utm_*",))
    frontier = await make(batch=lambda notes: 9, rules=rules)
    await add(
        frontier,
        Request("http://a/?a=1&b=2"),
        Request("http://a/?b=2&a=1"),
        Request("http://a/?a=1&b=2&utm_source=x"),
        Request("http://a/?a=2"),
    )
    assert len(await leased(frontier)) == 2


async def test_counts_tell_queued_leased_hosts_and_known(frontier: Frontier) -> None:
    await add(frontier, *[Request(f"http://a/{n}") for n in range(6)], Request("http://b/1"))
    await leased(frontier)
    counts = await frontier.counts()
    assert (counts.queued, counts.leased, counts.hosts, counts.known) == (2, 5, 2, 7)


async def test_a_request_comes_back_as_it_was_put_in(frontier: Frontier) -> None:
    request = Request(
        "http://a/1",
        callback="detail",
        data={"a": [1, "é", None]},
        headers={"X-A": "1"},
        form={"q": "x"},
        priority=3,
        depth=4,
        timeout=5.0,
        retries=1,
        jar="j",
    )
    await add(frontier, request)
    (back,) = await leased(frontier)
    assert {**_fields(back), "id": 0} == _fields(request)


def _fields(request: Request) -> dict[str, object]:
    return {name: getattr(request, name) for name in request.__struct_fields__}


async def test_where_many_hosts_are_due_each_gets_a_few_requests(make: Make) -> None:
    frontier = await make(batch=lambda notes: 64)
    await add(frontier, *(Request(f"http://h{host}/{n}") for host in range(10) for n in range(50)))
    leases = await frontier.lease(40)
    assert [len(lease.requests) for lease in leases] == [4] * 10
    assert [len(lease.requests) for lease in await frontier.lease(200)] == [20] * 10


async def test_a_host_that_is_due_alone_gets_all_that_is_asked_for(make: Make) -> None:
    frontier = await make(batch=lambda notes: 64)
    await add(frontier, *(Request(f"http://a/{n}") for n in range(50)))
    assert len(await leased(frontier, 40)) == 40


async def test_shape_pages_bounds_what_is_queued_of_one_shape_of_urls(make: Make) -> None:
    frontier = await make(batch=lambda notes: 100, shape_pages=2)
    trap = [Request(f"http://a/trap/{n}", depth=1) for n in range(6)]
    await add(frontier, *trap, *trap, Request("http://b/trap/1"), Request("http://a/good/1"))
    assert sorted(r.url for r in await leased(frontier)) == [
        "http://a/good/1",
        "http://a/trap/0",
        "http://a/trap/1",
        "http://b/trap/1",
    ]
    assert await left_out(frontier) == {"shape_pages": 4}


async def test_many_of_one_shape_come_after_what_is_deeper(make: Make) -> None:
    frontier = await make(batch=lambda notes: 2_000)
    crowd = [Request(f"http://a/trap/{n}", depth=1) for n in range(1_000)]
    await add(frontier, *crowd, *(Request(f"http://a/{n}/good", depth=9) for n in range(3)))
    order = [request.url for request in await leased(frontier, 2_000)]
    good = [place for place, url in enumerate(order) if url.endswith("good")]
    assert max(good) < 300
    assert [url for url in order if "trap" in url] == [request.url for request in crowd]


async def test_priority_comes_before_crowds_and_seeds_are_none(make: Make) -> None:
    frontier = await make(batch=lambda notes: 2_000)
    seeds = [Request(f"http://a/seed/{n}") for n in range(500)]
    crowd = [Request(f"http://a/trap/{n}", depth=1) for n in range(500)]
    first = Request("http://a/trap/first", depth=5, priority=1)
    await add(frontier, *crowd, first, *seeds, Request("http://a/good", depth=1))
    order = await leased(frontier, 2_000)
    assert order[0].url == first.url
    assert [r.url for r in order[1:501]] == [r.url for r in seeds]


async def test_a_trap_is_left_out_and_counted_once(make: Make) -> None:
    frontier = await make(batch=lambda notes: 4)
    trap = Request("http://a/x/y/x/y/x/y", depth=1)
    await add(frontier, trap, Request("http://a/1", depth=1))
    await frontier.commit(Batch(found=[trap]))
    assert names(await leased(frontier)) == ["1"]
    counts = (await frontier.totals()).counts
    assert counts["trap.repetition"] == counts["left_out.trap"] == 1


async def test_traps_are_named_by_host_and_kind(make: Make) -> None:
    gate = Gate(year=2026)
    frontier = await make(batch=lambda notes: 4, gate=gate)
    trap = Request("http://a/x/y/x/y/x/y", depth=1)
    await add(frontier, trap)
    await frontier.commit(Batch(kept=dict(gate.changes())))
    assert (await frontier.totals()).traps == {("a", "repetition"): trap.url}


async def test_keys_of_items_are_known_once_they_are_committed(frontier: Frontier) -> None:
    keys = [0, -1, 2**63 - 1, -(2**63)]
    assert await frontier.known_items(keys) == set()
    await frontier.commit(Batch(item_keys=keys[:2]))
    assert await frontier.known_items(keys) == {0, -1}
    await frontier.commit(Batch(item_keys=keys[2:]))
    assert await frontier.known_items({*keys, 7}) == set(keys)
    assert await frontier.known_items([]) == set()


async def test_keys_of_items_are_no_known_urls(frontier: Frontier) -> None:
    await frontier.commit(Batch(item_keys=[Request("http://a/1").fingerprint(KeyRules())]))
    await add(frontier, Request("http://a/1"))
    assert (await frontier.counts()).known == 1
    assert names(await leased(frontier)) == ["1"]


async def test_how_long_files_are_is_what_the_last_commit_of_each_said(make: Make) -> None:
    frontier = await make(batch=lambda notes: 4)
    assert await frontier.lengths() == {}
    await frontier.commit(Batch(lengths={"warc/a": 1, "warc/b": 2}))
    await frontier.commit(Batch(lengths={"warc/b": 3}))
    await frontier.commit(Batch())
    assert await frontier.lengths() == {"warc/a": 1, "warc/b": 3}
    assert await frontier.parts() == {}
