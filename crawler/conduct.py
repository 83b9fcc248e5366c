"""What one crawl keeps to, and what it remembers of it."""

from typing import Any

from crawler.archive.sources import sources_of
from crawler.callbacks import Callbacks
from crawler.clock import SteadyClock
from crawler.engine import SEEDING
from crawler.errors import CallbackError, RunError, SpiderError
from crawler.fetch.dns import Resolver
from crawler.fetch.jars import Jars
from crawler.outcome import Restart
from crawler.promises import check_promises
from crawler.protocols import Memory
from crawler.records.streams import streams_of
from crawler.rules.book import RobotsBook
from crawler.rules.credentials import Credentials
from crawler.rules.gate import Gate
from crawler.rules.guard import Guard
from crawler.rules.scope import Scope
from crawler.settings import Settings
from crawler.spider import Spider
from crawler.stats import Stats
from crawler.turns import Turns


class Conduct:
    """Rules, turns and callbacks of one crawl, and `memories` of theirs for later lives.

    Raises `UsageError` for a spider or settings that could never run. Opens nothing.
    """

    def __init__(self, spider: Spider[Any], settings: Settings) -> None:
        check_promises(settings, streams_of(spider.item_types), spider=spider.name)
        self.sources = sources_of(settings.source)
        self.guard = Guard(settings.allow_private)
        self.credentials = Credentials(settings)
        scope = _scope(spider, settings)
        self.callbacks = Callbacks(spider, scope=scope, settings=settings)
        self.callbacks.seeded += [self.guard.add_seed, self.credentials.add_seed]
        self.clock = SteadyClock()
        self.book = RobotsBook(settings.user_agent)
        self.stats = Stats(spider.name)
        # A proxy's address is nobody's of those that are asked.
        by_address = settings.per_ip is not None and settings.proxy is None
        self._resolver = Resolver() if by_address else None
        self.turns = Turns(
            settings,
            clock=self.clock,
            book=self.book,
            slowed=self.stats.slow,
            parked=self.stats.park,
            look_up=self._resolver.first_address if self._resolver is not None else None,
        )
        self.jars = Jars()
        self.gate = Gate(settings.traps)
        self.memories: list[Memory] = [
            scope,
            self.callbacks.sitemap_rules,
            self.guard,
            self.credentials,
            self.jars,
            self.stats,
            self.gate,
            self.callbacks.sieve,
        ]

    def check(self, restart: Restart) -> None:
        """Raise `RunError` if requests are queued for callbacks that the spider has no more."""
        gone = []
        for name, queued in restart.callbacks.items():
            if name in (SEEDING.callback, ""):  # a file may have none
                continue
            try:
                self.callbacks.require(name)
            except CallbackError:
                gone.append(f"{name} ({queued:,} queued)")
        if gone:
            raise RunError(
                f"spider {self.callbacks.spider.name} has no callback any more for what the run "
                f"has queued: {', '.join(gone)}"
            )

    async def aclose(self) -> None:
        """End what may still look for addresses."""
        if self._resolver is not None:
            await self._resolver.close()


def _scope(spider: Spider[Any], settings: Settings) -> Scope:
    try:
        return Scope(
            domains=spider.allowed_domains,
            prefixes=spider.allowed_prefixes,
            deny=spider.deny,
            max_depth=settings.max_depth,
            url_bytes=settings.url_bytes,
        )
    except SpiderError as error:
        raise SpiderError(f"spider {spider.name}: {error}") from None
