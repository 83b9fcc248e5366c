"""A spider's own state, kept."""

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from crawler.errors import RunError, SpiderError, UsageError
from crawler.plain import encode, read_as
from crawler.spider import Spider

_KEPT = "state"


class State:
    """`spider.state` as JSON, a snapshot with each transaction: a `Memory`.

    It may hold what callbacks did that are still running, and will run again after a crash.
    """

    def __init__(self, spider: Spider[Any]) -> None:
        self._spider = spider
        self._last = self._encoded()

    def changes(self) -> Mapping[str, bytes]:
        """Return the state if it changed. Raises `SpiderError` if JSON cannot hold it."""
        now = self._encoded()
        if now == self._last:
            return {}
        self._last = now
        return {_KEPT: now}

    def learn(self, name: str, value: bytes) -> None:
        """Give the spider the state an earlier life had. Raises `RunError` if it does not fit."""
        if name != _KEPT:
            return
        kind = get_type_hints(type(self._spider)).get("state", Any)
        try:
            self._spider.state = msgspec.json.decode(value, type=kind, dec_hook=read_as)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise RunError(
                f"spider {self._spider.name}: the run's self.state does not fit {kind}: {error}"
            ) from None
        self._last = self._encoded()

    def _encoded(self) -> bytes:
        try:
            return encode(self._spider.state)
        except (TypeError, ValueError, AttributeError, RecursionError) as error:
            raise SpiderError(
                f"spider {self._spider.name}: self.state cannot be kept as JSON: {error}"
            ) from None


def check_stateless(spider: Spider[Any]) -> None:
    """Raise `UsageError` if a spider that is to be crawled by several processes has a state."""
    kinds = [c for c in type(spider).__mro__ if c is not Spider and issubclass(c, Spider)]
    if any("state" in inspect.get_annotations(kind) for kind in kinds):
        raise UsageError(
            f"spider {spider.name}: self.state belongs to one process; "
            "use self.count, or crawl with one process"
        )
