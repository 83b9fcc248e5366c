"""Which callback is to blame when a process dies."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec import structs

from crawler.poison import Mark, crash_of
from crawler.request import Request

REQUEST = Request("http://a.example/")


class Notes:
    """Counts the notes that are made of a request."""

    def __init__(self) -> None:
        self.made = 0

    @contextmanager
    def running(self, request: Request) -> Iterator[None]:
        assert request is REQUEST
        self.made += 1
        yield
        self.made -= 1


async def test_a_callback_is_noted_once_but_for_what_it_waits_for() -> None:
    notes = Notes()
    first, second = asyncio.Event(), asyncio.Event()
    with Mark(REQUEST, notes.running) as mark:
        assert notes.made == 1
        wait = mark.but_for(asyncio.Event.wait)
        both = [asyncio.ensure_future(wait(event)) for event in (first, second)]
        await asyncio.sleep(0)
        assert notes.made == 0
        for event, task in zip((first, second), both, strict=True):
            event.set()
            await task
            assert notes.made == 1
    assert notes.made == 0


async def test_a_wait_that_fails_is_over_as_well() -> None:
    notes = Notes()

    async def fail(asked: int) -> None:
        raise ValueError(asked)

    with Mark(REQUEST, notes.running) as mark:
        with pytest.raises(ValueError, match="7"):
            await mark.but_for(fail)(7)
        assert notes.made == 1
    assert notes.made == 0


def test_the_third_death_is_the_failure() -> None:
    assert crash_of(structs.replace(REQUEST, crashes=2)) is None
    crash = crash_of(structs.replace(REQUEST, crashes=3))
    assert (str(crash), crash and crash.url) == ("crashed the process 3 times", REQUEST.url)
