"""Which callback is to blame when a process dies."""

import asyncio

import pytest
from msgspec import structs

from crawler.poison import Isolation, Mark, crash_of
from crawler.request import Request

REQUEST = Request("http://a.example/")
SUSPECT = structs.replace(REQUEST, suspect=True)


class Said:
    """A note that tells what it says."""

    def __init__(self) -> None:
        self.last = ""

    def work(self) -> None:
        self.last = "works"

    def wait(self) -> None:
        self.last = "waits"

    def clear(self) -> None:
        self.last = ""


async def test_a_note_tells_code_that_runs_from_code_that_waits() -> None:
    note, go = Said(), asyncio.Event()

    async def callback() -> int:
        assert note.last == "works"
        await go.wait()
        assert note.last == "works"
        return 7

    with Mark(note) as mark:
        running = asyncio.ensure_future(mark.watch(callback()))
        await asyncio.sleep(0)
        assert note.last == "waits"
        go.set()
        assert await running == 7
    assert note.last == ""


async def test_who_waits_for_another_page_is_not_noted_but_when_its_code_runs() -> None:
    note = Said()
    first, second = asyncio.Event(), asyncio.Event()

    with Mark(note) as mark:

        async def callback() -> None:
            wait = mark.but_for(asyncio.Event.wait)
            await asyncio.gather(wait(first), wait(second))
            assert note.last == "works"
            await asyncio.sleep(0)

        running = asyncio.ensure_future(mark.watch(callback()))
        for event in (first, second):
            for _ in range(3):
                await asyncio.sleep(0)
            assert note.last == ""
            event.set()
        await asyncio.sleep(0)
        await running
        assert note.last == "waits"


async def test_what_is_raised_or_cancelled_inside_comes_out() -> None:
    note = Said()

    async def fail() -> None:
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            raise ValueError(note.last) from None

    with Mark(note) as mark:
        running = asyncio.ensure_future(mark.watch(fail()))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(ValueError, match="works"):
            await running


async def test_a_timeout_inside_works_as_it_does_without() -> None:
    async def slow() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(9)
        except TimeoutError:
            return "late"
        return "in time"

    with Mark(Said()) as mark:
        assert await mark.watch(slow()) == "late"


async def test_suspects_are_alone_and_the_others_are_together() -> None:
    isolation = Isolation()
    inside: list[Request] = []
    most = {True: 0, False: 0}

    async def make(request: Request) -> None:
        with await isolation.of(request):
            inside.append(request)
            assert not request.suspect or len(inside) == 1
            assert sum(one.suspect for one in inside) in (0, len(inside))
            most[request.suspect] = max(most[request.suspect], len(inside))
            await asyncio.sleep(0.001)
            inside.remove(request)

    requests = [REQUEST, REQUEST, SUSPECT, REQUEST, SUSPECT, REQUEST, REQUEST]
    async with asyncio.timeout(10):
        await asyncio.gather(*map(make, requests))
    assert most == {True: 1, False: 3}


async def test_a_suspect_that_is_cancelled_keeps_nobody_waiting() -> None:
    isolation = Isolation()
    async with asyncio.timeout(10):
        await isolation.of(REQUEST)
        suspect = asyncio.ensure_future(isolation.of(SUSPECT))
        await asyncio.sleep(0)
        other = asyncio.ensure_future(isolation.of(REQUEST))
        await asyncio.sleep(0)
        assert not other.done()
        suspect.cancel()
        await other


async def test_seeding_is_beside_a_suspect() -> None:
    isolation = Isolation()
    seeding = Request("http://seed.example/", kind="seed")
    async with asyncio.timeout(10):
        with await isolation.of(seeding), await isolation.of(SUSPECT), await isolation.of(seeding):
            pass


def test_the_third_death_is_the_failure() -> None:
    assert crash_of(structs.replace(REQUEST, crashes=2)) is None
    crash = crash_of(structs.replace(REQUEST, crashes=3))
    assert (str(crash), crash and crash.url) == ("crashed the process 3 times", REQUEST.url)
