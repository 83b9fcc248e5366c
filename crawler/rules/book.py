"""What the hosts' robots.txt said."""

from collections import OrderedDict

from msgspec import structs

from crawler import urls
from crawler.errors import (
    AddressRefused,
    FetchError,
    RedirectError,
    RobotsDenied,
    RobotsUnreachable,
)
from crawler.outcome import LONGEST_NOTES, HostNotes
from crawler.response import Response
from crawler.rules.robots import Robots

_MOST_PARSED = 1_000
# "Disallowed for now" is not for ever (RFC 9309 2.3.1.4).
_UNREACHABLE_SECONDS = 600.0
# RFC 9309 2.5: at least 500 KiB are read; the rest is not kept.
MOST_BYTES = 500 * 1024


class RobotsBook:
    """The robots.txt of the hosts at hand, read for one user agent.

    Bytes are kept until `forget`; of parsed files only the thousand used last, since a file of 500
    KiB is many times as large when parsed.
    """

    def __init__(self, user_agent: str) -> None:
        self._agent = user_agent
        self._notes: dict[str, HostNotes] = {}
        self._parsed: OrderedDict[str, Robots] = OrderedDict()

    def learn(self, host: str, notes: HostNotes) -> None:
        """Keep what is known of `host`; replaces what was."""
        if self._notes.get(host) is not notes:
            self.forget(host)
            self._notes[host] = notes

    def forget(self, host: str) -> None:
        """Drop what is known of `host`; an unknown one is fine."""
        self._notes.pop(host, None)
        self._parsed.pop(host, None)

    def check(self, url: str) -> FetchError | None:
        """Return why `url` may not be asked for, or None: it may, or its host is unknown."""
        host = urls.host_of(url)
        notes = self._notes.get(host)
        if notes is None:
            return None
        if notes.unreachable is not None and notes.refused == host:
            return AddressRefused(notes.unreachable, url=url)
        if notes.unreachable is not None:
            return RobotsUnreachable(f"robots.txt unreachable: {notes.unreachable}", url=url)
        if notes.robots and not self._rules(host, notes).allows(self._agent, url):
            return RobotsDenied("robots.txt forbids it", url=url)
        return None

    def _rules(self, host: str, notes: HostNotes) -> Robots:
        rules = self._parsed.get(host)
        if rules is None:
            rules = self._parsed[host] = Robots.parse(notes.robots)
            if len(self._parsed) > _MOST_PARSED:
                self._parsed.popitem(last=False)
        self._parsed.move_to_end(host)
        return rules


def notes_of(response: Response | None, error: FetchError | None, agent: str) -> HostNotes:
    """Return what the answer to a robots.txt request says of its host (RFC 9309 2.3.1).

    2xx holds rules. Other answers below 500, and endless redirects, mean that there are none. 429,
    5xx and failures mean that nothing may be asked: `unreachable` says why in one line.
    """
    if response is None:
        if error is None or isinstance(error, RedirectError):
            return HostNotes()
        reason = " ".join(str(error).split()) or error.kind
        refused = urls.host_of(error.url) if isinstance(error, AddressRefused) else ""
        return HostNotes(unreachable=reason, refused=refused)
    if response.status == 429 or response.status >= 500:
        return HostNotes(unreachable=f"HTTP status {response.status}")
    if not 200 <= response.status < 300:
        return HostNotes()
    body = response.body[:MOST_BYTES]
    rules = Robots.parse(body)
    return HostNotes(
        robots=body, crawl_delay=rules.crawl_delay(agent), sitemaps=tuple(rules.sitemaps)
    )


def lasting(notes: HostNotes, now: float) -> HostNotes:
    """Return notes that were made now, with the time when the host is to be asked anew."""
    seconds = LONGEST_NOTES if notes.unreachable is None else _UNREACHABLE_SECONDS
    return structs.replace(notes, until=now + seconds)
