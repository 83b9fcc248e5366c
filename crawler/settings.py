"""Every setting, checked once."""

import difflib
import math
import os
import re
import types
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Struct

from crawler.errors import SettingError

VERSION = "0.1.0"
USER_AGENT = f"crawlkeeper/{VERSION} (+https://crawlkeeper.readthedocs.io)"
_MB = 1_000_000
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*(?:([kMGT])(i?))?B?", re.IGNORECASE)
_POWERS = " kmgt"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2, a token
_NOT_IN_VALUES = re.compile(r"[\r\n\0]")  # RFC 9110 5.5


class _Say(NamedTuple):
    """What a setting is for, and its bound."""

    text: str
    ge: float = -math.inf
    gt: float = -math.inf

    def admits(self, value: object) -> bool:
        return not isinstance(value, int | float) or (value >= self.ge and value > self.gt)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a crawl can be told; see `crawl settings` for the same list with its layers.

    Seconds are floats, sizes are bytes, and no limit is `None`.
    """

    concurrency: Annotated[int, _Say("requests in hand at once", ge=1)] = 32
    per_host: Annotated[int, _Say("requests in flight to one host", ge=1)] = 2
    delay: Annotated[float, _Say("least seconds between two requests to a host", ge=0)] = 0.5
    max_wait: Annotated[float, _Say("a host that wants a longer rest is given up", gt=0)] = 300.0

    timeout: Annotated[float, _Say("seconds for one whole request", gt=0)] = 30.0
    connect_timeout: Annotated[float, _Say("seconds to connect", gt=0)] = 10.0
    read_timeout: Annotated[float, _Say("longest silence of a server, seconds", gt=0)] = 15.0
    retries: Annotated[int, _Say("further tries of a failed request", ge=0)] = 3
    backoff: Annotated[float, _Say("seconds before the first retry, then doubled", gt=0)] = 1.0
    max_redirects: Annotated[int, _Say("hops followed for one request", ge=0)] = 10

    obey_robots: Annotated[bool, _Say("ask for robots.txt and keep to it")] = True
    user_agent: Annotated[str, _Say("who we say we are; its first word is our robots.txt name")] = (
        USER_AGENT
    )
    headers: Annotated[dict[str, str], _Say("sent with every request")] = {}
    proxy: Annotated[str | None, _Say("URL of an HTTP proxy")] = None
    trust_env: Annotated[bool, _Say("take proxies from HTTP_PROXY and its like")] = False
    verify_tls: Annotated[bool, _Say("refuse certificates that do not check out")] = True

    accept: Annotated[
        tuple[str, ...], _Say("types delivered: html xhtml xml json text, MIME types, or *")
    ] = ("html", "xhtml", "xml", "json", "text")
    statuses: Annotated[tuple[int, ...], _Say("statuses delivered besides 2xx")] = ()
    body_bytes: Annotated[int, _Say("largest body, decompressed", gt=0)] = 10 * _MB
    html_bytes: Annotated[int, _Say("largest body that is parsed as HTML", gt=0)] = 2 * _MB
    memory_bytes: Annotated[int, _Say("bodies held at once, all together", gt=0)] = 128 * _MB
    min_free_bytes: Annotated[int, _Say("room the output disk must keep", ge=0)] = 1_000 * _MB
    callback_timeout: Annotated[float | None, _Say("seconds for one callback", gt=0)] = None

    max_depth: Annotated[int | None, _Say("links from a seed, at most", ge=0)] = None
    max_pages: Annotated[int | None, _Say("pages, then stop", ge=1)] = None
    max_items: Annotated[int | None, _Say("items, then stop", ge=1)] = None
    max_seconds: Annotated[float | None, _Say("seconds, then stop", gt=0)] = None
    max_failures: Annotated[int | None, _Say("failed requests, then give up", ge=1)] = None
    host_pages: Annotated[int | None, _Say("pages of one host, at most", ge=1)] = None
    stop_seconds: Annotated[float, _Say("seconds that pages in hand get after Ctrl-C", ge=0)] = 8.0

    target_pause: Annotated[float, _Say("seconds to wait for a full disk", ge=0)] = 30.0

    ignore_query_order: Annotated[bool, _Say("?a=1&b=2 is the same page as ?b=2&a=1")] = False
    ignore_params: Annotated[
        tuple[str, ...], _Say("query parameters that make no other page; utm_* for all such")
    ] = ()

    frontier: Annotated[
        Literal["memory", "sqlite"], _Say("where the queue lives; sqlite survives a crash")
    ] = "memory"
    durable: Annotated[
        Literal["process", "full"],
        _Say("what a run survives: kill -9, or full: power loss as well"),
    ] = "process"
    pages: Annotated[Literal["files", "none"], _Say("where bodies are kept")] = "none"
    output_dir: Annotated[str, _Say("folder of the runs")] = "output"


class SettingsDict(TypedDict, total=False):
    """The settings as keywords, for type checkers; a test keeps it equal to `Settings`."""

    concurrency: int
    per_host: int
    delay: float
    max_wait: float
    timeout: float
    connect_timeout: float
    read_timeout: float
    retries: int
    backoff: float
    max_redirects: int
    obey_robots: bool
    user_agent: str
    headers: Mapping[str, str]
    proxy: str | None
    trust_env: bool
    verify_tls: bool
    accept: str | tuple[str, ...]
    statuses: tuple[int, ...]
    body_bytes: int
    html_bytes: int
    memory_bytes: int
    min_free_bytes: int
    callback_timeout: float | None
    max_depth: int | None
    max_pages: int | None
    max_items: int | None
    max_seconds: float | None
    max_failures: int | None
    host_pages: int | None
    stop_seconds: float
    target_pause: float
    ignore_query_order: bool
    ignore_params: tuple[str, ...]
    frontier: Literal["memory", "sqlite"]
    durable: Literal["process", "full"]
    pages: Literal["files", "none"]
    output_dir: str | os.PathLike[str]


class Layer(Struct, frozen=True):
    """One source of settings: its `name` for messages, its `values` as Python or as text."""

    name: str
    values: Mapping[str, object]


_TYPES: dict[str, Any] = get_type_hints(Settings, include_extras=True)
NAMES: tuple[str, ...] = tuple(_TYPES)


def merge(layers: Iterable[Layer]) -> Settings:
    """Return checked settings; a later layer wins. Raises `SettingError` naming the layer."""
    checked: dict[str, object] = {}
    for layer in layers:
        for name, value in layer.values.items():
            checked[name] = check(name, value, layer=layer.name)
    return Settings(**checked)  # type: ignore[arg-type]  # each value was checked above


def check(name: str, value: object, *, layer: str) -> object:
    """Return `value` as the setting's own type. Text is read as the command line gives it."""
    if name not in _TYPES:
        raise SettingError(f"{layer}: {unknown('setting', name, NAMES)}")
    annotation = _TYPES[name]
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
        sent = {"User-Agent": read} if name == "user_agent" else read
        if isinstance(sent, dict) and not all(map(is_header, sent, sent.values())):
            raise ValueError
    except (msgspec.ValidationError, ValueError):
        raise _refusal(layer, name, _expected(name, annotation), value) from None
    rule = _rule(annotation)
    if not rule.admits(read):
        raise _refusal(layer, name, _bound(rule), value)
    return read


def _refusal(layer: str, name: str, expected: str, value: object) -> SettingError:
    return SettingError(f"{layer}: {name} must be {expected}, got {value!r}")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return `unknown setting 'dealy'; did you mean 'delay'?`, or without the hint."""
    close = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"unknown {what} {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def describe() -> dict[str, str]:
    """Return every setting's name and its one line of help, in order."""
    return {name: _rule(annotation).text for name, annotation in _TYPES.items()}


def _read(value: object, annotation: object, *, size: bool) -> object:
    """Bring text, and what a keyword may hold, into the shape msgspec converts."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if not isinstance(value, str):
        return list(value) if isinstance(value, tuple | set | frozenset) else value
    if value.strip().lower() in ("none", "null") and _is_optional(annotation):
        return None
    if size and (match := _SIZE.fullmatch(value.strip())):
        return _size(match[1], unit=match[2], thousand=1024 if match[3] else 1000)
    plain = _plain(annotation)
    if get_origin(plain) is tuple:
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


def _rule(annotation: object) -> _Say:
    return next(arg for arg in get_args(annotation)[1:] if isinstance(arg, _Say))


_WORDS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    dict: 'names and values, as {"Name": "value"}',
    tuple: "a list, as a,b,c",
}


def _expected(name: str, annotation: object) -> str:
    """Say what would have been right, type and bound."""
    plain, bound = _plain(annotation), _bound(_rule(annotation))
    if get_origin(plain) is Literal:
        return " or ".join(repr(choice) for choice in get_args(plain))
    words = "a size, as 10 MB" if _is_size(name) else _WORDS[get_origin(plain) or plain]
    words += f", {bound}" if bound else ""
    return words + (" or none" if _is_optional(annotation) else "")


def _bound(rule: _Say) -> str:
    if rule.ge > -math.inf:
        return f"at least {rule.ge:g}"
    return f"more than {rule.gt:g}" if rule.gt > -math.inf else ""
