"""Looks for work miss no change."""

import asyncio

from msgspec import structs

from crawler.frontier.changes import Changes
from crawler.frontier.ledger import Taken
from crawler.frontier.looking import Looking
from crawler.outcome import HostLease
from tests.frontier.contract import Clock

NOTHING = Taken((), False, None)
WORK = Taken((HostLease("a", "http://a/", (), None, 0.0, 1),), False, None)


class Looks:
    """Answers looks in turn, and counts them."""

    def __init__(self, *taken: Taken) -> None:
        self._taken = list(taken)

    async def __call__(self, limit: int) -> Taken:
        return self._taken.pop(0)


async def waiting(looking: Looking, look: Looks) -> "asyncio.Task[Taken]":
    """Begin to look, and come to wait."""
    task = asyncio.create_task(looking.next(8, look))
    await asyncio.sleep(0)
    return task


async def test_a_change_after_a_look_along_that_saw_nothing_is_looked_at() -> None:
    changes = Changes()
    looking = Looking(changes, clock=Clock())
    looker = await waiting(looking, Looks(NOTHING, WORK))
    looking.heard(looking.along(lambda limit: NOTHING), since=changes.next)
    looking.heard(
        None, since=changes.next
    )  # somebody else changed something before the looker woke up
    async with asyncio.timeout(1):
        assert await looker is WORK


async def test_a_change_between_a_look_along_and_hearing_of_it_is_looked_at() -> None:
    changes = Changes()
    looking = Looking(changes, clock=Clock())
    looker = await waiting(looking, Looks(NOTHING, WORK))
    since = changes.next
    taken = looking.along(lambda limit: NOTHING)
    changes.wake()  # somebody gave a host back, behind it
    looking.heard(taken, since=since)
    async with asyncio.timeout(1):
        assert await looker is WORK


async def test_what_was_seen_along_needs_no_other_look() -> None:
    changes = Changes()
    looking = Looking(changes, clock=Clock())
    looker = await waiting(looking, Looks(NOTHING))
    looking.heard(looking.along(lambda limit: WORK), since=changes.next)
    assert await looker is WORK


async def test_after_work_nobody_looks_before_something_changed() -> None:
    changes = Changes()
    looking = Looking(changes, clock=Clock())
    over = Taken((), True, None)
    look = Looks(WORK, over)
    assert await looking.next(8, look) is WORK
    looker = await waiting(looking, look)
    assert not looker.done()
    looking.heard(None, since=changes.next)
    assert await looker is over


async def test_after_work_there_is_another_look_if_more_is_due() -> None:
    clock = Clock()
    looking = Looking(Changes(), clock=clock)
    more = structs.replace(WORK, due=clock())
    look = Looks(more, WORK)
    assert await looking.next(8, look) is more
    assert await looking.next(8, look) is WORK
