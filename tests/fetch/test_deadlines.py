"""One timer for all requests' timeouts."""

import asyncio

import pytest

from crawler.fetch.deadlines import Deadlines


async def test_a_block_that_lasts_too_long_times_out() -> None:
    deadlines = Deadlines()
    with pytest.raises(TimeoutError):
        with deadlines.after(0.01):
            await asyncio.sleep(10)
    with deadlines.after(0.01):
        pass
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    deadlines.close()


async def test_each_block_ends_at_its_own_time() -> None:
    deadlines, ended = Deadlines(), list[float]()

    async def wait(seconds: float) -> None:
        with pytest.raises(TimeoutError):
            with deadlines.after(seconds):
                await asyncio.Event().wait()
        ended.append(seconds)

    async with asyncio.TaskGroup() as group:
        for seconds in (0.09, 0.01, 0.05):
            group.create_task(wait(seconds))
    assert ended == [0.01, 0.05, 0.09]
    deadlines.close()


async def test_a_deadline_may_move() -> None:
    deadlines = Deadlines()

    async def end_soon() -> None:
        with deadlines.after(10) as deadline:
            deadline.move(asyncio.get_running_loop().time() + 0.01)
            await asyncio.sleep(10)

    with deadlines.after(0.01) as deadline:
        end = deadline.when
        deadline.move(float("inf"))
        await asyncio.sleep(0.03)
        deadline.move(end + 10)
        await asyncio.sleep(0.01)
    with pytest.raises(TimeoutError):
        await end_soon()
    deadlines.close()


async def test_a_cancelled_block_is_no_timeout() -> None:
    deadlines = Deadlines()

    async def wait() -> None:
        with deadlines.after(0.02):
            await asyncio.sleep(10)

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    late = asyncio.ensure_future(wait())
    asyncio.get_running_loop().call_later(0.02, late.cancel)  # both at once: it is cancelled
    with pytest.raises((asyncio.CancelledError, TimeoutError)):
        await late
    deadlines.close()


async def test_what_ended_in_time_does_not_pile_up() -> None:
    deadlines = Deadlines()
    with deadlines.after(1_000):
        for _ in range(20_000):
            with deadlines.after(100):
                pass
    assert len(deadlines._heap) < 1_100
    deadlines.close()
