"""How many requests are begun and not committed."""

import asyncio

from crawler.places import Places


async def test_who_begins_waits_until_an_outcome_is_committed() -> None:
    places = Places(2)
    for _ in range(2):
        await places.begin()
    third = asyncio.create_task(places.begin())
    fourth = asyncio.create_task(places.begin())
    await asyncio.sleep(0)
    places.hand_over()
    await asyncio.sleep(0)
    assert (places.busy, places.free, third.done()) == (1, 0, False)
    places.committed()
    await asyncio.wait({third, fourth}, return_when=asyncio.FIRST_COMPLETED)
    assert (places.busy, places.free) == (2, 0)
    assert third.done() != fourth.done()
    places.leave()  # one comes to nothing
    await asyncio.wait({third, fourth})
    assert (places.busy, places.free) == (2, 0)
