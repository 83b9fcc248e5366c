"""What compares CPU times tells linear from quadratic, also on a noisy machine."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, repeat

import pytest

from tests.growth import Measure, assert_costs, cpu_seconds


class Time:
    """A clock that what rests, or is measured, moves on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.rests = 0

    def rest(self, seconds: float) -> None:
        self.now += seconds
        self.rests += 1

    def taking(self, *seconds: float) -> Measure:
        """Return a measure of each of these seconds, and of the last from then on."""
        figures: Iterator[float] = chain(seconds, repeat(seconds[-1]))

        def measure() -> float:
            figure = next(figures)
            self.now += figure
            return figure

        return measure


def within(many: Measure, few: Measure, time: Time, *, at_most: float = 12.0) -> bool:
    try:
        assert_costs(
            many, at_most=at_most, times=few, slack=0.001, clock=lambda: time.now, rest=time.rest
        )
    except AssertionError:
        return False
    return True


def test_what_is_within_the_bound_passes_in_the_first_round() -> None:
    time = Time()
    assert within(time.taking(0.08), time.taking(0.01), time)
    assert time.rests == 0


def test_slow_rounds_of_what_is_linear_are_forgiven() -> None:
    time = Time()
    assert within(time.taking(*[0.64] * 9, 0.08), time.taking(0.01), time)
    assert time.rests == 9


@pytest.mark.parametrize("slow", [[1.0], [1.0, 1.0], [0.02, 1.0, 1.0]])
def test_a_slow_moment_of_the_small_one_lets_nothing_quadratic_pass(slow: list[float]) -> None:
    time = Time()
    assert not within(time.taking(0.64), time.taking(*slow, 0.01), time)


def test_ten_slow_rounds_are_too_many() -> None:
    time = Time()
    assert not within(time.taking(*[0.64] * 10, 0.08), time.taking(0.01), time)
    assert time.rests == 9


def test_no_round_begins_after_twenty_seconds() -> None:
    time = Time()
    assert not within(time.taking(9.0), time.taking(0.1), time)
    assert time.now - 1000.0 < 30.0


def test_a_failure_gives_the_figures() -> None:
    time = Time()
    with pytest.raises(
        AssertionError,
        match=r"^4\.500000 s are 9\.0 times 0\.500000 s, the least in 4 rounds; "
        r"expected: at most 8 times that and 0\.05 s$",
    ):
        assert_costs(
            time.taking(4.75, 4.5),
            at_most=8,
            times=time.taking(0.5),
            slack=0.05,
            clock=lambda: time.now,
            rest=time.rest,
        )


def linear(size: int) -> object:
    return sum(range(size * 100))


def quadratic(size: int) -> object:
    return sum(sum(range(size)) for _ in range(size))


@pytest.mark.parametrize(("work", "passes"), [(linear, True), (quadratic, False)])
@pytest.mark.parametrize(("times", "at_most"), [(4, 11.0), (8, 32.0)])
def test_what_is_truly_quadratic_is_refused(
    work: Callable[[int], object], passes: bool, times: int, at_most: float
) -> None:
    few, many = (partial(cpu_seconds, partial(work, size)) for size in (300, 300 * times))
    assert within(many, few, Time(), at_most=at_most) == passes
