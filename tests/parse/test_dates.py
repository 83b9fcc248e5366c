"""Dates as sites write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.parse.dates import span


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", "2024-01-01T00:00:00", "2024-12-31T23:59:59.999999"),
        ("2024-02", "2024-02-01T00:00:00", "2024-02-29T23:59:59.999999"),
        ("2024-12", "2024-12-01T00:00:00", "2024-12-31T23:59:59.999999"),
        ("2024-05-06", "2024-05-06T00:00:00", "2024-05-06T23:59:59.999999"),
        ("2024-05-06T07:08Z", "2024-05-06T07:08:00", "2024-05-06T07:08:59.999999"),
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09", "2024-05-06T07:08:09.999999"),
        ("2024-05-06T07:08:09.123+02:00", "2024-05-06T05:08:09", "2024-05-06T05:08:09.999999"),
        ("2024-05-06T07:08:09-0130", "2024-05-06T08:38:09", "2024-05-06T08:38:09.999999"),
        (" 2024-05-06 07:08:60 ", "2024-05-06T07:08:59", "2024-05-06T07:08:59.999999"),
        ("Mon, 06 May 2024 07:08:09 GMT", "2024-05-06T07:08:09", "2024-05-06T07:08:09"),
        ("06 May 24 07:08 +0200", "2024-05-06T05:08:00", "2024-05-06T05:08:00"),
        ("9999", "9999-01-01T00:00:00", "9999-12-31T23:59:59.999999"),
        ("9999-12-31", "9999-12-31T00:00:00", "9999-12-31T23:59:59.999999"),
    ],
)
def test_a_date_may_mean_a_year_or_a_second(text: str, first: str, last: str) -> None:
    read = span(text)
    assert read is not None
    assert [moment.astimezone(UTC).replace(tzinfo=None).isoformat() for moment in read] == [
        first,
        last,
    ]


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "0000", "2024-13", "2024-02-30", "2024-05-06T25:00Z", "24-05-06", "٢٠٢٤"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert span(text) is None


@given(
    st.text(max_size=40)
    | st.text("0123456789-:TZ+. ", max_size=30)
    | st.datetimes().map(datetime.isoformat)
)
def test_no_text_is_too_strange_to_be_no_date(text: str) -> None:
    read = span(text)
    assert read is None or read.first <= read.last
