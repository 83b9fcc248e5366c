"""What failed is queued again, as if it had never been tried."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crawler.errors import OutputError, RunError
from crawler.frontier.retrying import retry_failed
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, HostNotes
from crawler.request import Request, link_request
from tests.frontier.contract import NOTES, Clock, add, leased, names

SEED = link_request(url="seed:", kind="seed", callback="start")


@asynccontextmanager
async def life(folder: Path) -> AsyncIterator[SqliteFrontier]:
    """One life of a frontier in a folder."""
    frontier = SqliteFrontier(folder, clock=Clock(), batch=lambda notes: 9)
    await frontier.open()
    try:
        yield frontier
    finally:
        await frontier.aclose()


async def fail(frontier: SqliteFrontier, *kinds: str, more: Batch | None = None) -> list[Request]:
    """Lease what there is, and let it fail."""
    batch = Batch() if more is None else more
    batch.settled = await leased(frontier)
    batch.failed = [(request, kinds) for request in batch.settled]
    batch.counts = {f"failed.{kind}": len(batch.settled) for kind in kinds}
    batch.examples = [f"{kinds[0]}: why: {request.url}" for request in batch.settled]
    await frontier.commit(batch)
    return batch.settled


async def test_a_failed_request_comes_again_as_if_never_tried(tmp_path: Path) -> None:
    async with life(tmp_path) as frontier:
        await add(
            frontier, Request("http://a/1", data=[1], callback="detail"), Request("http://b/")
        )
        one, other = await leased(frontier)
        tried = link_request(**{**_fields(one), "attempt": 4, "crashes": 3})
        await frontier.commit(
            Batch(
                settled=[one, other],
                failed=[(tried, ["status", "callback"])],
                counts={"failed.status": 2, "failed.callback": 1, "failed.item": 1},
                examples=["status: HTTP 500: http://a/1", "item: $.price: http://b/"],
            )
        )
    assert retry_failed(tmp_path, before=lambda: None) == 1
    async with life(tmp_path) as frontier:
        assert (await frontier.counts()).queued == 1
        totals = await frontier.totals()
        assert {n: k for n, k in totals.counts.items() if k} == {
            "discovered": 2,
            "failed.status": 1,
            "failed.item": 1,
        }
        assert totals.examples == ["item: $.price: http://b/"]
        assert await leased(frontier) == [one]
    assert retry_failed(tmp_path, before=lambda: None) == 0


async def test_what_has_to_be_done_before_and_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    async with life(tmp_path) as frontier:
        await add(frontier, Request("http://a/1"))
        (one,) = await leased(frontier)
        await frontier.commit(Batch(settled=[one], failed=[(one, ["status"])]))

    def fail() -> None:
        raise OutputError("stats.json: cannot be removed")

    with pytest.raises(OutputError):
        retry_failed(tmp_path, before=fail)
    assert retry_failed(tmp_path, before=lambda: None) == 1


async def test_a_host_that_was_given_up_or_unreachable_is_asked_anew(tmp_path: Path) -> None:
    notes = {
        "down": HostNotes(unreachable="no"),
        "slow": HostNotes(crawl_delay=999.0),
        "fine": NOTES,
    }
    async with life(tmp_path) as frontier:
        for host, its in notes.items():
            await add(frontier, Request(f"http://{host}/1"), notes=its)
        await fail(frontier, "why", more=Batch(given_up={"slow": "too slow", "fine": "busy"}))
    assert retry_failed(tmp_path, before=lambda: None) == 3
    async with life(tmp_path) as frontier:
        assert (await frontier.totals()).given_up == {}
        leases = {lease.host: lease for lease in await frontier.lease(9)}
    assert {host for host, lease in leases.items() if lease.notes is None} == {"down", "slow"}
    assert names(leases["fine"].requests) == ["1"]


async def test_a_redirect_that_failed_ends_at_its_url_again(tmp_path: Path) -> None:
    end = Request("http://a/end").fingerprint()
    async with life(tmp_path) as frontier:
        await add(frontier, Request("http://a/1"), Request("http://a/2"))
        one, two = await leased(frontier)
        assert await frontier.claim({one.id: end, two.id: end}) == {two.id}
        await frontier.commit(Batch(settled=[one, two], failed=[(one, ["callback"])]))
    retry_failed(tmp_path, before=lambda: None)
    async with life(tmp_path) as frontier:
        (again,) = await leased(frontier)
        assert await frontier.claim({again.id: end}) == set()
        await frontier.commit(Batch(settled=[again], found=[Request("http://a/end")]))
        assert await leased(frontier) == []


async def test_many_failures_come_again(tmp_path: Path) -> None:
    async with life(tmp_path) as frontier:
        for number in range(1_500):
            await add(frontier, Request(f"http://h{number % 400}/{number}"))
        while await fail(frontier, "status"):
            pass
    assert retry_failed(tmp_path, before=lambda: None) == 1_500
    async with life(tmp_path) as frontier:
        assert (await frontier.counts()).queued == 1_500


async def test_a_seeding_that_failed_runs_again_in_the_next_life(tmp_path: Path) -> None:
    async with life(tmp_path) as frontier:
        await frontier.commit(Batch(found=[SEED]))
        await add(frontier, Request("http://a/1"))
        await fail(frontier, "callback")
    async with life(tmp_path) as frontier:
        (again,) = await leased(frontier)
        assert (again.kind, (await frontier.totals()).counts["failed.callback"]) == ("seed", 1)


async def test_nobody_else_may_crawl_the_run_meanwhile(tmp_path: Path) -> None:
    async with life(tmp_path):
        with pytest.raises(RunError, match="being crawled now"):
            retry_failed(tmp_path, before=lambda: None)


def _fields(request: Request) -> dict[str, object]:
    return {name: getattr(request, name) for name in request.__struct_fields__}
