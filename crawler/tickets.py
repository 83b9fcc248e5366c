"""What waits for a host's turn besides its pages."""

import asyncio

from crawler.request import Request


class RobotsAsk:
    """A host's robots.txt on its way: by a worker, or by an errand that needs it sooner.

    `begun`: somebody makes the request; it is not to go out before `due`. `changed` is set once the
    host's notes are committed, or somebody else may make the request.
    """

    __slots__ = ("begun", "changed", "due", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.begun = False
        self.due = 0.0
        self.changed = asyncio.Event()

    def put_off(self, request: Request, due: float) -> None:
        """Hear that it is to be made again: an errand must not wait for a worker to do that."""
        self.request, self.begun, self.due = request, False, due
        self.changed.set()
        self.changed = asyncio.Event()


class ErrandTurn:
    """An errand that waits in its host's queue like a request, but ahead of it."""

    __slots__ = ("granted", "host", "id")

    def __init__(self, number: int, host: str) -> None:
        self.id = number
        self.host = host
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
