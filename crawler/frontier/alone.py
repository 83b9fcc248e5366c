"""A frontier that no other process shares."""

from collections.abc import Mapping

from crawler.outcome import Part, Restart
from crawler.protocols import Note
from crawler.request import Request


class Unheard:
    """A `Note` that nobody will read."""

    def work(self) -> None:
        """Say nothing."""

    wait = clear = work


UNHEARD = Unheard()


class Alone:
    """What `Frontier` asks about other processes, and about this one's death: there is nothing."""

    async def open(self) -> Restart:
        """Open empty: memory has no earlier life."""
        return Restart()

    async def watch(self) -> None:
        """See `Frontier.watch`."""

    def note(self, request: Request) -> Note:  # noqa: ARG002
        """See `Frontier.note`: what dies here is gone."""
        return UNHEARD

    async def parts(self) -> Mapping[int, Part]:
        """See `Frontier.parts`."""
        return {}

    async def others(self) -> int:
        """See `Frontier.others`."""
        return 0

    async def lend(self, wish: int) -> None:
        """See `Frontier.lend`: nobody wishes."""

    async def refuse(self, wish: int) -> None:
        """See `Frontier.refuse`."""

    async def aclose(self) -> None:
        """Close; nobody could read what is put back."""
