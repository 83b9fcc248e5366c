"""Finds the addresses of hosts that come to hand."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from crawler import urls
from crawler.outcome import HostLease
from crawler.protocols import Clock

LookUp = Callable[[str], Awaitable[str | None]]
"""The address of a host name, None if it has none."""

_SECONDS = 300.0
_MOST_KNOWN = 10_000
# Leased hosts whose addresses are looked up at once; of those at hand, requests that wait.
_MOST_PENDING = 32
_MOST_WAITING = 5_000


class Lookups:
    """Where hosts are, as far as that was asked in the last five minutes.

    A leased host waits here until its address is known; `admit(leases)` takes it from then on.
    """

    def __init__(
        self, look_up: LookUp, *, clock: Clock, admit: Callable[[Iterable[HostLease]], None]
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._admit = admit
        self._known: dict[str, tuple[str | None, float]] = {}
        self._unknown: asyncio.Queue[HostLease] = asyncio.Queue()
        self._pending = 0

    def has_room(self, waiting: int) -> bool:
        """True if more hosts may come to hand, where so many requests wait for their turn.

        Hosts of one address may be due, and wait all the same.
        """
        return self._pending < _MOST_PENDING and waiting < _MOST_WAITING

    def known(self, host: str) -> str | None:
        """Return the address of a host, as it was known last."""
        found = self._known.get(host)
        return found[0] if found is not None else None

    def sift(self, leases: Iterable[HostLease]) -> list[HostLease]:
        """Return leases of hosts whose addresses are known; the others come later."""
        known = []
        for lease in leases:
            if not lease.host or self._is_known(lease.host):
                known.append(lease)
            else:
                self._pending += 1
                self._unknown.put_nowait(lease)
        return known

    async def run(self) -> None:
        """Look addresses up for as long as the crawl runs."""
        async with asyncio.TaskGroup() as group:
            while True:
                lease = await self._unknown.get()
                group.create_task(self._take(lease))

    async def find(self, host: str) -> None:
        """Let the address of a host be known."""
        if self._is_known(host):
            return
        address = await self._look_up(urls.hostname_of(f"http://{host}/").strip("[]"))
        self._known.pop(host, None)
        self._known[host] = address, self._clock() + _SECONDS
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    async def _take(self, lease: HostLease) -> None:
        await self.find(lease.host)
        self._pending -= 1
        self._admit([lease])

    def _is_known(self, host: str) -> bool:
        found = self._known.get(host)
        return found is not None and found[1] > self._clock()
