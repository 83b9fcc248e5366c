"""When is a host that keeps failing left alone?"""

import math

from crawler.rules.parking import Parking, Refusals


def rests(parking: Parking, moments: list[float], *, most: int = 3) -> list[float | None]:
    return [parking.fail(most=most, asked=moment, now=moment) for moment in moments]


def test_so_many_failures_in_a_row_are_a_rest_twice_and_then_the_end() -> None:
    parking = Parking()
    assert rests(parking, [0, 1, 2]) == [None, None, 30.0]
    assert rests(parking, [32, 33, 34]) == [None, None, 60.0]
    assert rests(parking, [94, 95, 96]) == [None, None, math.inf]
    assert parking.total == 9


def test_what_was_asked_before_the_rest_does_not_make_it_longer() -> None:
    parking = Parking()
    rests(parking, [0, 1, 2])
    assert rests(parking, [3, 10, 31.9]) == [None, None, None]
    assert rests(parking, [32, 33, 34]) == [None, None, 60.0]


def test_refusals_of_what_was_under_way_already_are_one() -> None:
    refusals = Refusals(1.0)
    for asked, now in [(0.0, 1.0), (0.5, 1.1), (0.9, 1.2), (2.0, 3.0)]:
        refusals.refuse(asked=asked, now=now)
    assert refusals.total == 2
    assert refusals.since == 1.0
