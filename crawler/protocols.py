"""The seams between the rooms."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from crawler.outcome import Batch, Commit, Counts, HostLease, Mark, Part, Position, Restart, Totals
from crawler.records.page_index import Place
from crawler.request import Request
from crawler.response import Response

Fetch = Callable[[Request], Awaitable[Response]]
"""A request in, a response out, or a `FetchError`. A layer is a Fetch around a Fetch."""

Step = Callable[[Any], Any | Awaitable[Any]]
"""An item in, the item out, changed or not; raises `Drop` to leave it out."""

Clock = Callable[[], float]
"""Seconds since the epoch, never going backwards within a process."""


class Note(Protocol):
    """What a process says of one request, for whoever outlives it."""

    def work(self) -> None:
        """Say that its code runs: if the process dies now, that is to blame."""

    def wait(self) -> None:
        """Say that it waits for something of its own, which may kill the process."""

    def clear(self) -> None:
        """Say that it does nothing that could kill the process."""


class Frontier(Protocol):
    """What is still to be crawled: hosts and their requests, known URLs, leases.

    One contract suite (`tests/frontier/contract.py`) runs over every implementation.
    """

    async def open(self) -> Restart:
        """Open the store; return what an earlier life of the run left."""

    async def lease(self, limit: int, *, host: str | None = None) -> Sequence[HostLease]:
        """Take hosts that are due, with at most `limit` requests in all (highest priority first).

        Waits until there is something; returns nothing only when the crawl is over: nothing is
        queued, delayed or leased anywhere. With `host`, returns that host at once, without requests
        of its queue, so that one may be made out of turn; the lease says so if the host is left
        `alone`, be it by another process or an earlier life: it rests, is given up, or has all its
        pages.
        """

    async def watch(self) -> None:
        """Hear, until cancelled, what other processes of the run do."""

    def note(self, request: Request) -> Note:
        """Return a note on `request`, cleared so far; what it says outlives this process."""

    async def reserve(self, pages: int) -> int:
        """Set up to `pages` of the run's `max_pages` aside for this process; return how many.

        Each page in a `commit` uses one up. A negative number gives some back.
        """

    async def claim(self, finals: Mapping[int, int]) -> set[int]:
        """Make the final URLs of redirected requests known; return the ids that came too late.

        `finals` maps a leased request's id to the fingerprint of where it ended. Claiming again
        for the same request gives the same answer, so a claim may be lost or repeated.
        """

    async def known_items(self, keys: Collection[int]) -> set[int]:
        """Return those of the keys that items have which are committed: see `Batch.item_keys`.

        Another process may commit one right after, but for the time of a `turn`.
        """

    @property
    def may_post(self) -> bool:
        """False where `post` would do nothing."""

    async def post(
        self, settled: Sequence[Request], found: Sequence[Request], *, limit: int
    ) -> Sequence[HostLease] | None:
        """Let requests that `settled` ones `found` be made before that is committed.

        Returns leases of what is new, `limit` requests at most, or none of them if `lease` finds
        it. None: nothing is done, for nothing is new, or the moment has to be a commit. The next
        commit with `posted` has to settle the same requests, with all that they found; without it,
        none of this has ever been.
        """

    async def commit(self, batch: Batch, *, posted: bool = False) -> Commit:
        """Make `batch` true, all or nothing: one transaction.

        With `posted` it has all that was posted since the last one of those. A host's due time
        never moves back.
        """

    async def parts(self) -> Mapping[int, Part]:
        """Return the line files of other processes, by part, that are not wholly in ours."""

    async def lengths(self) -> Position:
        """Return how long the files are that stay where they are, those of all processes."""

    async def others(self) -> int:
        """Return how many other processes crawl the run."""

    async def lend(self, wish: int) -> None:
        """Let another process make the request it wishes for; return when it has."""

    async def refuse(self, wish: int) -> None:
        """Let another process look anew what becomes of its wish: its host may be left alone."""

    def turn(self) -> AbstractAsyncContextManager[Mapping[str, int]]:
        """Let no other process enter this block meanwhile; gives the run's counters as they are."""

    async def counts(self) -> Counts:
        """Return the frontier's size now."""

    async def totals(self) -> Totals:
        """Return what the run came to so far."""

    async def aclose(self) -> None:
        """Close; what this process still holds is queued again."""


class Memory(Protocol):
    """Something of the crawl's that has to outlive the process, kept with each transaction."""

    def changes(self) -> Mapping[str, bytes]:
        """Return what is new since the last call, by name; an empty value: there is none more."""

    def learn(self, name: str, value: bytes) -> None:
        """Take what an earlier life, or another process, had; names of others are not for it."""


class Follower(Protocol):
    """Takes committed item lines to one target, which is open."""

    @property
    def mark(self) -> Mark:
        """How far the target is, whatever happens now; at first, from where it has to go on."""

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        """Take `lines`; `cursor` is the spool's byte after the last of them.

        They may be held back until `flush`. Raises `TargetError`, `OSError`.
        """

    async def flush(self) -> None:
        """Have all that was taken be in the target, and `mark` say so."""

    async def finish(self) -> None:
        """Flush, and leave the target complete: no more lines come."""

    async def aclose(self) -> None:
        """Let go of the target as it is."""


class Spool(Protocol):
    """The run's line files, each cut back on restart to the last committed position."""

    async def append(self, lines: Mapping[str, Sequence[bytes]]) -> Position:
        """Append lines to files by name, flushed; return every file's length then.

        All or nothing: on `TargetError` what was written in part is cut off again.
        """

    async def committed(self, position: Position, items: Sequence[object]) -> None:
        """Hear that everything up to `position` is committed, `items` being new in it."""

    async def aclose(self) -> None:
        """Close the files, and what follows them."""


class PageStore(Protocol):
    """Where bodies come to rest."""

    @property
    def keeps_exchanges(self) -> bool:
        """True if responses need their `exchanges`."""

    @property
    def lengths(self) -> Position:
        """How long files are that have to be cut back to what is committed: the next commit's."""

    async def save(
        self, pages: Sequence[Response], *, beside: Sequence[Response] = ()
    ) -> Sequence[Place]:
        """Store pages; return where each went. `beside` are answers that are none.

        Raises `TargetError`, and may be called again with the same ones, until they are committed.
        """

    async def committed(self) -> None:
        """Hear that what was saved is committed."""

    async def settle(self) -> None:
        """Leave it complete: the run is over. Raises `TargetError`."""

    async def aclose(self) -> None:
        """Close the store."""
