"""May a failed request be made again, and its host be asked?"""

from random import random

from crawler.errors import FetchError, HostGivenUp, StatusError
from crawler.protocols import Clock
from crawler.request import Request
from crawler.response import Response
from crawler.rules.pacing import retry_in
from crawler.settings import Settings
from crawler.turns import Turns

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

    def refusal(self, request: Request) -> HostGivenUp | None:
        """Return why a request is not made any more, if its host is given up."""
        reason = self._given_up.get(request.host) if self._given_up else None
        return HostGivenUp(reason, url=request.url) if reason else None

    def give_up(self, host: str, reason: str) -> str:
        """Ask a host for nothing more; return the reason that counts, the first."""
        return self._given_up.setdefault(host, reason)

    def hear(self, request: Request, answer: Response | FetchError, *, asked: float) -> None:
        """Hear what came of a request that was begun at `asked`."""
        if reason := self._turns.heard(request, answer, asked):
            self.give_up(request.host, reason)

    def heed(self, request: Request, error: FetchError) -> str:
        """Leave a host in peace as its answer asks; return why it is given up, "" if it is not."""
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
