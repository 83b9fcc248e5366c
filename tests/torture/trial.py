"""Crawls one site again and again, and holds each crawl against one that nobody hurt."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tests.torture import compare
from tests.torture.compare import Difference, Kept
from tests.torture.processes import Crawl, Life
from tests.torture.remote import Remote

_TICK = 0.25
_HANGS = 60.0
"""Seconds without a new page after which a crawl hangs."""


class Unfinished(Exception):
    """A crawl that cannot be brought to its end."""


class Log:
    """What happens to a crawl: kills, by whom or where they hit, and what should not happen.

    `may_repeat`: a page that was answered may be fetched again after a kill. `together` are the
    numbers of kills that came so close that what is fetched again may be any one's; without it each
    stands alone.
    """

    def __init__(self) -> None:
        self.kills: Counter[str] = Counter()
        self.together: list[int] = []
        self.complaints: list[str] = []
        self.may_repeat = True


class Tale(NamedTuple):
    """What became of a crawl; `again` are pages fetched again, and for how many kills."""

    folder: Path
    kills: Counter[str]
    again: Sequence[tuple[int, int]]
    seconds: float
    difference: Difference
    complaints: Sequence[str]

    @property
    def is_clean(self) -> bool:
        """True if nothing is lost, doubled, broken or strange."""
        return not any(self.difference) and not self.complaints


class Trial:
    """A site, a folder for its crawls, and what each of them should leave.

    `answered` is how many URLs of the site have been answered whole when all is crawled.
    """

    def __init__(
        self, site: Remote, folder: Path, *, processes: int = 1, options: Sequence[str] = ()
    ) -> None:
        self.site = site
        self.folder = folder
        self._processes = processes
        self._options = tuple(options)
        self._numbers = count(1)
        self.expected = self._reference()
        self.answered = site.answered

    def put_through(self, torment: Callable[[Crawl, Log], None]) -> Tale:
        """Let a crawl suffer to its end; return what it left then, beside what it should have."""
        self.site.forget()
        folder = self.folder / f"crawl-{next(self._numbers)}"
        crawl = Crawl.durable(
            folder, self.site.web.start, processes=self._processes, options=self._options
        )
        log, began = Log(), time.monotonic()
        try:
            torment(crawl, log)
            self._start_again(crawl)
        except Unfinished as error:
            log.complaints.append(str(error))
        seconds = time.monotonic() - began
        kept = compare.read(crawl.run, items=crawl.items, copy=crawl.copy)
        tale = Tale(
            folder,
            log.kills,
            self._again(log),
            seconds,
            compare.compare(self.expected, kept),
            [*log.complaints, *_tracebacks(crawl.said)],
        )
        self._tidy(tale)
        return tale

    def watch(self, life: Life, *, until: float = float("inf"), seconds: float = 1e9) -> None:
        """Wait until so many URLs are answered, the life is over, or the time is.

        Raises `Unfinished` if nothing happens any more.
        """
        answered, since = self.site.answered, time.monotonic()
        end = since + seconds
        while answered < until and time.monotonic() < end and life.status is None:
            target = int(min(until, 1e9))
            now = self.site.wait(target, seconds=min(_TICK, max(0.0, end - time.monotonic())))
            if now != answered:
                answered, since = now, time.monotonic()
            elif time.monotonic() - since > _HANGS:
                raise Unfinished(f"hangs after {answered} of {self.answered} pages")

    def finish(self, life: Life) -> None:
        """Wait for the end of the crawl. Raises `Unfinished`."""
        self.watch(life)
        if life.status != 0:
            raise Unfinished(f"exit status {life.status}")

    def _reference(self) -> Kept:
        crawl = Crawl.in_memory(self.folder / "reference", self.site.web.start)
        self.site.forget()
        with Life(crawl) as life:
            # It is what the others are held against, so nothing is known of it yet.
            if life.wait(_HANGS + self.site.web.pages / 50) != 0:
                raise Unfinished(f"the crawl that nobody hurts: exit status {life.status}")
        (run,) = crawl.run.glob("*/*")
        kept = compare.read(run, items=crawl.items)
        bodies = compare.of_the_web(self.site.web)
        if kept.sets["bodies"] != bodies or kept.broken or self.site.repeated():
            raise Unfinished(f"the crawl that nobody hurts is not whole: {crawl.folder}")
        return kept

    def _start_again(self, crawl: Crawl) -> None:
        """Start a crawl that is finished: it says so, and changes nothing."""
        with Life(crawl) as life:
            if (status := life.wait(_HANGS)) != 0:
                raise Unfinished(f"finished, and started again: exit status {status}")

    def _again(self, log: Log) -> list[tuple[int, int]]:
        """Return the pages fetched again, for how many kills; complain of those without cause."""
        repeated = self.site.repeated()
        kills = log.together or [1] * log.kills.total()
        again = [(repeated[mark], several) for mark, several in enumerate(kills)]
        total = sum(pages for pages, _ in again)
        if without := repeated.total() - total:
            log.complaints.append(f"{without} pages were fetched twice in one life: {repeated}")
        if total and not log.may_repeat:
            log.complaints.append(f"{total} pages were fetched again")
        return again

    def _tidy(self, tale: Tale) -> None:
        if tale.is_clean:
            shutil.rmtree(tale.folder)
        else:
            complaints = "".join(f"? {complaint}\n" for complaint in tale.complaints)
            (tale.folder / "difference.txt").write_text(complaints + tale.difference.text)


def _tracebacks(said: Path) -> list[str]:
    text = said.read_text(errors="replace")
    return ["a traceback on standard error"] * ("\nTraceback" in f"\n{text}")
