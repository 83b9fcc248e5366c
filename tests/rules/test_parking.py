"""When is a host that keeps failing left alone?"""

from crawler.rules.parking import Parking


def rests(parking: Parking, moments: list[float], *, most: int = 3) -> list[float | None]:
    return [parking.fail(most=most, asked=moment, now=moment) for moment in moments]


def test_so_many_failures_in_a_row_are_a_rest_and_each_is_twice_as_long() -> None:
    parking = Parking()
    assert rests(parking, [0, 1, 2]) == [None, None, 30.0]
    assert rests(parking, [32, 33, 34]) == [None, None, 60.0]
    assert rests(parking, [94, 95, 96]) == [None, None, 120.0]
    assert parking.total == 9


def test_what_was_asked_before_the_rest_does_not_make_it_longer() -> None:
    parking = Parking()
    rests(parking, [0, 1, 2])
    assert rests(parking, [3, 10, 31.9]) == [None, None, None]
    assert rests(parking, [32, 33, 34]) == [None, None, 60.0]
