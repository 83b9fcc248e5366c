"""How many items have a field filled."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from crawler.fields import names_of
from crawler.items import ItemLine, known_fields
from crawler.outcome import Outcome
from crawler.plain import is_pydantic

_FILLED, _MORE = "filled.", "more_fields."
COUNTED = (_FILLED, _MORE)
"""How the names of these counters begin."""

_MOST_FIELDS = 100
_LONGEST_NAME = 200
"""Fields of dicts that are counted, and how long their names may be: sites may invent them."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Fills:
    """Counts the fields of items that are neither null nor empty text, list or object.

    Of the fields that plain dicts have, the first 100 are counted, and those that are `promised`.
    `before` are the run's counters as an earlier life left them.
    """

    def __init__(self, before: Mapping[str, int], *, promised: Iterable[str] = ()) -> None:
        self._before = before
        self._promised = tuple(promised)
        self._columns: dict[type, Sequence[str] | None] = {}
        self._fields: dict[str, set[str]] = {}

    def count(self, outcomes: Sequence[Outcome]) -> dict[str, int]:
        """Return what these items add to the counters: `filled.book.isbn`, for all of its fields.

        `more_fields.item` counts dicts that have other fields than are counted.
        """
        counts: dict[str, int] = {}
        items: dict[tuple[str, type], int] = {}
        for outcome in outcomes:
            for line in outcome.items:
                kind = type(line.item)
                if (columns := self._columns_of(kind)) is None:
                    self._count_dict(line.stream, line.item, counts)
                    continue
                items[line.stream, kind] = items.get((line.stream, kind), 0) + 1
                # Most items are filled altogether: what is not is taken away again.
                if not all(values := _values(line, columns)):
                    for name, value in zip(columns, values, strict=True):
                        if not value and _is_empty(value):
                            _add(counts, f"{_FILLED}{line.stream}.{name}", -1)
        for (stream, kind), number in items.items():
            for name in self._columns_of(kind) or ():
                _add(counts, f"{_FILLED}{stream}.{name}", number)
        return counts

    def _columns_of(self, kind: type) -> Sequence[str] | None:
        if kind not in self._columns:
            self._columns[kind] = (
                kind.__struct_encode_fields__
                if issubclass(kind, Struct)
                else names_of(known_fields(kind))
            )
        return self._columns[kind]

    def _count_dict(self, stream: str, item: dict[str, Any], counts: dict[str, int]) -> None:
        known = self._known(stream)
        if not item.keys() <= known:
            fresh = [name for name in item if name not in known and len(name) <= _LONGEST_NAME]
            known.update(fresh[: max(0, _MOST_FIELDS - len(known))])
            if not item.keys() <= known:
                _add(counts, _MORE + stream, 1)
        for name, value in item.items():
            if (value or not _is_empty(value)) and name in known:
                _add(counts, f"{_FILLED}{stream}.{name}", 1)

    def _known(self, stream: str) -> set[str]:
        """Return the fields of a stream of dicts that are counted so far."""
        if stream not in self._fields:
            start = f"{_FILLED}{stream}."
            before = {name.removeprefix(start) for name in self._before if name.startswith(start)}
            self._fields[stream] = before | _own(stream, self._promised)
        return self._fields[stream]


def fill_rates(
    counts: Mapping[str, int], *, promised: Iterable[str] = ()
) -> dict[str, dict[str, float]]:
    """Return the shares of items that have a field filled, by stream and field, from the counters.

    A share is cut to four digits: only what is always filled has 1.0. Where dicts had more fields
    than are counted, several processes counted different ones: only what was promised is told then.
    """
    rates: dict[str, dict[str, float]] = {}
    for name, number in counts.items():
        if name.startswith(_FILLED):
            stream, _, field = name.removeprefix(_FILLED).partition(".")
            items = counts.get(f"items.{stream}", 0)
            if items and (_MORE + stream not in counts or field in _own(stream, promised)):
                rates.setdefault(stream, {})[field] = number * 10_000 // items / 10_000
    return {stream: dict(sorted(rates[stream].items())) for stream in sorted(rates)}


def _own(stream: str, promised: Iterable[str]) -> set[str]:
    """Return the promised fields that a stream may have: `isbn`, `book.isbn`."""
    return {name.removeprefix(f"{stream}.") for name in promised}


def _values(line: ItemLine, columns: Sequence[str]) -> Sequence[object]:
    """Return the values of an item's columns, in their order."""
    item = line.item
    if isinstance(item, Struct):
        return structs.astuple(item)
    if not is_pydantic(type(item)):
        return [getattr(item, name, None) for name in columns]
    plain = _decode(line.line)  # by their aliases
    return [plain.get(name) for name in columns]


def _is_empty(value: object) -> bool:
    return value is None or value is msgspec.UNSET or hasattr(value, "__len__")


def _add(counts: dict[str, int], name: str, number: int) -> None:
    counts[name] = counts.get(name, 0) + number
