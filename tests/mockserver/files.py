"""Paths that would be files elsewhere, or nowhere."""

from tests.mockserver.table import DELIVERED, Theme, skipped
from tests.mockserver.wire import Wire

theme = Theme("files")

# As they stand in an href; what a URL's parser makes of them is what is asked for.
NAMES = [
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "..%5c..%5cwindows%5cwin.ini",
    "%252e%252e%252fetc",
    "%00",
    "a%00b.html",
    "CON.html",
    "con",
    "nul.txt",
    "COM1",
    "trailing-dot.",
    "trailing-blank%20",
    "stream.html::$DATA",
    "Case",
    "case",
    "CASE",
    "file",
    "file/below",
    "file/below/that",
    "-rf",
    "~root",
    "%1b%5d0;owned%07",
    "%e2%80%ae.html",
    "%ff%fe%80",
    "%ed%a0%80",
    "=cmd%7c'!A1",
    "@sum(1)",
    "%0d%0aforged:line",
    "a%0ab",
    ".hidden",
    ".git/config",
    "x" * 1_900,
    "%e9" * 600,
    "pages.jsonl",
    "stats.json",
    "*?x=%3Cscript%3E",
    "%E2%80%A8line",
]


async def _page(wire: Wire) -> None:
    await wire.page()


for name in NAMES:
    theme.add(name.partition("?")[0], DELIVERED, _page)
# Dot segments are resolved before anybody asks.
theme.add("etc/passwd", DELIVERED, _page)
DOTTED = ["/../../../../etc/passwd", "/a/../etc/passwd", "/%2e%2e/%2E%2E/etc/passwd"]
theme.add("y" * 5_000, skipped("too_long"), _page)
theme.add("deep/" * 200, skipped("left_out.trap"), _page)
