"""Every setting."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict, get_type_hints

from msgspec import Struct

from crawler.errors import SettingError
from crawler.setting_values import Say, checked, rule_of, unknown

VERSION = "0.1.0"
USER_AGENT = f"crawlkeeper/{VERSION} (+https://crawlkeeper.readthedocs.io)"
_MB = 1_000_000


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a crawl can be told; see `crawl settings` for the same list with its layers.

    Seconds are floats, sizes are bytes, and no limit is `None`.
    """

    concurrency: Annotated[int, Say("requests in hand at once", ge=1)] = 32
    per_host: Annotated[int, Say("requests in flight to one host", ge=1)] = 2
    delay: Annotated[float, Say("least seconds between two requests to a host", ge=0)] = 0.5
    max_wait: Annotated[float, Say("a host that wants a longer rest is given up", gt=0)] = 300.0
    throttle: Annotated[bool, Say("ask a host less often while it is slow, or says 429 or 503")] = (
        True
    )
    max_delay: Annotated[float, Say("longest delay that the throttle makes", gt=0)] = 60.0
    max_crawl_delay: Annotated[
        float, Say("a longer crawl-delay of robots.txt counts as this", ge=0)
    ] = 60.0
    host_failures: Annotated[
        int | None, Say("failures in a row, then a host is left alone for a while", ge=1)
    ] = 10
    per_ip: Annotated[
        int | None, Say("requests in flight to one address, of all its hosts", ge=1)
    ] = None

    timeout: Annotated[float, Say("seconds for one whole request", gt=0)] = 30.0
    connect_timeout: Annotated[float, Say("seconds to connect", gt=0)] = 10.0
    read_timeout: Annotated[float, Say("longest silence of a server, seconds", gt=0)] = 15.0
    min_rate_bytes: Annotated[
        int, Say("least bytes a second of a body, after ten seconds", ge=0)
    ] = 100
    retries: Annotated[int, Say("further tries of a failed request", ge=0)] = 3
    backoff: Annotated[float, Say("seconds before the first retry, then doubled", gt=0)] = 1.0
    max_redirects: Annotated[int, Say("hops followed for one request", ge=0)] = 10

    obey_robots: Annotated[bool, Say("ask for robots.txt and keep to it")] = True
    obey_meta_robots: Annotated[bool, Say("keep to meta robots and X-Robots-Tag")] = True
    obey_nofollow: Annotated[
        bool, Say("follow_all leaves out links with rel=nofollow, ugc, sponsored")
    ] = True
    obey_base: Annotated[bool, Say("resolve links against <base href>")] = True
    meta_refresh: Annotated[
        bool, Say("follow <meta http-equiv=refresh> and Refresh as redirects")
    ] = True
    srcset: Annotated[bool, Say("links() of img and source have what srcset names")] = True
    canonical: Annotated[
        Literal["follow", "drop", "ignore"],
        Say("of a page whose canonical URL is another: follow it, drop the page, ignore it"),
    ] = "follow"
    user_agent: Annotated[str, Say("who we say we are; its first word is our robots.txt name")] = (
        USER_AGENT
    )
    headers: Annotated[dict[str, str], Say("sent with every request")] = {}
    secret_headers: Annotated[
        tuple[str, ...], Say("headers that never leave the origin they are for")
    ] = ()
    auth: Annotated[dict[str, str], Say("by origin: user:password, or Bearer TOKEN")] = {}
    proxy: Annotated[str | None, Say("URL of an HTTP proxy")] = None
    trust_env: Annotated[bool, Say("take proxies from HTTP_PROXY and its like")] = False
    verify_tls: Annotated[bool, Say("refuse certificates that do not check out")] = True
    allow_private: Annotated[
        tuple[str, ...], Say("private hosts, host:port, addresses or networks that may be asked")
    ] = ()

    accept: Annotated[
        tuple[str, ...], Say("types delivered: html xhtml xml json text, MIME types, or *")
    ] = ("html", "xhtml", "xml", "json", "text")
    statuses: Annotated[tuple[int, ...], Say("statuses delivered besides 2xx")] = ()
    body_bytes: Annotated[int, Say("largest body, decompressed", gt=0)] = 10 * _MB
    html_bytes: Annotated[int, Say("largest body that is parsed as HTML", gt=0)] = 2 * _MB
    media_bytes: Annotated[
        int | None, Say("largest file of page.download, which is never in memory", gt=0)
    ] = 100 * _MB
    memory_bytes: Annotated[int, Say("bodies held at once, all together", gt=0)] = 128 * _MB
    min_free_bytes: Annotated[int, Say("room the output disk must keep", ge=0)] = 1_000 * _MB
    callback_timeout: Annotated[float | None, Say("seconds for one callback", gt=0)] = None

    max_depth: Annotated[int | None, Say("links from a seed, at most", ge=0)] = None
    max_pages: Annotated[int | None, Say("pages, then stop", ge=1)] = None
    max_items: Annotated[int | None, Say("items, then stop", ge=1)] = None
    max_seconds: Annotated[float | None, Say("seconds, then stop", gt=0)] = None
    max_failures: Annotated[int | None, Say("failed requests, then give up", ge=1)] = None
    min_items: Annotated[int | None, Say("items, or the run breaks its promise", ge=1)] = None
    max_drop_rate: Annotated[
        float | None, Say("share of items that may be dropped or fail", ge=0, le=1)
    ] = None
    min_fill: Annotated[
        dict[str, float], Say("share of items that have a field filled, at least, by field")
    ] = {}
    host_pages: Annotated[int | None, Say("pages of one host, at most", ge=1)] = None
    shape_pages: Annotated[
        int | None, Say("pages queued of one URL shape of a host, at most", ge=1)
    ] = None
    traps: Annotated[
        Literal["skip", "report", "ignore"], Say("links that lead into endless URL spaces")
    ] = "skip"
    duplicates: Annotated[
        Literal["drop", "count", "ignore"], Say("pages with the body of another, or nearly so")
    ] = "ignore"
    soft_404: Annotated[
        Literal["drop", "count", "ignore"],
        Say("pages like what the host gives for a URL that is none"),
    ] = "ignore"
    url_bytes: Annotated[int, Say("longest URL", gt=0)] = 2083
    max_sitemaps: Annotated[int, Say("sitemaps that files of one host may name", ge=1)] = 1_000
    sitemap_since: Annotated[
        str | None, Say("date before which a sitemap's entries are too old: 2026-01-31")
    ] = None
    stop_seconds: Annotated[float, Say("seconds that pages in hand get after Ctrl-C", ge=0)] = 8.0

    target_pause: Annotated[float, Say("longest wait for a target that is full or gone", ge=0)] = (
        30.0
    )

    ignore_query_order: Annotated[bool, Say("?a=1&b=2 is the same page as ?b=2&a=1")] = False
    ignore_params: Annotated[
        tuple[str, ...], Say("query parameters that make no other page; utm_* for all such")
    ] = ()

    frontier: Annotated[
        Literal["memory", "sqlite"], Say("where the queue lives; sqlite survives a crash")
    ] = "memory"
    durable: Annotated[
        Literal["process", "full"],
        Say("what a run survives: kill -9, or full: power loss as well"),
    ] = "process"
    pages: Annotated[
        Literal["files", "markdown", "warc", "none"],
        Say("how pages are kept: bodies as they came, as Markdown; warc: all that came"),
    ] = "none"
    warc_bytes: Annotated[int, Say("size from which on a WARC file is full", gt=0)] = 1_000 * _MB
    output_dir: Annotated[str, Say("folder of the runs")] = "output"
    part_items: Annotated[int | None, Say("items in a file of -o NAME-{part}", ge=1)] = None
    part_bytes: Annotated[int, Say("bytes of JSON in a file of -o NAME-{part}", gt=0)] = 256 * _MB
    source: Annotated[
        tuple[str, ...], Say("stored pages that answer in place of the network: runs, WARC files")
    ] = ()
    escape_formulas: Annotated[
        bool, Say("CSV cells that a spreadsheet would run get an apostrophe")
    ] = True


class SettingsDict(TypedDict, total=False):
    """The settings as keywords, for type checkers; a test keeps it equal to `Settings`."""

    concurrency: int
    per_host: int
    delay: float
    max_wait: float
    throttle: bool
    max_delay: float
    max_crawl_delay: float
    host_failures: int | None
    per_ip: int | None
    timeout: float
    connect_timeout: float
    read_timeout: float
    min_rate_bytes: int
    retries: int
    backoff: float
    max_redirects: int
    obey_robots: bool
    obey_meta_robots: bool
    obey_nofollow: bool
    obey_base: bool
    meta_refresh: bool
    srcset: bool
    canonical: Literal["follow", "drop", "ignore"]
    user_agent: str
    headers: Mapping[str, str]
    secret_headers: str | tuple[str, ...]
    auth: Mapping[str, str]
    proxy: str | None
    trust_env: bool
    verify_tls: bool
    allow_private: str | tuple[str, ...]
    accept: str | tuple[str, ...]
    statuses: tuple[int, ...]
    body_bytes: int
    html_bytes: int
    media_bytes: int | None
    memory_bytes: int
    min_free_bytes: int
    callback_timeout: float | None
    max_depth: int | None
    max_pages: int | None
    max_items: int | None
    max_seconds: float | None
    max_failures: int | None
    min_items: int | None
    max_drop_rate: float | None
    min_fill: Mapping[str, float]
    host_pages: int | None
    shape_pages: int | None
    traps: Literal["skip", "report", "ignore"]
    duplicates: Literal["drop", "count", "ignore"]
    soft_404: Literal["drop", "count", "ignore"]
    url_bytes: int
    max_sitemaps: int
    sitemap_since: str | None
    stop_seconds: float
    target_pause: float
    ignore_query_order: bool
    ignore_params: tuple[str, ...]
    frontier: Literal["memory", "sqlite"]
    durable: Literal["process", "full"]
    pages: Literal["files", "markdown", "warc", "none"]
    warc_bytes: int
    output_dir: str | os.PathLike[str]
    part_items: int | None
    part_bytes: int
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
    escape_formulas: bool


class Layer(Struct, frozen=True):
    """One source of settings: its `name` for messages, its `values` as Python or as text."""

    name: str
    values: Mapping[str, object]


_TYPES: dict[str, Any] = get_type_hints(Settings, include_extras=True)
NAMES: tuple[str, ...] = tuple(_TYPES)


def merge(layers: Iterable[Layer]) -> Settings:
    """Return checked settings; a later layer wins. Raises `SettingError` naming the layer."""
    values: dict[str, object] = {}
    for layer in layers:
        for name, value in layer.values.items():
            values[name] = check(name, value, layer=layer.name)
    return Settings(**values)  # type: ignore[arg-type]  # each value was checked above


def check(name: str, value: object, *, layer: str) -> object:
    """Return `value` as the setting's own type. Text is read as the command line gives it."""
    if name not in _TYPES:
        raise SettingError(f"{layer}: {unknown('setting', name, NAMES)}")
    return checked(name, value, _TYPES[name], layer=layer)


def describe() -> dict[str, str]:
    """Return every setting's name and its one line of help, in order."""
    return {name: rule_of(annotation).text for name, annotation in _TYPES.items()}
