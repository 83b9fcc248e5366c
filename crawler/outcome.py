"""What crosses the crawl's inner borders."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from crawler.errors import Signal
from crawler.items import ItemLine
from crawler.request import Request
from crawler.response import Response

Position = dict[str, int]
"""How far each line file of a run is committed: its name → bytes."""

MOST_SLOWEST = 5
MOST_EXAMPLES = 10
"""Hosts and failures that a run's totals name."""


LONGEST_NOTES = 86_400.0
"""Seconds that a robots.txt counts: no more than 24 hours (RFC 9309 2.4)."""


class Verdict(StrEnum):
    """How a visit ended."""

    DONE = "done"
    FAILED = "failed"
    RETRY = "retry"
    DROPPED = "dropped"
    DUPLICATE = "duplicate"
    PARTIAL = "partial"
    """A chunk of a seeding that goes on."""


class Failure(Struct, frozen=True):
    """Why a request brought nothing: what `on_error` receives and `failures.jsonl` keeps.

    `kind` is a short name (`dns`, `timeout`, `status`, `callback`, …), `reason` one line for
    people. `response` is there when the server answered.
    """

    request: Request
    kind: str
    reason: str
    status: int | None = None
    response: Response | None = None

    @property
    def url(self) -> str:
        """The URL that was asked for."""
        return self.request.url


class HostNotes(Struct, frozen=True):
    """What is known of a host before its first page: its robots.txt, and what follows from it.

    `robots` is the file's bytes (empty: all is allowed); `unreachable` says why it could not be
    asked, and `refused` whose address may not be connected to, if that is why: the host's own, or
    of one that it redirects to. `crawl_delay` is for our user agent. `until` is the time (clock
    seconds) from which on the host is to be asked anew; None: never.
    """

    robots: bytes = b""
    unreachable: str | None = None
    crawl_delay: float | None = None
    sitemaps: tuple[str, ...] = ()
    refused: str = ""
    until: float | None = None

    def are_fresh(self, now: float) -> bool:
        """True if they count; not those of a clock that was set back since."""
        return self.until is None or now < self.until <= now + LONGEST_NOTES


ALL_PAGES = "the host has all its pages (host_pages)"
"""Why such a host is left alone."""


class HostLease(Struct, frozen=True):
    """A host, for this process alone, with requests to make; none while `notes` are to be found.

    `origin` is scheme://host of its first request; `due` the time (clock seconds) from which the
    host may be asked. `slots`: other processes ask the same host, and this one may have so many
    requests in flight to it. `delay` is what its answers have made of its delay, 0 if nothing.
    `alone` says why nobody may ask the host, now or any more, if it is so: there is nothing to give
    back then.
    """

    host: str
    origin: str
    requests: Sequence[Request]
    notes: HostNotes | None
    due: float = 0.0
    slots: int | None = None
    delay: float = 0.0
    alone: str = ""


class Outcome(Struct):
    """All that one visit found; it counts as a whole or not at all.

    `page` is there when the server answered; `delivered` says that a callback had the answer (one
    of `page.fetch` comes without `page`). `signal` is what the callback raised (Retry, Stop).
    `wait` is the time (clock seconds) of a retry; `gives_up` says why the whole host is given up,
    if it is. `copy_of` is the canonical URL of a page that is to be dropped if that one is known;
    `withheld` says that the page asks not to be kept.
    """

    request: Request
    verdict: Verdict
    items: Sequence[ItemLine] = ()
    found: Sequence[Request] = ()
    page: Response | None = None
    delivered: bool = False
    failures: Sequence[Failure] = ()
    notes: HostNotes | None = None
    signal: Signal | None = None
    wait: float = 0.0
    gives_up: str = ""
    copy_of: str | None = None
    withheld: bool = False
    counts: dict[str, int] = field(default_factory=dict)


class Batch(Struct, kw_only=True):
    """What one frontier transaction holds; see `Frontier.commit`.

    `retried` are (request, time it may be asked) pairs; `failed` those of the settled ones that
    failed for good, with the kinds of their failures. By host: `pages` are how many count for
    `host_pages`, `due` the hosts' next times, `delays` what their answers have made of their
    delays, 0 for nothing, `alone` until when those that rest are left alone, and why, `given_up`
    why their queue is dropped, `answers` how many they gave, and in how many seconds. `examples`
    are failures in a line. `item_keys` are those of items that are new by them. `joined` is how far
    the line files of other processes are in ours. `lengths` are those of files that stay where they
    are, each with a name that no other process has. `kept` is what else a later life of the run, or
    another process of it, has to know, by name; an empty value takes a name back.
    """

    settled: list[Request] = field(default_factory=list)
    retried: list[tuple[Request, float]] = field(default_factory=list)
    found: list[Request] = field(default_factory=list)
    failed: list[tuple[Request, Sequence[str]]] = field(default_factory=list)
    notes: dict[str, HostNotes] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    alone: dict[str, tuple[float, str]] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    pages: dict[str, int] = field(default_factory=dict)
    answers: dict[str, tuple[int, float]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    item_keys: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    position: Position = field(default_factory=dict)
    joined: dict[int, Position] = field(default_factory=dict)
    lengths: Position = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)


class Commit(Struct, frozen=True):
    """The run's counters as a transaction left them, `left_out.REASON` of dropped requests too.

    There may be very many, so it is no copy: it is to be read only, and goes on with the run.
    """

    counts: Mapping[str, int] = {}


class Totals(Struct, frozen=True):
    """What a run came to so far, over all its lives and processes.

    `slowest` is (host, answers, mean seconds); `given_up` names hosts and why; `examples` are the
    first failures; `traps` are URLs that look like one, by host and kind.
    """

    counts: Mapping[str, int] = {}
    slowest: Sequence[tuple[str, int, float]] = ()
    given_up: Mapping[str, str] = {}
    examples: Sequence[str] = ()
    traps: Mapping[tuple[str, str], str] = {}


class Counts(Struct, frozen=True):
    """The frontier at a glance: requests queued, delayed and leased, hosts and URLs known.

    `counters` are the run's, as `Commit.counts`.
    """

    queued: int = 0
    delayed: int = 0
    leased: int = 0
    hosts: int = 0
    known: int = 0
    counters: Mapping[str, int] = {}


class Part(Struct, frozen=True):
    """The line files of another process of the run: how far committed, and how far in ours."""

    committed: Position
    joined: Position


class Mark(Struct, frozen=True, array_like=True):
    """How far a target is: it has the spool's lines up to byte `cursor`.

    `state` is what its follower needs to go on from there.
    """

    cursor: int
    state: bytes = b""


class Restart(Struct, frozen=True):
    """What an earlier life of this run left: nothing on a fresh start.

    `part` is the number of this process's line files, `position` how far they are committed.
    `callbacks` counts what is queued by the callback it is for; `in_flight` is how many requests
    the processes that died had in hand; `ahead` is how far the clock of a run that is being crawled
    is ahead of the system's monotonic one.
    """

    fresh: bool = True
    position: Position = {}
    counts: Mapping[str, int] = {}
    kept: Mapping[str, bytes] = {}
    queued: int = 0
    in_flight: int = 0
    callbacks: Mapping[str, int] = {}
    part: int = 0
    ahead: float | None = None


class Report(Struct, kw_only=True):
    """What a crawl came to: the content of `stats.json`, and what `crawl()` returns.

    `reason` says why it ended: `finished`, a limit (`max_pages`, …), a signal, a callback's Stop,
    or what went wrong; `finished` that nothing is left to do. `statuses` counts answers by HTTP
    status, `failures` failed requests by kind, `slowest` is (host, pages, mean seconds), `slowed`
    has the longest delays that the throttle made, by host, `parked` why hosts were left alone for a
    while, the last time; `given_up` names hosts and why, `traps` are (host, kind, URL).
    `fill_rates` are the shares of items in which a field is not empty, by type and field;
    `broken_promises` say which of `min_items`, `max_drop_rate` and `min_fill` were not kept.
    """

    spider: str
    folder: str | None = None
    reason: str = "finished"
    finished: bool = False
    exit_status: int = 0
    started: str = ""
    seconds: float = 0.0
    pages: int = 0
    items: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    slowest: list[tuple[str, int, float]] = field(default_factory=list)
    slowed: dict[str, float] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    traps: list[tuple[str, str, str]] = field(default_factory=list)
    fill_rates: dict[str, dict[str, float]] = field(default_factory=dict)
    broken_promises: list[str] = field(default_factory=list)
    queued: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def item_count(self) -> int:
        """Items of every type together."""
        return sum(self.items.values())

    @property
    def failure_count(self) -> int:
        """Failed requests of every kind together."""
        return sum(self.failures.values())
