"""How each host is to be treated."""

import logging
import math
from collections import Counter, OrderedDict
from collections.abc import Callable

from msgspec import Struct

from crawler.errors import (
    BodyError,
    BodyTooLarge,
    FetchError,
    ProxyError,
    TlsError,
    UnwantedType,
)
from crawler.outcome import HostNotes
from crawler.protocols import Clock
from crawler.response import Response
from crawler.rules.pacing import Pace, crawl_delay_of, pace_at
from crawler.rules.parking import Parking, Refusals
from crawler.rules.throttle import Throttle
from crawler.settings import Settings

log = logging.getLogger(__name__)
notices = logging.getLogger("crawler.notice")
"""What a command shows even without -v."""
MOST_NOTICES = 20
"""Hosts of which it is shown that they are left alone."""

_NO_PACE = Pace(0.0, 1)
# Of hosts that are not at hand just now: 300 bytes each.
_MOST_REMEMBERED = 10_000
_SLOWS = frozenset({429, 503})
_ANSWERS = (UnwantedType, BodyTooLarge, BodyError)
"""Failures of a page that show its host to be well."""


class Change(Struct, frozen=True):
    """What an answer changes: the host's pace; until when it is left alone, and why; or for good.

    `why` without `rest` is why the host is given up.
    """

    pace: Pace
    rest: float = 0.0
    why: str = ""


class _Standing:
    """What is known of one host, and how it behaved lately."""

    __slots__ = ("crawl_delay", "level", "parking", "refusals", "slots", "throttle", "usual")

    def __init__(self) -> None:
        self.crawl_delay: float | None = None
        self.slots: int | None = None
        self.usual = _NO_PACE
        self.level = 0  # how often its delay was doubled, as far as that was said
        self.throttle: Throttle | None = None
        self.parking: Parking | None = None
        self.refusals: Refusals | None = None

    @property
    def pace(self) -> Pace:
        if self.throttle is None or self.throttle.is_at_ease:
            return self.usual
        return Pace(self.throttle.delay, self.usual.per_host)

    @property
    def is_as_usual(self) -> bool:
        return self.throttle is None and self.parking is None and self.refusals is None

    def recover(self) -> None:
        """Forget what was amiss: the host is well."""
        self.parking = self.refusals = None


class Manners:
    """The pace of the hosts at hand: by settings and notes, and by how they answer.

    What a host did is forgotten with the process, and with ten thousand others that came later; its
    due time, and the delay it has come to, are the frontier's. `slowed(host, delay)` is called when
    a delay has doubled, `parked(host, why)` when a rest begins.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        slowed: Callable[[str, float], None],
        parked: Callable[[str, str], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._slowed = slowed
        self._parked = parked
        self._noticed: set[str] = set()
        self._at_hand: dict[str, _Standing] = {}
        self._remembered: OrderedDict[str, _Standing] = OrderedDict()
        self._counts: Counter[str] = Counter()
        self._alone: dict[str, tuple[float, str]] = {}

    def take(
        self, host: str, notes: HostNotes | None, slots: int | None, delay: float = 0.0
    ) -> Pace:
        """Return the pace of a leased host, of which `slots` requests may be in flight here.

        `delay` is what it came to in another process, or an earlier life.
        """
        if not host:
            return _NO_PACE
        is_new = host not in self._at_hand
        standing = self._standing(host)
        standing.slots = slots
        pace = self._note(standing, notes)
        if is_new and delay > pace.delay and self._settings.throttle:
            standing.throttle = standing.throttle or self._throttle(standing)
            standing.throttle.go_on(delay)
        return standing.pace

    def delay(self, host: str) -> float | None:
        """Return the longer delay that a host has come to, 0 for none; None if not at hand."""
        if (standing := self._at_hand.get(host)) is None:
            return None
        throttle = standing.throttle
        return 0.0 if throttle is None or throttle.is_at_ease else throttle.delay

    def pace(self, host: str) -> Pace:
        """Return the pace of a host that is leased, or was just now."""
        return self._note(self._standing(host), None)

    def note(self, host: str, notes: HostNotes) -> Pace:
        """Return the pace of a host at hand whose notes are new."""
        return self._note(self._standing(host), notes)

    def leave(self, host: str) -> None:
        """Hear that nothing of a host is at hand any more."""
        standing = self._at_hand.pop(host, None)
        if standing is None or standing.is_as_usual:
            return
        self._remembered[host] = standing
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)

    def heard(
        self, host: str, answer: Response | FetchError, *, asked: float, again: bool = False
    ) -> Change | None:
        """Hear what came of a request that was begun at `asked`; return what that changes.

        `again`: it failed before, so that another failure says nothing new of its host.
        """
        standing = self._at_hand.get(host)
        if standing is None:
            return None
        if isinstance(answer, Response):
            status = answer.status
            if status < 500 and status != 429:
                return self._good(host, standing, answer.seconds, asked)
            if status in _SLOWS and (why := self._refused(host, standing, status, asked)):
                return Change(standing.pace, why=why)
            fails, why = status >= 500, f"HTTP {status}"
        else:
            fails, why = _is_the_hosts(answer), str(answer)
            if isinstance(answer, _ANSWERS):
                standing.recover()
        if fails and not again and self._settings.host_failures is not None:
            return self._failed(host, standing, self._settings.host_failures, why, asked)
        return Change(standing.pace)

    def counted(self) -> dict[str, int]:
        """Return how often hosts were `slowed` and `parked` since this was asked last."""
        counts, self._counts = self._counts, Counter()
        return counts

    def left_alone(self) -> dict[str, tuple[float, str]]:
        """Return the hosts whose rest began since this was asked last, its end, and why."""
        alone, self._alone = self._alone, {}
        return alone

    def _standing(self, host: str) -> _Standing:
        standing = self._at_hand.get(host)
        if standing is None:
            standing = self._remembered.pop(host, None) or _Standing()
            self._at_hand[host] = standing
        return standing

    def _note(self, standing: _Standing, notes: HostNotes | None) -> Pace:
        if notes is not None:
            standing.crawl_delay = crawl_delay_of(self._settings, notes)
        standing.usual = pace_at(self._settings, standing.crawl_delay, standing.slots)
        if standing.throttle is not None:
            standing.throttle.lie_between(standing.usual.delay, self._settings.max_delay)
        return standing.pace

    def _good(self, host: str, standing: _Standing, seconds: float, asked: float) -> Change | None:
        standing.recover()
        throttle = standing.throttle
        if throttle is None:
            if not standing.usual.delay or not self._settings.throttle:
                return None  # there is no delay that slow answers could make longer
            throttle = standing.throttle = self._throttle(standing)
        before = throttle.delay
        throttle.answer(seconds, asked=asked)
        if throttle.delay == before:
            return None
        if throttle.is_at_ease:
            standing.level = 0
            if not standing.usual.delay:
                standing.throttle = None
        self._say(host, standing, "it answers slowly")
        return Change(standing.pace)

    def _refused(self, host: str, standing: _Standing, status: int, asked: float) -> str:
        """Let a host be asked less often; return why it is given up, "" if it is not."""
        now, most = self._clock(), self._settings.host_failures
        if self._settings.throttle:
            if standing.throttle is None:
                standing.throttle = self._throttle(standing)
            standing.throttle.refuse(asked=asked, now=now)
            self._say(host, standing, f"HTTP {status}")
        if standing.refusals is None:
            standing.refusals = Refusals(now)
        refusals = standing.refusals
        refusals.refuse(asked=asked, now=now)
        if most is None or refusals.total < most:
            return ""
        is_at_cap = standing.throttle is not None and standing.throttle.is_at_cap
        if is_at_cap or now - refusals.since > self._settings.max_wait:
            return f"it says {status} to everything: {refusals.total} times in a row"
        return ""

    def _throttle(self, standing: _Standing) -> Throttle:
        return Throttle(standing.usual.delay, cap=self._settings.max_delay)

    def _say(self, host: str, standing: _Standing, why: str) -> None:
        """Say that a host is slowed, once each time that its delay has doubled."""
        delay = standing.pace.delay
        level = int(math.log2(max(1.0, delay / (standing.usual.delay or 0.25))))
        if level > standing.level:
            standing.level = level
            self._counts["slowed"] += 1
            self._slowed(host, delay)
            log.info("%s is asked every %.3g s: %s", host, delay, why)

    def _failed(
        self, host: str, standing: _Standing, most: int, why: str, asked: float
    ) -> Change | None:
        if standing.parking is None:
            standing.parking = Parking()
        now = self._clock()
        rest = standing.parking.fail(most=most, asked=asked, now=now)
        if rest is None:
            return Change(standing.pace)
        reason = f"{standing.parking.total} failures in a row, the last: {why}"
        if rest > self._settings.max_wait or rest == math.inf:
            return Change(standing.pace, why=reason)
        reason = f"left alone for {rest:g} s: {reason}"
        self._alone[host] = now + rest, reason
        self._say_parked(host, reason)
        return Change(standing.pace, rest=now + rest, why=reason)

    def _say_parked(self, host: str, reason: str) -> None:
        """Say that a host is left alone: the first time, and of the first hosts, to everybody."""
        self._counts["parked"] += 1
        self._parked(host, reason)
        is_news = host not in self._noticed and len(self._noticed) < MOST_NOTICES
        (notices if is_news else log).warning("%s is %s", host, reason)
        if is_news:
            self._noticed.add(host)


def _is_the_hosts(error: FetchError) -> bool:
    """True for a failure of the host or of the way to it."""
    return (error.transient and not isinstance(error, ProxyError)) or isinstance(error, TlsError)
