"""Steps, then the spool."""

import inspect
from collections.abc import Callable, Sequence

from crawler.errors import CallbackError, ItemError, Retry, Signal, Stop
from crawler.items import ItemKinds, ItemLine
from crawler.outcome import Failure, Outcome, Position
from crawler.poison import Mark
from crawler.protocols import Note, PageStore, Spool, Step
from crawler.records.failures import failure_line
from crawler.records.page_index import Place, index_line
from crawler.records.streams import streams_of
from crawler.request import Request
from crawler.spider import tally
from crawler.usercode import Raised, run_guarded


class Pipeline:
    """The last stage: passes items through the steps, and everything to where it comes to rest."""

    def __init__(
        self,
        *,
        steps: Sequence[Step],
        kinds: ItemKinds,
        spool: Spool,
        store: PageStore,
        timeout: float | None = None,
    ) -> None:
        self._steps = tuple(steps)
        self._timeout = timeout
        self._kinds = kinds
        self._streams = streams_of(kinds.types)
        self._spool = spool
        self._store = store

    @property
    def has_steps(self) -> bool:
        """True if items pass through steps."""
        return bool(self._steps)

    @property
    def lengths(self) -> Position:
        """How long files of pages are that have to be cut back: part of what makes them count."""
        return self._store.lengths

    async def run_steps(
        self,
        outcomes: Sequence[Outcome],
        *,
        note: Callable[[Request], Note],
    ) -> None:
        """Replace every outcome's items by what the steps make of them, in order.

        `note(request)` says what those of one request do in the hands of the steps.
        """
        if not self._steps:
            return
        for outcome in outcomes:
            with Mark(note(outcome.request)) as mark:
                kept = [await mark.watch(self._pass(item, outcome)) for item in outcome.items]
            outcome.items = [item for item in kept if item is not None]

    async def write(self, outcomes: Sequence[Outcome]) -> Position:
        """Store bodies, items and failures; return the position that makes them count.

        May be called again after a `TargetError`: nothing is written twice.
        """
        pages = [(o.page, o.withheld) for o in outcomes if o.page and o.delivered]
        beside = [o.page for o in outcomes if o.page and not (o.delivered or o.withheld)]
        kept = [page for page, withheld in pages if not withheld]
        places = iter(await self._store.save(kept, beside=beside))
        return await self._spool.append(
            {
                "items": [
                    self._streams.line(item) for outcome in outcomes for item in outcome.items
                ],
                "pages": [
                    index_line(page, Place() if withheld else next(places))
                    for page, withheld in pages
                ],
                "failures": [
                    failure_line(failure) for outcome in outcomes for failure in outcome.failures
                ],
            }
        )

    async def committed(self, position: Position, outcomes: Sequence[Outcome]) -> None:
        """Hear that `position` is committed, and with it what `outcomes` hold."""
        await self._store.committed()
        items = [line.item for outcome in outcomes for line in outcome.items]
        await self._spool.committed(position, items)

    async def _pass(self, line: ItemLine, outcome: Outcome) -> ItemLine | None:
        """Pass one item through the steps; None if it was dropped, or a step failed on it."""
        passed = line

        async def run() -> None:
            nonlocal passed
            item = line.item
            for step in self._steps:
                made = step(item)
                item = await made if inspect.isawaitable(made) else made
                if item is None:
                    raise CallbackError(
                        f"step {_name(step)} returned None; return the item, or raise Drop"
                    )
            passed = self._kinds.check(item)

        token = tally.set(outcome.counts)
        try:
            ended = await run_guarded(run, timeout=self._timeout)
        finally:
            tally.reset(token)
        if isinstance(ended, Retry):
            _fail(outcome, "step", "a step cannot ask for a page again; a callback can")
            return None
        if isinstance(ended, Stop):
            outcome.signal = ended
        if isinstance(ended, Signal):
            for name in (f"dropped.{ended.reason or 'item'}", f"dropped_items.{line.stream}"):
                outcome.counts[name] = outcome.counts.get(name, 0) + 1
            return None
        if isinstance(ended, Raised) and isinstance(ended.error, ItemError):
            _fail(outcome, "item", str(ended.error))
            return None
        if isinstance(ended, Raised):
            _fail(outcome, "step", ended.reason)
            return None
        return passed


def _fail(outcome: Outcome, kind: str, reason: str) -> None:
    outcome.failures = [*outcome.failures, Failure(outcome.request, kind, reason)]


def _name(step: Step) -> str:
    return getattr(step, "__qualname__", "") or type(step).__name__
