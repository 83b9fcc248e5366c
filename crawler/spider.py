"""The class users write."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Generic,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
)

from crawler.downloads import Download
from crawler.errors import SpiderError
from crawler.events import Listener
from crawler.items import snake_case
from crawler.outcome import Failure, Report
from crawler.request import Request
from crawler.response import Response
from crawler.settings import SettingsDict
from crawler.words import harmless

I = TypeVar("I")  # noqa: E741  # the contract's own name
T = TypeVar("T")

_LONGEST_NAME = 200  # of a counter

Out: TypeAlias = AsyncIterator[T | Request | Download | Sequence[Request | Download] | None]
"""What a callback that yields items of type T returns."""

tally: ContextVar[dict[str, int]] = ContextVar("tally")
"""The counters of the callback that is running."""


class Spider(Generic[I]):
    """Where a crawl begins, what it takes from each page, and where it goes from there.

    Subclass it as `Spider[YourItem]`, with settings as class keywords: `class Books(Spider[Book],
    delay=1.0)`. `start_urls` or `start()` begin; `parse` and the callbacks that requests name yield
    items, requests, lists of requests, or None.
    """

    name: ClassVar[str] = ""
    start_urls: Sequence[str] = ()
    allowed_domains: Sequence[str] = ()
    allowed_prefixes: Sequence[str] = ()
    deny: Sequence[str] = ()
    sitemaps: Sequence[str] = ()
    steps: Sequence[Callable[[Any], Any]] = ()
    listeners: Sequence[Listener] = ()
    layers: Sequence[Callable[[Any], Any]] = ()

    settings: ClassVar[Mapping[str, object]] = {}
    item_types: ClassVar[tuple[type, ...]] = ()
    state: Any
    log: logging.Logger
    run_folder: Path | None = None
    """Where the run's files are, while it is crawled; a `Media`'s path is relative to it."""

    def __init_subclass__(cls, **settings: Unpack[SettingsDict]) -> None:
        super().__init_subclass__()
        cls.settings = {**cls.settings, **settings}
        if "name" not in vars(cls):
            cls.name = snake_case(cls.__name__)
        declared = _declared_item(cls)
        if declared is not None:
            cls.item_types = _item_types(declared)

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """Set up what every spider has, so that `super().__init__()` is optional."""
        spider = super().__new__(cls)
        spider.log = logging.getLogger(f"spiders.{cls.name}")
        spider.state = _fresh_state(cls)
        return spider

    async def start(self) -> Out[I]:
        """Yield the first requests: by default one for each of `start_urls`."""
        for url in self.start_urls:
            yield Request(url)

    def parse(self, page: Response) -> Any:  # noqa: ARG002  # a contract for subclasses
        """Take what is wanted from a page, and say where to go next. Yours to write."""
        raise SpiderError(f"spider {self.name} has no parse method")

    def on_error(self, failure: Failure) -> Any:
        """Hear of a request that failed for good; may yield like a callback."""

    def opened(self) -> Any:
        """Run before the first request, once a process; may be `async def`.

        If it raises, nothing is crawled; `Stop` does so without an error.
        """

    def closed(self, report: Report) -> Any:
        """Run after the last request, once a process, however the crawl ended."""

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter of your own; it counts only if the callback's page does.

        Of a long name the first 200 characters count.
        """
        counts = tally.get(None)
        if counts is None:
            raise SpiderError("self.count works inside callbacks only")
        key = f"user.{harmless(name[:_LONGEST_NAME])}"  # it may come from a page
        counts[key] = counts.get(key, 0) + n


def _declared_item(cls: type) -> Any:
    """Return I of `Spider[I]` as the class line gives it, or None."""
    for base in getattr(cls, "__orig_bases__", ()):
        if isinstance(origin := get_origin(base), type) and issubclass(origin, Spider):
            return get_args(base)[0]
    return None


def _item_types(declared: Any) -> tuple[type, ...]:
    if declared is Any or isinstance(declared, TypeVar):
        return ()
    several = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
    return tuple(dict if get_origin(kind) is dict else kind for kind in several)


def _fresh_state(cls: type) -> Any:
    """Return a new value of the type `state` is annotated with; a dict if it is not."""
    kind = get_type_hints(cls).get("state", Any)
    return {} if kind in (Any, NoneType) else (get_origin(kind) or kind)()
