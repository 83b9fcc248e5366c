"""Redirects to nowhere, for ever, and to where nobody may go."""

from tests.mockserver.table import DELIVERED, Expected, Theme, failed, skipped
from tests.mockserver.wire import END, Wire

theme = Theme("redirects")
other = Theme("another origin")
# As a browser: without a URL that can be fetched there is nothing to follow, and 302 is no page.
NOWHERE = failed("status") | failed("redirect")
ENDLESS = failed("redirect")
MOVED = skipped("redirected")


def _leads(path: str, to: str, expected: Expected, *, status: str = "302 x") -> None:
    async def answer(wire: Wire) -> None:
        await wire.redirect(to.replace("PORT", str(wire.port)), status)

    theme.add(path, expected, answer)


async def _page(wire: Wire) -> None:
    await wire.page()


theme.add("target/", None, _page)
other.add("target/", None, _page)

_leads("loop", "/loop", ENDLESS)
_leads("loop-of-two", "/loop-of-two/b", ENDLESS)
_leads("loop-of-two/b", "/loop-of-two", ENDLESS)
_leads("relative", "target/relative", DELIVERED)
_leads("without-scheme", f"//{theme.host}:PORT/target/2", DELIVERED)
_leads("dots", "/a/../target/./dots", DELIVERED)
_leads("query-alone", "?target", ENDLESS)
_leads("fragment", "/target/3#part", DELIVERED)
_leads("blanks-around", " \t/target/4\t ", DELIVERED)
_leads("backslashes", "\\target\\5", DELIVERED)
_leads("301", "/target/6", DELIVERED, status="301 Moved")
_leads("303", "/target/7", DELIVERED, status="303 Other")
_leads("307", "/target/8", DELIVERED, status="307 Temporary")
_leads("308", "/target/9", DELIVERED, status="308 Permanent")
_leads("300-with-location", "/target/10", failed("status"), status="300 Choices")
_leads("305-proxy", f"http://{other.host}:PORT/", failed("status"), status="305 Use Proxy")
_leads("header-injection", "/target/11%0d%0aSet-Cookie:%20injected=1", DELIVERED)
_leads("non-latin", "/target/12-\xe9\xff", DELIVERED)
_leads("utf-8", "/target/13-\xc3\xa9", DELIVERED)
_leads("100-kb", "/target/" + "y" * 60_000, DELIVERED | skipped("too_long"))
_leads("credentials", f"http://me:hunter2@{theme.host}:PORT/target/14", DELIVERED)
_leads("to-a-file", "file:///etc/passwd", NOWHERE)
_leads("to-a-script", "javascript:alert(1)", NOWHERE)
_leads("to-data", "data:text/html,<p>data", NOWHERE)
_leads("to-ftp", "ftp://127.0.0.1/x", NOWHERE)
_leads("to-gopher", "gopher://127.0.0.1:PORT/_x", NOWHERE)
_leads("to-mail", "mailto:a@b.example", NOWHERE)
_leads("to-a-view", "view-source:http://127.0.0.1/", NOWHERE)
_leads("to-blob", "blob:http://127.0.0.1/x", NOWHERE)
_leads("to-port-0", f"http://{theme.host}:0/", MOVED)
_leads("to-port-99999", f"http://{theme.host}:99999/", NOWHERE)
_leads("to-no-host", "http:///", NOWHERE | MOVED)
_leads("to-half-a-url", "http://[", NOWHERE)
_leads("empty-location", "", NOWHERE)
_leads("to-another-origin", f"http://{other.host}:PORT/target/1", MOVED)
INNER = (
    *("169.254.169.254", "[::1]", "[::ffff:127.0.0.250]", "[64:ff9b::7f00:1]", "127.0.0.250"),
    *("0.0.0.0", "localhost", "10.0.0.1", "127.0.0.249"),
)
"""Where all of these lead, as a URL has it: in scope, so that the guard alone is in the way."""
# Each ends as another request, which the guard at the socket refuses.
_leads("to-metadata", "http://169.254.169.254/latest/meta-data/", MOVED)
_leads("to-ipv6-loopback", "http://[::1]:PORT/", MOVED)
_leads("to-mapped-loopback", "http://[::ffff:127.0.0.250]:PORT/", MOVED)
_leads("to-nat64", "http://[64:ff9b::7f00:1]:PORT/", MOVED)
_leads("to-hex", "http://0x7f0000fa:PORT/", MOVED)
_leads("to-octal", "http://0177.0.0.0372:PORT/", MOVED)
_leads("to-decimal", "http://2130706682:PORT/", MOVED)
_leads("to-short", "http://127.250:PORT/", MOVED)
_leads("to-zero", "http://0.0.0.0:PORT/", MOVED)
_leads("to-localhost-22", "http://localhost:22/", MOVED)
_leads("to-private-10", "http://10.0.0.1/", MOVED)
_leads("to-link-local", "http://[fe80::1%25lo]/", MOVED | NOWHERE)


@theme("without-location", failed("status"))
async def without_location(wire: Wire) -> None:
    await wire.answer(b"moved", status="302 Found")


@theme("300-without-location", failed("status"))
async def choices(wire: Wire) -> None:
    await wire.answer(b'<a href="/target/15">choose</a>', status="300 Multiple Choices")


@theme("two-locations", DELIVERED | NOWHERE)
async def two_locations(wire: Wire) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /target/16\r\nLocation: /target/17\r\n"
    await wire.send(head + b"Content-Length: 0\r\n" + END)


@theme("binary-location", DELIVERED | NOWHERE)
async def binary_location(wire: Wire) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /target/\x01\x7f\xff\xfe\x80\r\nContent-Length: 0\r\n"
    await wire.send(head + END)


@theme("location-with-200", DELIVERED)
async def location_with_200(wire: Wire) -> None:
    """A Location counts with a redirect's status only."""
    await wire.answer(b"a page", headers=[("Location", "file:///etc/passwd")])


@theme("hops/", ENDLESS)
async def hops(wire: Wire) -> None:
    """A hundred hops, each to another URL."""
    number = int(wire.path.rpartition("/")[2] or 0)
    await (wire.page() if number == 100 else wire.redirect(f"/hops/{number + 1}"))


@theme("growing-query", ENDLESS)
async def growing(wire: Wire) -> None:
    await wire.redirect(f"{wire.hit.target}{'&' if wire.query else '?'}more={len(wire.query)}")


@theme("cookie-and-back", ENDLESS)
async def cookie_and_back(wire: Wire) -> None:
    """Sets another cookie each time and leads to itself."""
    headers = [("Location", wire.path), ("Set-Cookie", f"n={wire.hits}; Path=/cookie-and-back")]
    await wire.answer(status="302 Found", headers=headers)


@theme("refresh-to-itself", DELIVERED | ENDLESS)
async def refresh(wire: Wire) -> None:
    await wire.page(f'<meta http-equiv="refresh" content="0; url={wire.path}">')


@theme("refresh-for-ever", MOVED)
async def refresh_for_ever(wire: Wire) -> None:
    """Each refresh is a request of its own; the eleventh is one too many."""
    target = f"{wire.path}?n={wire.hits}"
    await wire.page(f'<meta http-equiv="refresh" content="0; url={target}">')


@theme("refresh-to-a-script", DELIVERED)
async def refresh_script(wire: Wire) -> None:
    await wire.page('<meta http-equiv="refresh" content="0; url=javascript:alert(1)">')


@theme("refresh-to-a-file", DELIVERED)
async def refresh_file(wire: Wire) -> None:
    await wire.answer(b"a page", headers=[("Refresh", "0; url=file:///etc/passwd")])
