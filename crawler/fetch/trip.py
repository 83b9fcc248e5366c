"""One request on its way."""

import math
from collections.abc import Callable, Container
from contextvars import ContextVar
from errno import EACCES

from crawler import urls
from crawler.errors import (
    AddressRefused,
    ConnectError,
    DnsError,
    FetchError,
    ProtocolError,
    ProxyError,
)
from crawler.exchange import Exchange
from crawler.fetch.deadlines import Deadline
from crawler.fetch.failures import mapped
from crawler.fetch.room import Hold
from crawler.fetch.tape import Tape
from crawler.request import Request
from crawler.rules.guard import Guard


class Trip:
    """A request's clock, room and way out; in its context as `trip`, for what is below to find."""

    __slots__ = (
        "_connects",
        "_guard",
        "_limit",
        "_proxied",
        "_request",
        "_sent",
        "_started",
        "_went_out",
        "hold",
        "refusal",
        "reused",
        "tape",
        "url",
    )

    def __init__(
        self,
        request: Request,
        *,
        hold: Hold,
        limit: Deadline,
        sent: Callable[[Request], None],
        guard: Guard,
    ) -> None:
        self.hold = hold
        self.reused = False
        """True if the connection was kept from an earlier request."""
        self.refusal: AddressRefused | None = None
        """There if no address could be connected to, because they are refused."""
        self.tape: Tape | None = None
        """There once the request goes out, if what goes over the wire is to be kept."""
        self.url = urls.to_yarl(urls.without_credentials(request.url))
        self._guard = guard
        self._proxied = False
        self._connects = False
        self._went_out = False
        self._request = request
        self._limit = limit
        self._sent = sent
        self._started = limit.began

    def leave_to_proxy(self) -> None:
        """Connect to a proxy, whose address is the user's choice. Raises `AddressRefused`."""
        self._proxied = True
        if reason := self._guard.refusal_unresolved(*self._place()):
            raise AddressRefused(reason, url=self._request.url)

    def connecting(self, address: str, port: int) -> None:
        """Refuse an address that the guard does. Raises `OSError`, for another may do."""
        if self._proxied:
            return
        host, _ = self._place()
        if reason := self._guard.refusal(host, port, address):
            if not self._connects:
                self.refusal = AddressRefused(reason, url=self._request.url)
            raise PermissionError(EACCES, reason)
        self._connects, self.refusal = True, None

    def _place(self) -> tuple[str, int]:
        return self.url.raw_host or "", self.url.port or 0

    def exchange(self, body: bytes, *, status: int, secret: Container[str]) -> Exchange:
        """Return what went over the wire, of which there is a tape; `body` is what is delivered."""
        assert self.tape is not None, "asked for where there is one"
        if self._proxied:
            self.tape.address = None
        return self.tape.exchange(
            self._request.url, body, seconds=self.seconds(), status=status, secret=secret
        )

    def headers_sent(self) -> None:
        """Hear that the request goes out."""
        self._went_out = True
        self._sent(self._request)

    def judged(self, error: Exception) -> FetchError:
        """Return our error for a foreign one that ends the request."""
        if self.refusal is not None:
            return self.refusal
        ours = mapped(error, url=self._request.url)
        # Nobody else was heard yet, and what is behind a proxy is not ours to tell from it.
        asked_proxy = self._proxied and not self._went_out
        if asked_proxy and isinstance(ours, (ConnectError, DnsError, ProtocolError)):
            return ProxyError(f"the proxy: {ours}", url=ours.url)
        return ours

    def seconds(self) -> float:
        """Return how long the server took; waiting for room is not counted."""
        return self._limit.time() - self._started

    async def make_room(self, size: int) -> bool:
        """Take room for `size` bytes; while that has to be waited for, the clocks stand still.

        Returns whether it had to be.
        """
        if self.hold.try_grow(size):
            return False
        paused, end = self._limit.time(), self._limit.when
        self._limit.move(math.inf)
        await self.hold.grow(size)
        waited = self._limit.time() - paused
        self._started += waited
        self._limit.move(end + waited)
        return True

    async def keep_coded(self, chunk: bytes) -> bool:
        """Keep a piece of a body as it came, on the tape there is; returns as `make_room`."""
        assert self.tape is not None, "asked for where there is one"
        waited = await self.make_room(len(chunk))
        if self.tape.coded is None:
            self.tape.coded = bytearray()
        self.tape.coded += chunk
        return waited


trip: ContextVar[Trip] = ContextVar("trip")
