"""A frontier that no other process shares."""

from collections.abc import Mapping

from crawler.outcome import Batch, Part
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

    async def watch(self) -> None:
        """See `Frontier.watch`."""

    def note(self, request: Request) -> Note:  # noqa: ARG002
        """See `Frontier.note`: what dies here is gone."""
        return UNHEARD

    async def parts(self) -> Mapping[int, Part]:
        """See `Frontier.parts`."""
        return {}

    @property
    def may_post(self) -> bool:
        """See `Frontier.may_post`."""
        return False

    async def post(self, batch: Batch) -> bool:  # noqa: ARG002
        """See `Frontier.post`: a commit costs too little to be put off."""
        return False

    async def forsake(self) -> None:
        """See `Frontier.forsake`: nothing was posted."""

    async def others(self) -> int:
        """See `Frontier.others`."""
        return 0

    async def lend(self, wish: int) -> None:
        """See `Frontier.lend`: nobody wishes."""
