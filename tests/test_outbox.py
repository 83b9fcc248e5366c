"""Outcomes on their way to the committer."""

import asyncio

import pytest

from crawler.outbox import Crew, Outbox
from crawler.outcome import Outcome, Verdict
from crawler.request import Request

ROOM = 2


def outcome() -> Outcome:
    return Outcome(Request("http://a/"), Verdict.DONE)


@pytest.mark.parametrize("waits", [False, True])
async def test_a_closed_outbox_lets_all_go_who_wait_to_hand_over(waits: bool) -> None:
    outbox = Outbox(ROOM, crew=lambda: Crew.IDLE)
    hand = outbox.put if waits else outbox.hand_over
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for _ in range(3 * ROOM):
            group.create_task(hand(outcome()))
        group.create_task(outbox.end())
        await asyncio.sleep(0)
        outbox.close()
    await hand(outcome())


async def test_what_may_wait_waits_no_longer_while_outcomes_come() -> None:
    loop = asyncio.get_running_loop()
    outbox = Outbox(16, crew=lambda: Crew.IDLE)
    began = loop.time()
    gathered = 0
    while True:
        await outbox.hand_over(outcome())
        gathered += len(await outbox.gather())
        if not outbox.may_wait:
            break
    assert gathered > 1
    assert loop.time() - began >= 0.02
