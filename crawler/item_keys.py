"""What tells two items apart, as a number."""

import hashlib
from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec

from crawler.errors import SpiderError
from crawler.plain import encode_in_order

OnDuplicate = Literal["drop", "update"]
"""What becomes of an item whose key was there before: left out, or kept as a newer version."""


def checked(said: OnDuplicate | None, *, item: str, key: Sequence[str]) -> OnDuplicate:
    """Return what an item's class line says of duplicates, or the default. Raises `SpiderError`."""
    if said is None:
        return "drop"
    if said not in get_args(OnDuplicate):
        expected = " or ".join(map(repr, get_args(OnDuplicate)))
        raise SpiderError(f"item {item}: on_duplicate must be {expected}, got {said!r}")
    if not key:
        raise SpiderError(f'item {item}: on_duplicate needs a key: key="isbn"')
    return said


def digest_of(stream: str, values: Sequence[object]) -> int | None:
    """Return 64 bits for the key `values` of an item; None if one of them is missing.

    Equal keys have equal digests in every process: numbers count by their value (1 is 1.0, and not
    "1"), text by its code points, objects and sets without regard to their order. As in SQL, what
    is missing (None, unset) equals nothing.
    """
    if any(value is None or value is msgspec.UNSET for value in values):
        return None
    # Not `repr`: what it escapes changes with Python's Unicode tables.
    text = ascii((stream, *map(_canonical, values)))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _canonical(value: object) -> object:
    if type(value) is str or type(value) is int:  # most keys
        return value
    return _same(msgspec.json.decode(encode_in_order(value)))


def _same(plain: Any) -> object:
    """Return one form of JSON values that are equal."""
    match plain:
        case float() if plain.is_integer():
            return int(plain)
        case list():
            return [_same(inner) for inner in plain]
        case dict():
            return {name: _same(inner) for name, inner in plain.items()}
    return plain
