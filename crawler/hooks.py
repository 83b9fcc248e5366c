"""Calls a spider's opened() and closed()."""

import inspect
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from crawler.errors import Signal, Stop
from crawler.outcome import Report
from crawler.spider import Spider
from crawler.usercode import Raised, run_guarded


class Refusal(Struct, frozen=True):
    """Why nothing is crawled: the spider's own wish, or what broke."""

    reason: str
    broken: bool = False


async def call_opened(spider: Spider[Any]) -> Refusal | None:
    """Run `opened()`; without what it opens there is nothing to crawl."""
    ended = await _call(spider, "opened", spider.opened)
    if ended is None:
        return None
    if isinstance(ended, Stop):
        return Refusal(ended.reason or "stopped by the spider")
    reason = ended.reason or type(ended).__name__
    return Refusal(f"opened() failed: {reason}", broken=True)


async def call_closed(spider: Spider[Any], report: Report) -> str | None:
    """Run `closed(report)`; return why it failed, None if it did not."""
    ended = await _call(spider, "closed", lambda: spider.closed(report))
    return None if ended is None else f"closed() failed: {ended.reason or type(ended).__name__}"


async def _call(spider: Spider[Any], name: str, hook: Callable[[], Any]) -> Signal | Raised | None:
    async def call() -> None:
        made = hook()
        if inspect.isawaitable(made):
            await made

    ended = await run_guarded(call)
    if isinstance(ended, Raised):
        spider.log.error("%s() failed: %s\n%s", name, ended.reason, ended.text)
    return ended
