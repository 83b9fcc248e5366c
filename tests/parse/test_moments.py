"""Dates and times as fields have them."""

import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from crawler.parse.moments import moment

CEST = timezone(timedelta(hours=2))


def at(*parts: int, zone: timezone | None = None) -> datetime:
    year, month, day, hour, minute, second, micro, *_ = (*parts, 0, 0, 0, 0)
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=zone)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-05-06", at(2024, 5, 6)),
        (" 2024-05-06 10:00 ", at(2024, 5, 6, 10)),
        ("2024-05-06t10:00:01.5z", at(2024, 5, 6, 10, 0, 1, 500_000, zone=UTC)),
        ("2024-05-06T10:00:00,123456789Z", at(2024, 5, 6, 10, 0, 0, 123_456, zone=UTC)),
        ("2024-05-06T10:00+0200", at(2024, 5, 6, 10, zone=CEST)),
        ("2024-05-06 10:00 +02:00", at(2024, 5, 6, 10, zone=CEST)),
        ("2024-02-30", None),
        ("0000-01-01", None),
        ("Mon, 06 May 2024 10:00:00 GMT", at(2024, 5, 6, 10, zone=UTC)),
        ("May 6, 2024", at(2024, 5, 6)),
        ("1715000000", at(2024, 5, 6, 12, 53, 20)),
        ("May 2024", None),
        ("May 6", None),
        ("2024", None),
        ("10:30", None),
        ("", None),
        ("6 May 2024 " * 20, None),
    ],
)
def test_a_date_is_whole_or_none(text: str, found: datetime | None) -> None:
    result = moment(text, ("en",))
    assert (result, result and result.utcoffset()) == (found, found and found.utcoffset())


def test_words_are_read_in_the_languages_named() -> None:
    assert moment("6. Mai 2024", ("en",)) is None
    assert moment("6. Mai 2024", ("de",)) == at(2024, 5, 6)
    assert moment("٦ مايو ٢٠٢٤", ("ar",)) == at(2024, 5, 6)
    assert moment("05/06/2024", ("en",)) == at(2024, 5, 6)
    assert moment("05/06/2024", ("en-GB",)) == at(2024, 6, 5)


@pytest.mark.parametrize(
    ("text", "day_first"),
    [
        ("05.06.2024", at(2024, 6, 5)),
        ("5. 6. 2024", at(2024, 6, 5)),
        ("05.06.24", at(2024, 6, 5)),
        ("05.06.2024 10:30", at(2024, 6, 5, 10, 30)),
    ],
)
def test_with_points_the_day_comes_first_but_for_americans(text: str, day_first: datetime) -> None:
    assert moment(text, ("en",)) == moment(text, ("de", "en")) == day_first
    assert moment(text, ("en-US",)) == day_first.replace(month=5, day=6)


def test_a_date_with_points_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dateparser.date", None)
    assert moment("31.1.2024", ("nl",)) == at(2024, 1, 31)
    assert moment("31.2.2024", ("nl",)) is None
