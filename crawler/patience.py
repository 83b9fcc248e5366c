"""May a failed request be made again, and its host be asked?"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import random

from crawler.errors import FetchError, HostGivenUp, StatusError
from crawler.protocols import Clock
from crawler.request import Request
from crawler.response import Response
from crawler.rules.pacing import retry_in
from crawler.settings import Settings
from crawler.turns import Turns

log = logging.getLogger(__name__)

_ASK_LATER = frozenset({429, 503})
"""Statuses by which a whole host, not one page, asks for peace."""


def is_transient(status: int) -> bool:
    """True if asking again may bring another answer."""
    return status in (408, 429) or status >= 500


class Patience:
    """When requests are tried again, how long their hosts rest, and which are given up."""

    def __init__(self, settings: Settings, *, clock: Clock, turns: Turns) -> None:
        self._settings = settings
        self._clock = clock
        self._turns = turns
        self._given_up: dict[str, str] = {}
        self._parked: dict[str, tuple[float, str]] = {}
        self._waiting: dict[str, set[asyncio.Timeout]] = {}

    @asynccontextmanager
    async def in_hope(self, request: Request) -> AsyncIterator[None]:
        """Wait for a request's host in the body. Raises `HostGivenUp` once it is left alone.

        Whoever waits holds a worker: were it for the whole rest, nobody might go on meanwhile.
        """
        self.check(request)
        host = request.host
        waiting = self._waiting.setdefault(host, set())
        try:
            async with asyncio.timeout(None) as until_alone:
                waiting.add(until_alone)
                yield
        except TimeoutError:
            if not until_alone.expired():
                raise
            raise HostGivenUp(self._why_alone(host), url=request.url) from None
        finally:
            waiting.discard(until_alone)
            if not waiting and self._waiting.get(host) is waiting:
                del self._waiting[host]

    def check(self, request: Request) -> None:
        """Raise `HostGivenUp` if a request's host is left alone."""
        if reason := self._why_alone(request.host):
            raise HostGivenUp(reason, url=request.url)

    def is_parked(self, host: str) -> bool:
        """True while a host that kept failing is left alone."""
        if host not in self._parked:
            return False
        if self._parked[host][0] <= self._clock():
            del self._parked[host]
            return False
        return True

    def refusal(self, request: Request) -> HostGivenUp | None:
        """Return why a request is not made any more, if its host is given up."""
        reason = self._given_up.get(request.host) if self._given_up else None
        return HostGivenUp(reason, url=request.url) if reason else None

    def give_up(self, host: str, reason: str) -> str:
        """Ask a host for nothing more; return the reason that counts, the first."""
        if host not in self._given_up:
            self._given_up[host] = reason
            log.warning("%s is given up: %s", host, reason)
        self._send_away(host)
        return self._given_up[host]

    def hear(self, request: Request, answer: Response | FetchError, *, asked: float) -> None:
        """Hear what came of a request that was begun at `asked`."""
        change = self._turns.heard(request, answer, asked)
        if change is None or not change.why:
            return
        if change.rest:
            self._parked[request.host] = (change.rest, change.why)
            self._send_away(request.host)
        else:
            self.give_up(request.host, change.why)

    def heed(self, request: Request, error: FetchError) -> str:
        """Leave a host in peace as its answer asks; return why it is given up, "" if it is not.

        Where stored pages answer there is nobody to be left in peace.
        """
        if self._settings.source:
            return ""
        if reason := self._given_up.get(request.host):
            return reason
        asked = error.retry_after
        if asked is None and getattr(error, "status", None) not in _ASK_LATER:
            return ""
        backoff = self._settings.backoff
        wait = retry_in(request.attempt, backoff=backoff, asked=asked, random=random)
        if wait <= self._settings.max_wait:
            self._turns.rest(request.host, self._clock() + wait)
            return ""
        return self.give_up(request.host, f"it asks for a rest of {wait:,.0f} s")

    def retry_wait(self, request: Request, error: FetchError) -> float | None:
        """Return the seconds until a failed request may be asked again, None to give up."""
        transient = (
            is_transient(error.status) if isinstance(error, StatusError) else error.transient
        )
        retries = self._settings.retries if request.retries is None else request.retries
        if not transient or request.attempt > retries:
            return None
        backoff = self._settings.backoff
        return retry_in(request.attempt, backoff=backoff, asked=error.retry_after, random=random)

    def _why_alone(self, host: str) -> str:
        """Return why nothing is asked of a host now, "" if it is."""
        return self._parked[host][1] if self.is_parked(host) else self._given_up.get(host, "")

    def _send_away(self, host: str) -> None:
        """Let nobody wait for a host any longer."""
        for waiting in self._waiting.pop(host, ()):
            waiting.reschedule(0.0)
