"""A body that drips is broken off, however patient the time limits are."""

import pytest

from crawler.errors import TimedOut
from crawler.fetch.http import HttpFetch
from crawler.fetch.pulse import Pulse
from crawler.fetch.room import Room
from crawler.request import Request
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.site import Site


class Clock:
    """Time that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def beats(pulse: Pulse, clock: Clock, size: int, seconds: float) -> None:
    for _ in range(int(seconds)):
        clock.now += 1.0
        pulse.beat(size)


def test_nothing_is_said_in_the_first_ten_seconds() -> None:
    clock = Clock()
    pulse = Pulse(100, clock=clock)
    beats(pulse, clock, 1, 9)
    with pytest.raises(TimedOut, match="min_rate_bytes, 100 bytes a second"):
        beats(pulse, clock, 1, 1)


def test_a_body_of_that_rate_may_go_on_for_ever() -> None:
    clock = Clock()
    beats(Pulse(100, clock=clock), clock, 100, 1_000)


def test_a_good_beginning_is_no_excuse_later() -> None:
    clock = Clock()
    pulse = Pulse(100, clock=clock)
    beats(pulse, clock, 1_000_000, 10)
    with pytest.raises(TimedOut):
        beats(pulse, clock, 1, 10)


def test_what_we_wait_for_ourselves_does_not_count() -> None:
    clock = Clock()
    pulse = Pulse(100, clock=clock)
    beats(pulse, clock, 1, 9)
    clock.now += 100.0
    pulse.restart()
    beats(pulse, clock, 1, 9)


def test_nought_is_no_limit() -> None:
    clock = Clock()
    beats(Pulse(0, clock=clock), clock, 0, 100)


async def test_a_server_that_drips_is_left(site: Site) -> None:
    site.drip("/", rest=0.001)
    times = iter(range(1_000_000))  # each look at the clock is a second later
    settings = Settings(allow_private=("127.0.0.0/8",))
    async with HttpFetch(
        settings,
        sent=lambda _: None,
        room=Room(1_000_000),
        guard=Guard(settings.allow_private),
        credentials=Credentials(settings),
        clock=lambda: float(next(times)),
    ) as fetch:
        with pytest.raises(TimedOut, match="min_rate_bytes"):
            await fetch(Request(site.url()))
