"""A setting's value, read and checked."""

import difflib
import math
import os
import re
import types
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

from crawler.errors import SettingError

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*(?:([kMGT])(i?))?B?", re.IGNORECASE)
_POWERS = " kmgt"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2, a token
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:[T ]\d\d:\d\d.*)?)?)?", re.ASCII | re.IGNORECASE)
_FIRST_DAY = "-01-01"
_ORIGIN = re.compile(
    r"https?://(?:\[[0-9a-f:.]+\](?::\d*)?|[^\s/?#@\\\[\]]+)/?", re.ASCII | re.IGNORECASE
)
LOGIN = "user:password, Bearer TOKEN or Basic BASE64"
TOKEN = re.compile(r"(Bearer|Basic) +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_SCHEME = re.compile(r"(?:Bearer|Basic) ", re.IGNORECASE)
_NOT_IN_VALUES = re.compile(r"[\r\n\0\ud800-\udfff]")  # RFC 9110 5.5; text that is none


class Say(NamedTuple):
    """What a setting is for, and its bounds."""

    text: str
    ge: float = -math.inf
    gt: float = -math.inf
    le: float = math.inf

    def admits(self, value: object) -> bool:
        """True for a value within the bound."""
        if not isinstance(value, int | float):
            return True
        return self.ge <= value <= self.le and value > self.gt


def checked(name: str, value: object, annotation: Any, *, layer: str) -> object:
    """Return `value` as the type of setting `name`, which `annotation` gives with its `Say`.

    Text is read as the command line gives it. Raises `SettingError`.
    """
    try:
        read = msgspec.convert(
            _read(value, annotation, size=_is_size(name)),
            get_args(annotation)[0],
            strict=not isinstance(value, str),
        )
        if isinstance(read, float) and not math.isfinite(read):
            raise ValueError
        if isinstance(read, str) and not read.strip():
            raise ValueError
        if not _is_fit(name, read):
            raise ValueError
    except (msgspec.ValidationError, ValueError):
        raise _refusal(layer, name, _expected(name, annotation), value) from None
    rule = rule_of(annotation)
    if not rule.admits(read):
        raise _refusal(layer, name, _bound(rule), value)
    if name == "auth" and isinstance(read, dict):
        _check_auth(read, layer=layer)
    return read


def _is_fit(name: str, value: Any) -> bool:
    """True if a value of the right type is one that the setting can have."""
    if name == "user_agent":
        return is_header("User-Agent", value)
    if name == "headers":
        return all(map(is_header, value, value.values()))
    if name == "secret_headers":
        return all(is_header(one, "") for one in value)
    if name == "min_fill":
        return all(0 <= share <= 1 for share in value.values())
    return name != "sitemap_since" or value is None or _is_date(value)


def _is_date(text: str) -> bool:
    """True for a year, a month, a day, or a time of one."""
    if not _DATE.fullmatch(text := text.strip()):
        return False
    try:
        datetime.fromisoformat(text + _FIRST_DAY[len(text) - 4 :])
    except ValueError:
        return False
    return True


def _check_auth(auth: dict[str, str], *, layer: str) -> None:
    """Raise `SettingError` for what is no origin or no login; never shows one."""
    for origin, login in auth.items():
        if not _ORIGIN.fullmatch(origin):
            raise _refusal(layer, "auth", "for origins, as https://example.com", origin)
        if not is_login(login):
            raise SettingError(f"{layer}: auth for {origin} must be {LOGIN}")


def is_login(text: str) -> bool:
    """True for what `LOGIN` says."""
    return bool(TOKEN.fullmatch(text.strip())) or (":" in text and not _SCHEME.match(text.lstrip()))


def _refusal(layer: str, name: str, expected: str, value: object) -> SettingError:
    shown = "***" if name == "auth" else repr(value)
    return SettingError(f"{layer}: {name} must be {expected}, got {shown}")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return `unknown setting 'dealy'; did you mean 'delay'?`, or without the hint."""
    close = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"unknown {what} {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _read(value: object, annotation: object, *, size: bool) -> object:
    """Bring text, and what a keyword may hold, into the shape msgspec converts."""
    plain = _plain(annotation)
    if isinstance(value, os.PathLike):
        return [os.fspath(value)] if get_origin(plain) is tuple else os.fspath(value)
    if isinstance(value, date):
        return value.isoformat()  # TOML has dates
    if not isinstance(value, str):
        if isinstance(value, list | tuple | set | frozenset):
            return [os.fspath(one) if isinstance(one, os.PathLike) else one for one in value]
        return value
    if value.strip().lower() in ("none", "null") and _is_optional(annotation):
        return None
    if size and (match := _SIZE.fullmatch(value.strip())):
        return _size(match[1], unit=match[2], thousand=1024 if match[3] else 1000)
    if get_origin(plain) is tuple:
        if value.startswith('["'):  # where a comma may be in a name
            return msgspec.json.decode(value)
        return [part.strip() for part in value.split(",") if part.strip()]
    if get_origin(plain) is dict:
        return msgspec.json.decode(value)
    return value if plain is str else value.strip()


def _size(number: str, *, unit: str | None, thousand: int) -> int:
    power = _POWERS.index(unit.lower()) if unit else 0
    return int(Decimal(number) * thousand**power)


def _is_size(name: str) -> bool:
    return name.endswith("_bytes")


def is_header(name: str, value: str) -> bool:
    """True for a header field that can be sent."""
    return bool(_NAME.fullmatch(name)) and not _NOT_IN_VALUES.search(value)


def _plain(annotation: object) -> Any:
    """Return the type inside `Annotated[T | None, ...]`."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


def _is_optional(annotation: object) -> bool:
    inner = get_args(annotation)[0]
    return get_origin(inner) in (Union, types.UnionType)


def rule_of(annotation: object) -> Say:
    """Return what a setting's annotation says of it."""
    return next(arg for arg in get_args(annotation)[1:] if isinstance(arg, Say))


_WORDS: dict[object, str] = {
    "secret_headers": "names of headers, as X-Api-Key,X-Token",
    "sitemap_since": "a date, as 2026-01-31,",
    "min_fill": 'fields and shares from 0 to 1, as {"book.isbn": 0.9}',
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    dict: 'names and values, as {"Name": "value"}',
    tuple: "a list, as a,b,c",
}


def _expected(name: str, annotation: object) -> str:
    """Say what would have been right, type and bound."""
    plain, bound = _plain(annotation), _bound(rule_of(annotation))
    if get_origin(plain) is Literal:
        return " or ".join(repr(choice) for choice in get_args(plain))
    words = _WORDS.get(name) or _WORDS[get_origin(plain) or plain]
    words = "a size, as 10 MB" if _is_size(name) else words
    words += f", {bound}" if bound else ""
    return words + (" or none" if _is_optional(annotation) else "")


def _bound(rule: Say) -> str:
    if rule.le < math.inf:
        return f"from {rule.ge:g} to {rule.le:g}"
    if rule.ge > -math.inf:
        return f"at least {rule.ge:g}"
    return f"more than {rule.gt:g}" if rule.gt > -math.inf else ""
