"""Outcomes on their way to the committer."""

import asyncio
from collections.abc import Sequence

import pytest

from crawler.outbox import Crew, Entry, Outbox
from crawler.outcome import Outcome, Verdict
from crawler.request import Request

ROOM = 2


def outcome() -> Outcome:
    return Outcome(Request("http://a/"), Verdict.DONE)


def nothing() -> None:
    """Hear that an outcome is committed."""


class Workers:
    """What an outbox asks and tells."""

    def __init__(self, crew: Crew, *, room: int = 16, longest: float = 0.3) -> None:
        self.crew = crew
        self.outbox = Outbox(room, crew=lambda: self.crew, posted=self._told, longest=longest)
        self.told = 0
        self.posted: list[Entry] = []
        self.can_post = True

    def _told(self) -> None:
        self.told += 1

    async def post(self, entries: Sequence[Entry]) -> bool:
        await asyncio.sleep(0.01)  # it may take a look into a file
        if self.can_post:
            self.posted += entries
        return self.can_post

    def gathering(self) -> "asyncio.Task[list[Entry]]":
        return asyncio.create_task(self.outbox.gather(self.post))


@pytest.mark.parametrize("hand", ["put", "hand_over", "post"])
async def test_a_closed_outbox_lets_all_go_who_hand_over(hand: str) -> None:
    outbox = Workers(Crew.IDLE, room=ROOM).outbox
    ended = 0

    def end() -> None:
        nonlocal ended
        ended += 1

    async def hand_over() -> None:
        match hand:
            case "put":
                await outbox.put(outcome())
            case "hand_over":
                await outbox.hand_over(outcome(), ended=end)
            case _:
                assert not await outbox.post(outcome(), ended=end)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for _ in range(3 * ROOM):
            group.create_task(hand_over())
        group.create_task(outbox.end())
        await asyncio.sleep(0)
        outbox.close()
    await hand_over()
    assert ended == (0 if hand == "put" else 3 * ROOM + 1)


async def test_while_workers_bring_more_it_is_waited_for_a_little() -> None:
    workers = Workers(Crew.BUSY)
    gathering = workers.gathering()
    for _ in range(2):
        await workers.outbox.hand_over(outcome())
        await asyncio.sleep(0.001)
    assert not gathering.done()
    assert len(await gathering) == 2


@pytest.mark.parametrize("crew", [Crew.IDLE, Crew.STUCK])
async def test_what_nothing_comes_without_is_committed_at_once(crew: Crew) -> None:
    workers = Workers(crew, longest=60.0)
    workers.can_post = False
    gathering = workers.gathering()
    await workers.outbox.hand_over(outcome())
    assert len(await asyncio.wait_for(gathering, 5)) == 1
    assert not workers.posted


async def test_idle_workers_go_on_with_what_is_posted_and_it_is_committed_a_little_later() -> None:
    workers = Workers(Crew.IDLE)
    gathering = workers.gathering()
    await workers.outbox.hand_over(outcome())
    await asyncio.sleep(0.05)
    assert (len(workers.posted), workers.told) == (1, 1)
    assert not gathering.done()
    assert await gathering == []  # whoever posted has it


async def test_who_posts_itself_is_told_so_and_nobody_else_is() -> None:
    workers = Workers(Crew.IDLE, longest=60.0)
    gathering = workers.gathering()
    await asyncio.sleep(0)
    assert await workers.outbox.post(outcome(), ended=nothing)
    assert (len(workers.posted), workers.told) == (1, 0)
    workers.can_post = False
    assert not await workers.outbox.post(outcome(), ended=nothing)
    assert len(await gathering) == 1
    # Nobody gathers now: it waits for the next time.
    workers.can_post = True
    assert not await workers.outbox.post(outcome(), ended=nothing)
    assert len(workers.posted) == 1


async def test_what_is_being_posted_when_time_is_up_is_committed_with_the_rest() -> None:
    workers = Workers(Crew.IDLE, longest=0.005)  # a post takes 10 ms
    gathering = workers.gathering()
    await asyncio.sleep(0)
    first = asyncio.create_task(workers.outbox.post(outcome(), ended=nothing))
    second = asyncio.create_task(workers.outbox.post(outcome(), ended=nothing))
    assert await gathering == []
    assert await first
    assert len(workers.posted) == 1 + await second


async def test_that_one_batch_was_late_makes_no_other_one_so() -> None:
    workers = Workers(Crew.BUSY, longest=0.05)
    for _ in range(3):
        gathering = workers.gathering()
        await workers.outbox.hand_over(outcome())
        await asyncio.sleep(0.001)
        assert not gathering.done()
        assert len(await gathering) == 1
        await asyncio.sleep(0.1)


async def test_what_could_not_be_posted_is_not_tried_again() -> None:
    workers = Workers(Crew.IDLE, longest=60.0)
    tries = 0

    async def refuse(entries: Sequence[Entry]) -> bool:
        nonlocal tries
        tries += len(entries)
        return False

    gathering = asyncio.create_task(workers.outbox.gather(refuse))
    await asyncio.sleep(0)
    assert not await workers.outbox.post(outcome(), ended=nothing)
    assert len(await gathering) == 1
    assert tries == 1
