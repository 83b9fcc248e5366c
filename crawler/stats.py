"""Counts what happened."""

import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from crawler.fills import COUNTED, fill_rates
from crawler.outcome import Outcome, Report, Totals, Verdict
from crawler.settings import Settings

_KEPT = "seconds"
_SLOWED, _PARKED = "slowed ", "parked "
"""How the names begin under which hosts are kept."""
_SECONDS = struct.Struct("<d")
_MOST_HOSTS = 100
"""Hosts that are named as slowed, and as parked."""


def count_into(counts: dict[str, int], outcome: Outcome) -> None:
    """Add one outcome to the counters: a delta, committed together with it.

    Names: `pages`, `bytes`, `media` (files), `media_bytes`, `hops`, `status.N`, `items.STREAM`,
    `failed.KIND`, `retries`, `duplicates`, `skipped`, and the outcome's own (`offsite`,
    `dropped.REASON`, `user.NAME`, `dropped_items.STREAM` by steps, `duplicate_items.STREAM` by
    their keys, …). The frontier adds `discovered`, `left_out.REASON`, `trap.KIND`, and `crashes` of
    processes in a callback; hosts add `slowed`, `parked`; `Fills` adds `filled.STREAM.FIELD`.
    What is `discovered` ends in one of `pages`, `sitemaps`, `downloads` (files that were queued), a
    failure that is none of a callback or item, `skipped` (whose reasons have names of their own)
    and `left_out`, or is queued yet.
    """

    def add(name: str, number: int = 1) -> None:
        counts[name] = counts.get(name, 0) + number

    for item in outcome.items:
        add(f"items.{item.stream}")
    for saved in (one for one in outcome.saved if not one.before):
        add("media")
        add("media_bytes", saved.media.bytes)
    if outcome.saved and outcome.request.kind == "media":
        add("downloads")
    for failure in outcome.failures:
        add(f"failed.{failure.kind}")
    page = outcome.page
    if page is not None and outcome.request.kind == "page":
        add("bytes", len(page.body))
        add(f"status.{page.status}")
        if outcome.delivered:
            add("pages")
        if page.redirects:
            add("hops", len(page.redirects))
    if outcome.verdict is Verdict.RETRY:
        add("retries")
    elif outcome.verdict is Verdict.DUPLICATE:
        add("duplicates")
    if _is_skipped(outcome):
        add("skipped")
    for name, number in outcome.counts.items():
        add(name, number)


def _is_skipped(outcome: Outcome) -> bool:
    """True for a request that ends without a page, and did not fail."""
    request = outcome.request
    if outcome.delivered or outcome.verdict in (Verdict.RETRY, Verdict.PARTIAL, Verdict.FAILED):
        return False
    # With a number below nought it was made for `page.fetch`, not found.
    was_found = request.kind in ("page", "sitemap", "media") and request.id >= 0
    is_download = request.kind == "media" and bool(outcome.saved)
    return was_found and not is_download and "sitemaps" not in outcome.counts


class Stats:
    """The run's counters as they were last committed, by whichever process, and its time.

    A `Memory`: the seconds of earlier lives count, and the hosts that anybody slowed or parked.
    """

    def __init__(self, spider: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.spider = spider
        self._clock = clock
        self.counts: Mapping[str, int] = Counter()
        self.started = datetime.now(UTC)
        self.slowed: dict[str, float] = {}
        """The longest delays that the throttle made, by host."""
        self.parked: dict[str, str] = {}
        """Hosts that were left alone, and why."""
        self._news: dict[str, bytes] = {}
        self._before = 0.0
        self._began = clock()

    @property
    def pages(self) -> int:
        """Pages delivered and committed."""
        return self.counts.get("pages", 0)

    @property
    def items(self) -> int:
        """Items of all types, committed."""
        return sum(self.part("items").values())

    @property
    def failures(self) -> int:
        """Requests, callbacks and items that failed for good."""
        return sum(self.part("failed").values())

    @property
    def seconds(self) -> float:
        """Seconds that the crawl has run, in all its lives."""
        return self._before + self._clock() - self._began

    def changes(self) -> Mapping[str, bytes]:
        """Return how long the crawl has run, and which hosts were slowed or parked anew."""
        news, self._news = self._news, {}
        return {_KEPT: _SECONDS.pack(self.seconds), **news}

    def learn(self, name: str, value: bytes) -> None:
        """Hear how long earlier lives ran, or how long another process has seen the crawl run."""
        if name == _KEPT:
            self._before += max(0.0, _SECONDS.unpack(value)[0] - self.seconds)
        elif name.startswith(_SLOWED) and value:
            self._slow(name.removeprefix(_SLOWED), _SECONDS.unpack(value)[0])
        elif name.startswith(_PARKED):
            self._park(name.removeprefix(_PARKED), value.decode())

    def slow(self, host: str, delay: float) -> None:
        """Hear that a host is asked less often than usual."""
        if self._slow(host, delay):
            self._news[_SLOWED + host] = _SECONDS.pack(delay)

    def park(self, host: str, why: str) -> None:
        """Hear that a host is left alone for a while."""
        if self._park(host, why):
            self._news[_PARKED + host] = why.encode()

    def _slow(self, host: str, delay: float) -> bool:
        if delay <= self.slowed.get(host, 0.0):
            return False
        if host not in self.slowed and len(self.slowed) >= _MOST_HOSTS:
            least = min(self.slowed, key=self.slowed.__getitem__)
            if delay <= self.slowed[least]:
                return False
            del self.slowed[least]
            self._news[_SLOWED + least] = b""
        self.slowed[host] = delay
        return True

    def _park(self, host: str, why: str) -> bool:
        if host not in self.parked and len(self.parked) >= _MOST_HOSTS:
            return False
        self.parked[host] = why
        return True

    def hear(self, counts: Mapping[str, int]) -> None:
        """Take the run's counters as they are now; they go on with the run: see `Commit`."""
        self.counts = counts

    def part(self, prefix: str) -> dict[str, int]:
        """Return the counters below `prefix.`, largest first."""
        start = prefix + "."
        part = {k[len(start) :]: n for k, n in self.counts.items() if k.startswith(start) and n}
        return dict(sorted(part.items(), key=lambda pair: (-pair[1], pair[0])))

    def limit_reached(self, settings: Settings) -> str | None:
        """Return the setting whose limit the run has reached, if one is."""
        reached: dict[str, float] = {
            "max_pages": self.pages,
            "max_items": self.items,
            "max_seconds": self.seconds,
            "max_failures": self.failures - 1,  # as many are fine, one more is not
        }
        for name, number in reached.items():
            most = getattr(settings, name)
            if most is not None and number >= most:
                return name
        return None

    def report(
        self,
        totals: Totals,
        *,
        reason: str,
        finished: bool,
        folder: str | None,
        queued: int,
        promised: Iterable[str] = (),
    ) -> Report:
        """Return the crawl's report as it stands now; `promised` are the fields of `min_fill`."""
        self.hear(totals.counts)
        return Report(
            spider=self.spider,
            folder=folder,
            reason=reason,
            finished=finished,
            started=self.started.isoformat(timespec="seconds"),
            seconds=round(self.seconds, 3),
            pages=self.pages,
            items=self.part("items"),
            bytes=self.counts.get("bytes", 0),
            statuses=self.part("status"),
            failures=self.part("failed"),
            slowest=[(host, n, round(mean, 3)) for host, n, mean in totals.slowest],
            slowed=dict(sorted(self.slowed.items(), key=lambda pair: (-pair[1], pair[0]))),
            parked=dict(self.parked),
            given_up=dict(totals.given_up),
            examples=list(totals.examples),
            traps=[(host, kind, url) for (host, kind), url in totals.traps.items()],
            fill_rates=fill_rates(self.counts, promised=promised),
            queued=queued,
            counts={n: k for n, k in sorted(self.counts.items()) if not n.startswith(COUNTED)},
        )
