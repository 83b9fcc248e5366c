"""What a run promises of its items, and whether it was kept."""

from collections.abc import Iterable

from crawler.errors import SettingError
from crawler.fields import names_of
from crawler.items import DICTS
from crawler.outcome import Report
from crawler.records.streams import Streams
from crawler.setting_values import unknown
from crawler.settings import Settings

_LOST = ("item", "step")
"""Kinds of failures that cost an item each."""


def check_promises(settings: Settings, streams: Streams, *, spider: str) -> None:
    """Raise `SettingError` for a field of `min_fill` that no item of the spider has."""
    columns = {stream: names_of(fields) for stream, fields in streams.fields.items()}
    if None in columns.values():
        return  # what fields dicts have is seen when they come
    fields = {field for names in columns.values() for field in names or ()}
    full = {f"{stream}.{field}" for stream, names in columns.items() for field in names or ()}
    for name in settings.min_fill:
        if name not in fields | full:
            problem = unknown("field", name, sorted(full if "." in name else fields))
            raise SettingError(f"spider {spider}: min_fill: {problem}")


def settle(report: Report, settings: Settings, *, status: int, by_itself: bool) -> None:
    """Set a report's exit status, and the promises that the run broke.

    `status` is what went wrong with the run itself, 0 for nothing: that comes first, for what is
    missing then says nothing of the items. Nor does it if the run was ended from outside, and not
    `by_itself`, be it by a limit.
    """
    if not status and by_itself:
        report.broken_promises = list(_broken(report, settings))
    report.exit_status = status or (4 if report.broken_promises else 0)


def delivered_nothing(report: Report) -> bool:
    """True if a run came to its end without an item, and without a callback that did not raise.

    So it did where `max_pages` ended it; after other limits there may not have been the time.
    """
    raised = report.failures.get("callback", 0)
    is_over = report.reason in ("finished", "max_pages")
    return is_over and report.pages <= raised and not report.items


def _broken(report: Report, settings: Settings) -> Iterable[str]:
    """Yield each broken promise: its setting, what was expected, and got."""
    kept = report.item_count
    if settings.min_items is not None and kept < settings.min_items:
        yield f"min_items: expected at least {settings.min_items:,}, got {kept:,}"
    lost = sum(report.failures.get(kind, 0) for kind in _LOST)
    lost += sum(n for name, n in report.counts.items() if name.startswith("dropped_items."))
    most = settings.max_drop_rate
    if most is not None and lost > most * (lost + kept):
        yield (
            f"max_drop_rate: expected at most {most:g}, got {lost / (lost + kept):.4g} "
            f"({lost:,} of {lost + kept:,} items)"
        )
    for name, least in settings.min_fill.items():
        for stream, field in _meant(name, report):
            share = report.fill_rates.get(stream, {}).get(field, 0.0)
            if share < least:
                yield f"min_fill: expected {stream}.{field} in at least {least:g}, got {share:g}"


def _meant(name: str, report: Report) -> Iterable[tuple[str, str]]:
    """Return the streams and the field that `book.isbn` or `isbn` means; a stream has items."""
    stream, dot, field = name.rpartition(".")
    if dot:
        return [(stream, field)] if stream in report.items else []
    having = [stream for stream, rates in report.fill_rates.items() if name in rates]
    # All fields of a type have rates; of dicts only those that some of them had.
    return [(stream, name) for stream in having or report.items.keys() & {DICTS}]
