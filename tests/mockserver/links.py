"""Pages of hrefs that nobody should follow, and some odd ones that lead somewhere."""

from html import escape

from tests.mockserver.files import DOTTED
from tests.mockserver.files import theme as files
from tests.mockserver.table import DELIVERED, Theme
from tests.mockserver.wire import Wire

theme = Theme("links")
SECRET = "hunter2"

# None of these is a URL that may be asked for.
NOWHERE = [
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "mailto:a@b.example",
    "tel:+123",
    "sms:1",
    "javascript:void(0)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<p>x",
    "vbscript:x",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:22/_x",
    "dict://127.0.0.1:11211/stats",
    "ws://127.0.0.1/",
    "about:blank",
    "blob:http://127.0.0.1/x",
    "http://",
    "http:///",
    "http://[",
    "http://[::1",
    "http://[fe80::1%25lo]/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:-1/",
    "http://127.0.0.1:port/",
    "http://1.2.3.4.5.6/",
    "http://256.256.256.256/",
    "http://0x1ffffffff/",
    "http://exa mple/",
    "http://%00/",
    "http://a<b/",
    f"http://{'a' * 300}/",
    "//",
    "///",
    "http:\\\\",
    "http://user@/",
    "\x00",
    "http://xn--a/",
    "http://\u00ad/",
]


@theme("nowhere", DELIVERED)
async def nowhere(wire: Wire) -> None:
    await wire.page(_anchors(NOWHERE))


@theme("href-of-2-mb", DELIVERED)
async def long_href(wire: Wire) -> None:
    await wire.page(_anchors(["/" + "y" * 1_900_000]))


@theme("dots-to-a-file", DELIVERED)
async def dots(wire: Wire) -> None:
    """All of them are /etc/passwd, of this server."""
    await wire.page(_anchors([f"http://{files.host}:{wire.port}{path}" for path in DOTTED]))


@theme("other-sites", DELIVERED)
async def other_sites(wire: Wire) -> None:
    """Out of scope, however it is spelled."""
    await wire.page(_anchors(["//evil.example", "http:\\\\evil.example", "http:/\\evil.example/x"]))


@theme("odd-spellings", DELIVERED)
async def odd_spellings(wire: Wire) -> None:
    """Browsers read all of these as one and the same page."""
    here = f"{theme.host}:{wire.port}"
    spellings = [
        "/spelled",
        " /spelled ",
        "\n/spe\tlled",
        "\\spelled",
        f"http:{'//'}{here}/spelled",
        f"HTTP://{here}/spelled#part",
        f"http:\\\\{here}\\spelled",
        f"//{here}/./x/../spelled",
    ]
    await wire.page(_anchors(spellings))


@theme("spelled", DELIVERED)
async def spelled(wire: Wire) -> None:
    await wire.page()


@theme("with-credentials", DELIVERED)
async def credentials(wire: Wire) -> None:
    await wire.page(_anchors([f"http://me:{SECRET}@{theme.host}:{wire.port}/guarded"]))


@theme("guarded")
async def guarded(wire: Wire) -> None:
    await wire.page()


@theme("inner-addresses", DELIVERED)
async def inner(wire: Wire) -> None:
    """Links to where only we could go."""
    await wire.page(_anchors([f"http://{host}:{wire.port}/" for host in INNER]))


INNER = ["[::1]", "[::ffff:127.0.0.249]", "0x7f0000f9", "0177.0.0.0371", "2130706681", "127.249"]


def _anchors(hrefs: list[str]) -> str:
    return "".join(f'<a href="{escape(href)}">x</a>\n' for href in hrefs)
