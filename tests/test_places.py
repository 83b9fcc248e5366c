"""How many requests are begun and not committed."""

import asyncio

import pytest

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


@pytest.mark.parametrize(
    ("names", "order"), [("abc", "abcABC"), ("ab", "aAbB")], ids=["several", "two"]
)
async def test_several_go_on_in_a_row_and_few_at_once(names: str, order: str) -> None:
    # Where hardly anybody is busy, as in a chain, a turn of the loop is a large part of a page.
    places, said = Places(8), list[str]()

    async def make(name: str) -> None:
        said.append(name)
        await places.in_step()
        said.append(name.upper())

    for _ in names:
        await places.begin()
    await asyncio.gather(*map(make, names))
    assert "".join(said) == order
