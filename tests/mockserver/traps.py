"""Endless sites: each would eat a crawl that follows every link."""

from tests.mockserver.table import DELIVERED, Theme
from tests.mockserver.wire import Wire

MOST = 300
"""As many requests a trap may take of a crawl with `shape_pages=100`: two shapes, and a few."""


def _trap(name: str) -> Theme:
    return Theme(f"trap {name}")


calendar = _trap("calendar")
repetition = _trap("repetition")
session = _trap("session")
tree = _trap("tree")
soft = _trap("soft-404")
TRAPS = (calendar, repetition, session, tree, soft)


@calendar("calendar/", DELIVERED)
async def months(wire: Wire) -> None:
    number = int(wire.path.rpartition("/")[2] or 0)
    year, month = 2020 + number // 12, number % 12 + 1
    links = [f"/calendar/{number + 1}", f"/calendar/?year={year}&month={month}"]
    await wire.page(_anchors(links))


@repetition("a/", DELIVERED)
async def repeated(wire: Wire) -> None:
    await wire.page(_anchors([f"{wire.path}b/", f"{wire.path}a/"]))


@session("shop/", DELIVERED)
async def shop(wire: Wire) -> None:
    sessions = [f"/shop/item?sid={wire.hits:032x}{n}" for n in range(3)]
    await wire.page(_anchors(sessions))


@tree("tree/", DELIVERED)
async def branches(wire: Wire) -> None:
    seed = abs(hash(wire.path)) % 10**9
    await wire.page(_anchors([f"/tree/{seed + n}/{n}" for n in range(5)]))


@soft("soft/", DELIVERED)
async def soft_404(wire: Wire) -> None:
    await wire.page(f"<h1>Sorry</h1>{_anchors([f'/soft/{wire.hits * 3 + n}' for n in range(3)])}")


def _anchors(hrefs: list[str]) -> str:
    return "".join(f'<a href="{href}">x</a>\n' for href in hrefs)
