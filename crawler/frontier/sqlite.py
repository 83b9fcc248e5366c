"""The frontier in a SQLite file, for several processes."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from crawler.errors import RunError, TargetError
from crawler.file_thread import FileThread
from crawler.frontier.alone import UNHEARD
from crawler.frontier.borrowing import Borrowed, Borrowing
from crawler.frontier.changes import Changes
from crawler.frontier.counters import Counters, News
from crawler.frontier.hearing import Hearing
from crawler.frontier.ledger import Ledger, Taken
from crawler.frontier.life import Life
from crawler.frontier.looking import Looking
from crawler.frontier.options import Options
from crawler.frontier.peers import Peers
from crawler.frontier.presence import PROCESSES, is_crawled, locked
from crawler.frontier.schema import FILE, LOCK, check_whole, connect, mapped
from crawler.frontier.solitude import Solitude, come_in
from crawler.frontier.turn import turn
from crawler.outcome import Batch, Commit, Counts, HostLease, HostNotes, Part, Restart, Totals
from crawler.protocols import Note
from crawler.request import Request

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_ALONE_SECONDS = 0.5
_TOGETHER_SECONDS = 0.05
"""How often we look whether others did something."""


class SqliteFrontier:
    """Hosts, requests and known URLs in `folder`/frontier.db, shared by the processes of a run.

    One thread does all of it, a transaction for each call, but what `post` decides in memory.
    `alone`: be the first process of the run; otherwise, one more of a run that is being crawled.
    `heard` is called with what other processes keep by name, `wished` with a number for `lend` when
    one wants to ask a host that is held here. The options are those of `MemoryFrontier`, and
    `slots`: how many requests a host without a delay may have in flight, for sharing it; `rest`:
    how many seconds have to lie between two requests to a host, for one whose holder died;
    `most_keys`: up to how many known URLs are all kept in memory for `post`, 100 bytes each.
    """

    def __init__(
        self,
        folder: Path,
        *,
        alone: bool = True,
        durable: str = "process",
        heard: Callable[[Mapping[str, bytes]], None] = lambda kept: None,  # noqa: ARG005
        wished: Callable[[int, HostLease], None] = lambda wish, lease: None,  # noqa: ARG005
        **options: Any,
    ) -> None:
        self._folder = folder
        self._path = folder / FILE
        self._alone = alone
        self._durable = durable
        self._heard = heard
        self._wished = wished
        self._options = Options(**options)
        limited = self._options.host_pages or self._options.shape_pages
        self._posts = limited is None and not self._options.rest(HostNotes())
        self._thread = FileThread("frontier")
        self._changes = Changes()
        self._looking = Looking(self._changes, clock=self._options.clock)
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> Restart:
        """See `Frontier.open`. Raises `RunError`: broken, newer, somebody's, or nobody's."""
        return await self._run(self._open)

    async def lease(self, limit: int, *, host: str | None = None) -> Sequence[HostLease]:
        """See `Frontier.lease`."""
        if host is not None:
            return [await self._borrow(host)]
        return (await self._looking.next(limit, self._look_for_work)).leases

    async def watch(self) -> None:
        """See `Frontier.watch`."""
        while True:
            await asyncio.sleep(_TOGETHER_SECONDS if self._peers.several else _ALONE_SECONDS)
            try:
                await self.listen()
            except TargetError:
                # Full: whoever has something to crawl or to commit says so, waits, or gives up.
                self._hearing.look_anew()

    async def listen(self) -> None:
        """Hear what other processes did by now."""
        if (kept := await self._run(self._hearing.look)) is not None:
            self._heard(kept)
            self._changes.wake()
        # Also if others did nothing: a host that is wished for may be ours by now, its notes known.
        if self._peers.several:
            for number, lease in await self._run(self._borrowing.wishes):
                self._wished(number, lease)

    def note(self, request: Request) -> Note:
        """See `Frontier.note`."""
        flight = self._ledger.flight(request)
        if flight is None or self._peers.presence is None:
            return UNHEARD
        return self._peers.presence.note(flight)

    async def reserve(self, pages: int) -> int:
        """See `Frontier.reserve`."""
        return await self._run(self._ledger.reserve, pages)

    async def claim(self, finals: Mapping[int, int]) -> set[int]:
        """See `Frontier.claim`."""
        return await self._run(self._ledger.claim, finals)

    async def known_items(self, keys: Collection[int]) -> set[int]:
        """See `Frontier.known_items`."""
        return await self._run(self._ledger.books.known_items, keys)

    @property
    def may_post(self) -> bool:
        """See `Frontier.may_post`: not with others, nor with a delay: then nobody waits for it."""
        return self._posts and not self._peers.several

    async def post(
        self, settled: Sequence[Request], found: Sequence[Request], *, limit: int
    ) -> Sequence[HostLease] | None:
        """See `Frontier.post`: what takes no look into the file is done here and now."""
        if self._thread.rests and not self._ledger.ahead.needs_store:
            return self._ledger.post(settled, found, limit=limit)
        return await self._run(self._ledger.post, settled, found, limit=limit)

    async def commit(self, batch: Batch, *, posted: bool = False) -> Commit:
        """See `Frontier.commit`."""
        since = self._changes.next
        news, taken = await self._run(self._commit, batch, posted=posted)
        self._looking.heard(taken, since=since)
        return Commit(counts=self._counters.learn(news))

    async def parts(self) -> Mapping[int, Part]:
        """See `Frontier.parts`."""
        return await self._run(self._ledger.books.parts)

    async def lengths(self) -> dict[str, int]:
        """See `Frontier.lengths`."""
        return await self._run(self._ledger.books.lengths)

    async def others(self) -> int:
        """See `Frontier.others`."""
        await self.bury()  # whoever wakes up later is to hear that its lines are not waited for
        return len(await self._run(self._peers.others))

    async def lend(self, wish: int) -> None:
        """See `Frontier.lend`."""
        await self._run(self._borrowing.grant, wish)
        while True:
            changed = self._changes.next
            if await self._run(self._ledger.lending.is_over, wish):
                return
            await changed.wait()

    async def refuse(self, wish: int) -> None:
        """See `Frontier.refuse`."""
        await self._run(self._borrowing.refuse, wish)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Mapping[str, int]]:
        """See `Frontier.turn`."""
        async with turn(self._folder / ".turn", thread=self._thread):
            yield self._counters.learn(await self._run(self._counters.look))

    async def counts(self) -> Counts:
        """See `Frontier.counts`."""
        counts, news = await self._run(self._counts)
        self._counters.learn(news)
        return counts

    async def totals(self) -> Totals:
        """See `Frontier.totals`."""
        return await self._run(self._ledger.books.totals)

    async def aclose(self) -> None:
        """Close; what this process still holds is queued again. Again is fine."""
        if self._connection is not None:
            try:
                await self._run(self._life.end)
            except TargetError as error:
                log.warning("%s; what this process had is queued again with the next one", error)
            await self._run(self._close)
        self._thread.close()

    async def bury(self) -> None:
        """Let go at once what a process held that is known to be dead."""
        if await self._run(self._life.bury):
            self._changes.wake()

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def mapped_work() -> T:
            with mapped(self._path):
                return work(*args, **kwargs)

        return await self._thread.run(mapped_work)

    async def _borrow(self, host: str) -> HostLease:
        """Hold a host out of turn; whoever is cancelled meanwhile does not hold it."""
        wish: int | None = None
        while True:
            changed = self._changes.next
            borrowing = asyncio.ensure_future(self._run(self._borrowing.borrow, host, wish))
            try:
                borrowed = await asyncio.shield(borrowing)
                if borrowed.lease is not None:
                    return borrowed.lease
                wish = borrowed.wish
                await changed.wait()
            except asyncio.CancelledError:
                borrowing.add_done_callback(partial(self._give_back, host, wish))
                raise

    def _give_back(
        self, host: str, wish: int | None, borrowing: "asyncio.Future[Borrowed]"
    ) -> None:
        """Let go what a cancelled call has got, or wished for."""
        if borrowing.cancelled() or borrowing.exception() is not None:
            return
        loop = asyncio.get_running_loop()

        def give_back() -> None:
            self._borrowing.give_back(host, borrowing.result(), wish)
            loop.call_soon_threadsafe(self._changes.wake)

        self._thread.start(give_back)

    def _open(self) -> Restart:
        if not self._alone and not self._path.exists():
            raise RunError(f"{self._folder}: there is no run to join")
        with locked(self._folder / LOCK):
            connection = self._connection = connect(self._path, durable=self._durable)
            self._peers = Peers(connection, self._folder / PROCESSES)
            self._solitude = Solitude(self._folder / LOCK, self._peers)
            self._ledger = Ledger(
                connection, peers=self._peers, solitude=self._solitude, options=self._options
            )
            self._life = Life(self._ledger)
            self._borrowing = Borrowing(self._ledger)
            self._counters = Counters(self._ledger.books)
            self._hearing = Hearing(connection, ledger=self._ledger, life=self._life)
            try:
                # Who wants to be the first of a run that is crawled hears so without waiting.
                if not (self._alone and is_crawled(self._folder)):
                    come_in(self._folder / LOCK)
                return self._life.begin(
                    alone=self._alone, check=lambda: check_whole(connection, self._path)
                )
            except BaseException:
                self._close()
                raise

    def _commit(self, batch: Batch, *, posted: bool) -> tuple[News, Taken | None]:
        self._ledger.commit(batch, posted=posted)
        taken = None if self._peers.several else self._looking.along(self._ledger.take)
        return self._counters.look(), taken

    def _counts(self) -> tuple[Counts, News]:
        sizes, out = self._ledger.books.sizes(), self._ledger.out
        ahead = len(self._ledger.ahead.found)
        counts = Counts(
            queued=sizes.queued + ahead - out,
            delayed=sizes.delayed,
            leased=out,
            hosts=self._ledger.books.hosts(),
            known=sizes.known + ahead,
            counters=self._counters.now,
        )
        return counts, self._counters.look()

    async def _look_for_work(self, limit: int) -> Taken:
        taken, kept = await self._run(self._take, limit)
        if kept:
            self._heard(kept)
        return taken

    def _take(self, limit: int) -> tuple[Taken, Mapping[str, bytes]]:
        """Take hosts, and what others kept with them: a seed's host, a login's cookies."""
        taken = self._ledger.take(limit)
        return taken, self._hearing.news() if taken.leases else {}

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._solitude.close()
            self._peers.close()
            connection.close()
