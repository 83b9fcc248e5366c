"""Who is compared: how each crawler is started, and what it leaves."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
_SCRIPTS = HERE / "crawlers"
_ITEMS = "items.jsonl"
_MIRROR = "mirror"
# wget2 would also ask for style sheets, scripts and images, which no other crawler asks for.
_WGET2 = "wget2 --recursive --level=inf --ignore-tags=link,img,script --quiet -P mirror"
_NOT_FOUND = 8  # what wget2 ends with when a link was broken


class Crawler(msgspec.Struct, frozen=True):
    """A way to crawl: `command` has `{urls}`, or the start URLs after it.

    `leaves`: items as JSON lines, those and the pages, or only a mirror of the pages.
    """

    name: str
    command: tuple[str, ...]
    leaves: Literal["items", "items and pages", "mirror"] = "items"
    statuses: tuple[int, ...] = (0,)

    def started(self, folder: Path, urls: Sequence[str]) -> list[str]:
        """Return the command that crawls these sites into a folder."""
        if "{urls}" in self.command[-1]:
            return [*self.command[:-1], self.command[-1].format(urls=",".join(urls))]
        return [*self.command, *urls]

    def items(self, folder: Path) -> Path:
        return folder / _ITEMS

    def mirror(self, folder: Path) -> Path:
        return folder / _MIRROR


def _script(name: str, *options: str, python: str = sys.executable) -> tuple[str, ...]:
    return (python, str(_SCRIPTS / f"{name}.py"), *options, _ITEMS)


def _peer(name: str, *options: str, to_name: str = "") -> Crawler:
    python = str(PEERS / name.lower() / "bin" / "python")
    return Crawler(name + to_name, _script(f"{name.lower()}_", *options, python=python))


def _ours(*options: str, pages: str = "none") -> tuple[str, ...]:
    crawl = str(Path(sys.executable).with_name("crawl"))
    spider = str(_SCRIPTS / "ours.py")
    kept = ("-o", _ITEMS, "--pages", pages, "-s", "output_dir=runs")
    return (crawl, spider, "-q", *options, *kept, "-a", "seeds={urls}")


BARE = Crawler("bare loop", _script("bare"))
OURS = Crawler("ours", _ours())
OURS_STORING = Crawler("ours storing", _ours(pages="files"), "items and pages")
OURS_TWO = Crawler("ours 2 processes", _ours("--processes", "2"))
SCRAPY = _peer("Scrapy")
SCRAPY_FOLLOWING = _peer("Scrapy", "--follow-all", to_name=" follow_all")
CRAWLEE = _peer("Crawlee")
SCRAPLING = _peer("Scrapling")


def _wget2(name: str, *options: str) -> Crawler:
    return Crawler(name, (*_WGET2.split(), *options), "mirror", (0, _NOT_FOUND))


WGET2 = _wget2("wget2")
WGET2_WIDE = _wget2("wget2 16 threads", "--max-threads=16")
