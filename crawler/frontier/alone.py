"""A frontier that no other process shares."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from crawler.outcome import Part
from crawler.request import Request


class Alone:
    """What `Frontier` asks about other processes, and about this one's death: there is nothing."""

    async def watch(self) -> None:
        """See `Frontier.watch`."""

    def running(self, request: Request) -> AbstractContextManager[None]:  # noqa: ARG002
        """See `Frontier.running`: what dies here is gone."""
        return nullcontext()

    async def parts(self) -> Mapping[int, Part]:
        """See `Frontier.parts`."""
        return {}

    async def others(self) -> int:
        """See `Frontier.others`."""
        return 0

    async def lend(self, wish: int) -> None:
        """See `Frontier.lend`: nobody wishes."""
