"""Cookies by the thousand, of the megabyte, for others."""

from tests.mockserver.table import DELIVERED, Expected, Theme, failed
from tests.mockserver.wire import HTML, OK, Wire, body_of

theme = Theme("cookies")
# What a header that is sent back may hold of all this: names that begin so may never be sent.
FORBIDDEN = ("never", "__Host-never", "__Secure-never", "trailed", "injected")


def _sets(path: str, cookies: list[bytes], expected: Expected = DELIVERED) -> None:
    async def answer(wire: Wire) -> None:
        body = body_of(path)
        lines = b"".join(b"Set-Cookie: " + cookie + b"\r\n" for cookie in cookies)
        await wire.send(OK + HTML + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        wire.keep = True

    theme.add(path, expected, answer)


_sets("5,000-cookies", [b"c%d=v" % n for n in range(5_000)], failed("protocol"))
_sets("200-cookies", [b"c%d=v; Path=/crumbs" % n for n in range(200)])
_sets("cookie-of-1-mb", [b"never=" + b"y" * 1_000_000], failed("protocol"))
_sets("cookie-of-60-kb", [b"never=" + b"y" * 60_000])
_sets("40-cookies-of-4-kb", [b"big%d=" % n + b"y" * 4_000 for n in range(40)])
_sets("for-a-public-suffix", [b"never=1; Domain=com", b"never=2; Domain=co.uk"])
_sets("for-another-domain", [b"never=1; Domain=example.com", b"never=2; Domain=127.0.0.1"])
_sets("for-part-of-an-address", [b"never=1; Domain=0.0.1", b"never=2; Domain=.1"])
_sets("with-control-bytes", [b"never=a\x01b", b"never\x7f=1", b"never=a\x1b[31mb"])
_sets("host-prefix", [b"__Host-never=1", b"__Host-never=1; Secure; Path=/x", b"__HOST-never=1"])
_sets("secure-prefix", [b"__Secure-never=1", b"=__Secure-never=1"])
_sets("expired", [b"never=1; Max-Age=0", b"never=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
_sets("of-odd-bytes", [b"odd=\xff\xfe; Path=/crumbs", b"caf\xc3\xa9=1; Path=/crumbs"])
_sets("without-name", [b"=", b"", b";", b"; Path=/"])
_sets("attributes-by-the-thousand", [b"fine=1; Path=/crumbs" + b"; x=y" * 9_000])
_sets("dates-of-all-sorts", [b"d=1; Path=/crumbs; Expires=" + b"9" * 9_000])


@theme("many-more/", DELIVERED)
async def many_more(wire: Wire) -> None:
    """A page of links, each of which sets 150 cookies more."""
    links = "".join(f'<a href="/crumbs/{number}">x</a>' for number in range(10))
    await wire.page(links if wire.path.endswith("/") else "")


@theme("crumbs/")
async def crumbs(wire: Wire) -> None:
    number = wire.path.rpartition("/")[2]
    headers = [("Set-Cookie", f"n{number}-{n}={'y' * 100}; Path=/") for n in range(150)]
    await wire.answer(body_of(wire.path), headers=headers)
