"""How much slower than usual is a host asked?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.rules.throttle import Throttle


def asked_for_peace(throttle: Throttle, times: int) -> float:
    for moment in range(times):
        throttle.refuse(asked=moment, now=moment)
    return throttle.delay


@pytest.mark.parametrize(
    ("floor", "delays"), [(0.0, [0.5, 1.0, 2.0]), (0.2, [0.5, 1.0, 2.0]), (1.0, [2.0, 4.0, 8.0])]
)
def test_each_refusal_doubles_the_delay(floor: float, delays: list[float]) -> None:
    assert [asked_for_peace(Throttle(floor, cap=60.0), n) for n in (1, 2, 3)] == delays


@pytest.mark.parametrize(("floor", "cap", "most"), [(0.5, 60.0, 60.0), (90.0, 60.0, 90.0)])
def test_the_delay_ends_at_the_cap_and_a_floor_above_it_stays(
    floor: float, cap: float, most: float
) -> None:
    assert asked_for_peace(Throttle(floor, cap=cap), 30) == most


def test_refusals_of_what_was_asked_before_the_last_one_are_not_news() -> None:
    throttle = Throttle(1.0, cap=60.0)
    for asked in (0.0, 0.1, 0.2, 0.3):  # four at once, and each is refused
        throttle.refuse(asked=asked, now=asked + 1)
    assert throttle.delay == 2.0
    throttle.answer(0.1, asked=0.4)
    assert throttle.delay == 2.0
    throttle.refuse(asked=1.5, now=2.0)
    assert throttle.delay == 4.0


@pytest.mark.parametrize("floor", [0.0, 0.5, 5.0])
def test_good_answers_bring_the_delay_back(floor: float) -> None:
    throttle = Throttle(floor, cap=60.0)
    asked_for_peace(throttle, 20)
    assert throttle.delay == 60.0
    delays = []
    while not throttle.is_at_ease:
        throttle.answer(0.1, asked=100.0)
        delays.append(throttle.delay)
    assert delays == sorted(delays, reverse=True)
    assert 10 <= len(delays) <= 25
    assert delays[-1] == floor


def usual(throttle: Throttle, seconds: float = 0.3, times: int = 50) -> Throttle:
    for _ in range(times):
        throttle.answer(seconds, asked=100.0)
    return throttle


def test_a_host_that_always_takes_long_is_not_slowed() -> None:
    assert usual(Throttle(0.5, cap=60.0), 20.0).delay == 0.5


def test_a_host_that_grows_slow_is_asked_less_in_proportion_and_as_before_when_it_recovers() -> (
    None
):
    throttle = usual(Throttle(0.5, cap=60.0))
    throttle.answer(0.5, asked=0.0)
    assert throttle.delay == 0.5
    usual(throttle, 3.0, 20)  # ten times as long
    assert 1.5 < throttle.delay < 2.5
    usual(throttle, 0.3, 30)
    assert throttle.delay == 0.5


def test_slowness_ends_at_the_cap() -> None:
    assert usual(usual(Throttle(5.0, cap=12.0)), 30.0, 20).delay == 12.0


def test_what_has_been_slow_for_long_is_what_the_host_usually_takes() -> None:
    assert usual(usual(Throttle(0.5, cap=60.0)), 3.0, 1_000).delay == 0.5


@pytest.mark.parametrize("seconds", [0.01, 0.19])
def test_answers_within_a_fraction_of_a_second_are_never_slow(seconds: float) -> None:
    throttle = usual(Throttle(0.5, cap=60.0), 0.001)
    assert usual(throttle, seconds, 20).delay == 0.5


def test_without_a_delay_slow_answers_make_none() -> None:
    assert usual(usual(Throttle(0.0, cap=60.0)), 30.0).delay == 0.0


def test_a_crawl_delay_that_is_found_is_the_new_floor() -> None:
    throttle = Throttle(0.5, cap=60.0)
    asked_for_peace(throttle, 2)
    throttle.lie_between(10.0, 60.0)
    assert throttle.delay > 10.0
    usual(throttle, 0.1, 30)
    assert throttle.delay == 10.0


@given(
    st.floats(0, 10),
    st.floats(0.1, 100),
    st.lists(st.tuples(st.sampled_from(["refuse", "answer"]), st.floats(0, 1e4)), max_size=60),
)
def test_the_delay_is_always_between_floor_and_cap(
    floor: float, cap: float, steps: list[tuple[str, float]]
) -> None:
    throttle = Throttle(floor, cap=cap)
    for now, (step, seconds) in enumerate(steps):
        if step == "refuse":
            throttle.refuse(asked=now, now=now)
        else:
            throttle.answer(seconds, asked=now)
        assert floor <= throttle.delay <= max(floor, cap)
