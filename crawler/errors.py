"""Every exception, as one tree.

CrawlerError
├── UsageError                what the user gave cannot be used: exit status 2
│   ├── SettingError          an unknown, mistyped or impossible setting
│   ├── SpiderError           a spider, its file or its arguments
│   ├── OutputError           an output file or folder that cannot be used
│   ├── MissingExtra          a package that only an extra installs
│   ├── RunError              a run that cannot be gone on with as it is asked
│   └── InvalidUrl            text that is no URL (also a ValueError)
├── FetchError                a request that brought no usable response
│   ├── AddressRefused        a private address, or a scheme that is not http(s)
│   ├── DnsError              the host's name does not resolve
│   ├── ConnectError          no connection, or it broke
│   ├── TlsError              the certificate or the handshake
│   ├── ProxyError            the proxy refused or failed
│   ├── TimedOut              connecting, reading, or all of it took too long
│   ├── ProtocolError         what came back is not HTTP
│   ├── BodyError             the body's compression is broken or unknown
│   ├── BodyTooLarge          more decompressed bytes than `body_bytes`
│   ├── NotStored             not among the stored pages that are parsed again
│   ├── UnwantedType          a Content-Type outside `accept`
│   ├── MediaError            a file that cannot be kept as it is wanted
│   ├── StatusError           an HTTP status that is not delivered
│   ├── RedirectError         too many hops, or a hop to nowhere
│   ├── TooLongUrl            a redirect to a URL longer than `url_bytes`
│   ├── RobotsDenied          robots.txt forbids it
│   ├── RobotsUnreachable     robots.txt could not be asked
│   ├── Crashed               the process died in its callback, again and again
│   └── HostGivenUp           nothing is asked of the host: it fails, `max_wait`, `host_pages`
├── ContentError              a page is not what the callback expects
│   ├── MissingValue          a selector or attribute found nothing
│   ├── WrongValue            text that is not what its field is to be
│   ├── ItemError             an item of the wrong type, or with NaN
│   └── CallbackError         a callback yielded what cannot be used, or took too long
├── TargetError               a place data goes to is full or gone: exit status 3
│   └── TargetUnfit           one that cannot take what it is given: waiting does not help
├── LeasesLost                this process was taken for dead, and another has its work
└── Signal                    raised by callbacks and steps to say something
    ├── Retry                 ask for this page again
    ├── Drop                  leave this page or item out
    └── Stop                  end the crawl in good order
"""

from typing import ClassVar

from crawler.words import one_line, starred


class CrawlerError(Exception):
    """Root of everything this package raises on purpose."""


class UsageError(CrawlerError):
    """What the user gave cannot be used; the message says what was expected, got, and where."""


class SettingError(UsageError):
    """A setting that is unknown, mistyped or impossible; names the layer it came from."""


class SpiderError(UsageError):
    """A spider that cannot be found, imported, built or run as it is written."""


class OutputError(UsageError):
    """An output file or folder that exists, is not writable, or has no known format."""


class MissingExtra(UsageError):
    """A package that is not installed, as only the extra `name` brings it."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"{what} needs an extra: pip install 'crawlkeeper[{name}]'")


class RunError(UsageError):
    """A run that cannot be gone on with: it is broken, not there, finished, or somebody's now."""


class InvalidUrl(UsageError, ValueError):
    """Text that the WHATWG URL standard, or this crawler's schemes, do not admit."""

    def __init__(self, url: str, reason: str = "not a valid http(s) URL") -> None:
        self.url = starred(url)
        """The text, `***` for what may be user and password in it."""
        super().__init__(f"{reason}: {self.url!r}")


class FetchError(CrawlerError):
    """A request that brought no usable response.

    `kind` is the short name used in counters and `failures.jsonl`; `transient` says whether asking
    again may help; `retry_after` is the server's own wish in seconds, if it had one. `went_on`: a
    file came a good way further, so that this try is not counted. The reason may have a server's
    words in it: they are made one harmless line.
    """

    kind: ClassVar[str] = "fetch"
    transient: ClassVar[bool] = False

    def __init__(self, reason: str, *, url: str = "", retry_after: float | None = None) -> None:
        super().__init__(one_line(reason))
        self.url = url
        self.retry_after = retry_after
        self.went_on = False


class AddressRefused(FetchError):
    """The host's address is private, and neither a seed nor `allow_private` named it."""

    kind = "private_address"


class DnsError(FetchError):
    """The host's name does not resolve."""

    kind = "dns"
    transient = True


class ConnectError(FetchError):
    """No connection could be made, or it broke before the response was whole."""

    kind = "connect"
    transient = True


class TlsError(FetchError):
    """The certificate or the handshake was refused."""

    kind = "tls"


class ProxyError(FetchError):
    """The proxy refused or failed."""

    kind = "proxy"
    transient = True


class TimedOut(FetchError):
    """Connecting, reading, or the whole exchange took too long."""

    kind = "timeout"
    transient = True


class ProtocolError(FetchError):
    """What came back is not HTTP."""

    kind = "protocol"
    transient = True


class BodyError(FetchError):
    """The body's Content-Encoding is unknown or its data broken."""

    kind = "body"


class BodyTooLarge(FetchError):
    """The body has more decompressed bytes than `body_bytes`, a file's than `media_bytes`."""

    kind = "too_large"


class NotStored(FetchError):
    """Stored pages answer in place of the network, and this is none of them."""

    kind = "not_stored"


class UnwantedType(FetchError):
    """The response's Content-Type is outside `accept`; its body was not read.

    Or a file is none of the `types` that were asked for: a failure then.
    """

    kind = "unwanted_type"


class MediaError(FetchError):
    """A file that cannot be kept where it is wanted."""

    kind = "media"


class StatusError(FetchError):
    """An HTTP status that is not delivered to a callback."""

    kind = "status"

    def __init__(
        self, reason: str, *, status: int, url: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(reason, url=url, retry_after=retry_after)
        self.status = status


class RedirectError(FetchError):
    """Too many hops, or a hop without a usable Location."""

    kind = "redirect"


class TooLongUrl(FetchError):
    """A redirect to a URL longer than `url_bytes`."""

    kind = "too_long"


class RobotsDenied(FetchError):
    """robots.txt forbids this URL to our user agent."""

    kind = "robots_denied"


class RobotsUnreachable(FetchError):
    """robots.txt could not be asked, which RFC 9309 2.3.1.4 counts as a complete disallow."""

    kind = "robots_unreachable"


class Crashed(FetchError):
    """The process died in this request's callback, again and again."""

    kind = "crash"


class HostGivenUp(FetchError):
    """Nothing is asked of the host: it fails, refuses, wants to rest, or gave all its pages.

    To `page.fetch` also while the host is left alone, and may be asked again later.
    """

    kind = "host_given_up"


class ContentError(CrawlerError):
    """A page is not what the callback expects."""


class MissingValue(ContentError):
    """A selector or an attribute found nothing and no default was given."""


class WrongValue(ContentError):
    """Text of a page that cannot be read as the type of its field; names field and selector."""


class ItemError(ContentError):
    """An item of the wrong type, or with a number JSON does not have."""


class CallbackError(ContentError):
    """A callback yielded what cannot be used, or took longer than `callback_timeout`."""


class TargetError(CrawlerError):
    """A place data goes to is full or gone; names the path."""


class TargetUnfit(TargetError):
    """A place that cannot take what it is given, now or later."""


class LeasesLost(CrawlerError):
    """A process that did not stir for so long that others of its run took over what it had."""


class Signal(CrawlerError):
    """Raised by callbacks and steps to say something; never an error of theirs.

    The reason may come from a page: it is made one harmless line.
    """

    def __init__(self, reason: str = "") -> None:
        self.reason = one_line(reason)
        super().__init__(self.reason)


class Retry(Signal):
    """Ask for this page again, after `after` seconds (None: the usual backoff)."""

    def __init__(self, reason: str = "", *, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Drop(Signal):
    """Leave this page (in a callback) or this item (in a step) out."""


class Stop(Signal):
    """End the crawl in good order: this page counts, pages in hand are finished."""
