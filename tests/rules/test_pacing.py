import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.rules.pacing import Pace, pace_of, retry_after, retry_in

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 5.6.7


@pytest.mark.parametrize(("value", "seconds"), [("120", 120.0), ("0", 0.0), (" 7\t", 7.0)])
def test_seconds_are_taken_as_they_are(value: str, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:51:37 GMT",
        "Sunday, 06-Nov-94 08:51:37 GMT",
        "Sun Nov  6 08:51:37 1994",
        "sun, 06 nov 1994 08:51:37 gmt",
    ],
)
def test_all_three_http_dates_are_read(value: str) -> None:
    assert retry_after(value, NOW) == 120.0


def test_a_date_in_the_past_means_now() -> None:
    assert retry_after("Sun, 06 Nov 1994 08:49:36 GMT", NOW) == 0.0


def test_two_digits_of_a_year_mean_the_nearest_past_beyond_fifty_years() -> None:
    assert retry_after("Sunday, 06-Nov-44 08:49:37 GMT", NOW) == 1_577_923_200.0
    assert retry_after("Sunday, 06-Nov-45 08:49:37 GMT", NOW) == 0.0


@pytest.mark.parametrize(
    "value",
    [
        None, "", " ", "-5", "+5", "1.5", "1e9", "soon", "²", "٣", "12 s", "5, 6",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37", "Sun Nov 6 08:49:37 1994",
    ],
)  # fmt: skip
def test_anything_else_is_no_wish(value: str | None) -> None:
    assert retry_after(value, NOW) is None


def test_a_number_of_any_length_stays_finite() -> None:
    wish = retry_after("9" * 10_000, NOW)
    assert wish is not None
    assert math.isfinite(wish)


def test_a_leap_second_is_read() -> None:
    assert retry_after("Sat, 31 Dec 2016 23:59:60 GMT", NOW) is not None


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_no_text_makes_it_raise(value: str) -> None:
    assert (retry_after(value, NOW) or 0.0) >= 0.0


def test_the_wait_doubles_and_stops_at_a_minute() -> None:
    longest = [retry_in(n, backoff=1.0, asked=None, random=lambda: 1.0) for n in range(1, 9)]
    assert longest == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert retry_in(10_000, backoff=0.5, asked=None, random=lambda: 1.0) == 60.0


def test_half_of_the_wait_is_random() -> None:
    assert retry_in(3, backoff=1.0, asked=None, random=lambda: 0.0) == 2.0
    assert retry_in(3, backoff=1.0, asked=None, random=lambda: 0.5) == 3.0


def test_the_servers_wish_wins_over_the_backoff() -> None:
    assert retry_in(1, backoff=1.0, asked=120.0, random=lambda: 1.0) == 120.0
    assert retry_in(5, backoff=1.0, asked=0.0, random=lambda: 1.0) == 0.0


@pytest.mark.parametrize(
    ("delay", "batch"),
    [(0.0, 64), (0.001, 64), (1 / 32, 64), (0.1, 20), (0.5, 4), (0.7, 3), (2.0, 1), (60.0, 1)],
)
def test_a_batch_is_about_two_seconds_of_work(delay: float, batch: int) -> None:
    assert Pace(delay, 2).batch == batch


def test_a_crawl_delay_replaces_a_smaller_delay_and_allows_one_in_flight() -> None:
    assert pace_of(delay=0.5, per_host=4, crawl_delay=3.0) == Pace(3.0, 1)
    assert pace_of(delay=5.0, per_host=4, crawl_delay=3.0) == Pace(5.0, 1)


def test_without_a_crawl_delay_the_settings_hold() -> None:
    assert pace_of(delay=0.5, per_host=4, crawl_delay=None) == Pace(0.5, 4)
