"""Counts what happened."""

import time
from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime

from crawler.outcome import Outcome, Report, Verdict

_MOST_HOSTS = 10_000
_EXAMPLES = 10


def count_into(counts: dict[str, int], outcome: Outcome) -> None:
    """Add one outcome to the counters: a delta, committed together with it.

    Names: `pages`, `bytes`, `hops`, `status.N`, `items.STREAM`, `failed.KIND`, `retries`,
    `duplicates`, and the outcome's own (`offsite`, `dropped.REASON`, `user.NAME`, …).
    """

    def add(name: str, number: int = 1) -> None:
        counts[name] = counts.get(name, 0) + number

    page = outcome.page
    if page is not None and outcome.request.kind == "page":
        add(f"status.{page.status}")
        add("bytes", len(page.body))
        if outcome.delivered:
            add("pages")
        if page.redirects:
            add("hops", len(page.redirects))
    for item in outcome.items:
        add(f"items.{item.stream}")
    for failure in outcome.failures:
        add(f"failed.{failure.kind}")
    if outcome.verdict is Verdict.RETRY:
        add("retries")
    elif outcome.verdict is Verdict.DUPLICATE:
        add("duplicates")
    for name, number in outcome.counts.items():
        add(name, number)


class Stats:
    """The run's counters, and the little that is kept for its report: hosts, examples, time."""

    def __init__(self, spider: str, *, counts: Mapping[str, int] | None = None) -> None:
        self.spider = spider
        self.counts: Counter[str] = Counter(counts)
        self.given_up: dict[str, str] = {}
        self.examples: deque[str] = deque(maxlen=_EXAMPLES)
        self._hosts: dict[str, tuple[int, float]] = {}
        self._began = time.monotonic()
        self._started = datetime.now(UTC)

    @property
    def pages(self) -> int:
        """Pages delivered and committed."""
        return self.counts["pages"]

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
        """Seconds since the crawl began."""
        return time.monotonic() - self._began

    def part(self, prefix: str) -> dict[str, int]:
        """Return the counters below `prefix.`, largest first."""
        start = prefix + "."
        part = {k[len(start) :]: n for k, n in self.counts.items() if k.startswith(start) and n}
        return dict(sorted(part.items(), key=lambda pair: (-pair[1], pair[0])))

    def hear(self, outcome: Outcome) -> None:
        """Keep what the report tells of a committed outcome besides the counters."""
        if outcome.page is not None and outcome.delivered:
            self._time(outcome.request.host, outcome.page.seconds)
        for failure in outcome.failures:
            if len(self.examples) < _EXAMPLES:
                self.examples.append(f"{failure.kind}: {failure.reason}: {failure.url}")

    def report(self, *, reason: str, exit_status: int, folder: str | None, queued: int) -> Report:
        """Return the crawl's report as it stands now."""
        return Report(
            spider=self.spider,
            folder=folder,
            reason=reason,
            exit_status=exit_status,
            started=self._started.isoformat(timespec="seconds"),
            seconds=round(self.seconds, 3),
            pages=self.pages,
            items=self.part("items"),
            bytes=self.counts["bytes"],
            statuses=self.part("status"),
            failures=self.part("failed"),
            slowest=self._slowest(),
            given_up=dict(self.given_up),
            examples=list(self.examples),
            queued=queued,
            counts=dict(sorted(self.counts.items())),
        )

    def _time(self, host: str, seconds: float) -> None:
        pages, total = self._hosts.get(host, (0, 0.0))
        self._hosts[host] = (pages + 1, total + seconds)
        if len(self._hosts) > _MOST_HOSTS:  # bounded: of a million hosts the slow ones matter
            means = sorted(self._hosts.items(), key=lambda entry: -entry[1][1] / entry[1][0])
            self._hosts = dict(means[: _MOST_HOSTS // 2])

    def _slowest(self) -> list[tuple[str, int, float]]:
        rows = [(host, n, round(total / n, 3)) for host, (n, total) in self._hosts.items()]
        return sorted(rows, key=lambda row: -row[2])[:5]
